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
  for (let i = 0; i < rows; i++) {
    const x = a.subarray(i * length, (i + 1) * length), end = triangle ? i + 1 : columns;
    let j = 0, at = 0, to = i * columns;
    for (; j + 4 <= end; j += 4, at += 4 * length) {
      const second = at + length, third = second + length, fourth = third + length;
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let k = 0; k < length; k++) {
        const factor = x[k];
        s0 += factor * b[at + k];
        s1 += factor * b[second + k];
        s2 += factor * b[third + k];
        s3 += factor * b[fourth + k];
      }
      result[to++] = s0;
      result[to++] = s1;
      result[to++] = s2;
      result[to++] = s3;
    }
    for (; j < end; j++, at += length) result[to++] = dot(x, b.subarray(at, at + length));
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
