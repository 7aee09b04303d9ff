// Sums of products along rows of float64 numbers: what metrics on features spend their time on.

/** The sum of products of two rows. */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

/** Adds a multiple of `b` to `a`. */
export function addScaled(a: Float64Array, b: Float64Array, factor: number): void {
  for (let i = 0; i < a.length; i++) a[i] += factor * b[i];
}

/**
 * The product a * transpose(b) of matrices whose rows have `length` numbers, [rows of a, rows of b]. Every sum runs
 * from the first number to the last, as {@linkcode dot}'s, so that equal rows have equal products. Four sums at once
 * do not wait for each other, and read the row of `a` once.
 *
 * @param options.triangle where the product is symmetric: only what is on and below its diagonal, and its mirror image.
 */
export function rowProducts(
  a: Float64Array,
  b: Float64Array,
  { length, triangle = false }: { length: number; triangle?: boolean },
): Float64Array {
  const rows = a.length / length, columns = b.length / length;
  const result = new Float64Array(rows * columns);
  const rowOf = (matrix: Float64Array, i: number): Float64Array =>
    matrix.subarray(i * length, (i + 1) * length);
  for (let i = 0; i < rows; i++) {
    const x = rowOf(a, i), end = triangle ? i + 1 : columns;
    let j = 0;
    for (; j + 4 <= end; j += 4) {
      const y0 = rowOf(b, j), y1 = rowOf(b, j + 1), y2 = rowOf(b, j + 2), y3 = rowOf(b, j + 3);
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let k = 0; k < x.length; k++) {
        const factor = x[k];
        s0 += factor * y0[k];
        s1 += factor * y1[k];
        s2 += factor * y2[k];
        s3 += factor * y3[k];
      }
      result.set([s0, s1, s2, s3], i * columns + j);
    }
    for (; j < end; j++) result[i * columns + j] = dot(x, rowOf(b, j));
  }
  for (let i = 0; triangle && i < rows; i++) {
    for (let j = i + 1; j < columns; j++) result[i * columns + j] = result[j * columns + i];
  }
  return result;
}

/** The columns of a matrix [rows, columns] as rows. */
export function transposed(matrix: Float64Array, columns: number): Float64Array {
  const rows = matrix.length / columns, result = new Float64Array(matrix.length);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = matrix[i * columns + j];
  }
  return result;
}
