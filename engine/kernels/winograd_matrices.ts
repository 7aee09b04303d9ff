// The matrices of Winograd's minimal filtering, F(m, r): m outputs of a correlation with r taps from n = m + r -
// 1 multiplications instead of m r,
//
//   y = output ((filter g) * (input d)),     along both axes: Y = output [(filter G filter') * (input D input')] output'
//
// (Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, 2016, section 4). They follow from
// Toom and Cook: evaluate both polynomials at n - 1 points and at infinity, multiply there, interpolate; and
// transposed, so that it is a correlation.

/** A matrix as rows. */
export type Matrix = readonly (readonly number[])[];

/** What filtering multiplies by. */
export interface WinogradMatrices {
  /** Outputs of a tile along an axis. */
  readonly m: number;
  /** Taps. */
  readonly r: number;
  /** `m + r - 1`: inputs of a tile, and products. */
  readonly n: number;
  /** `[n, n]` */
  readonly input: Matrix;
  /** `[n, r]` */
  readonly filter: Matrix;
  /** `[m, n]` */
  readonly output: Matrix;
}

// Points that keep rounding small: measured against float64, sums of 256 products of F(4, 3) are 2 times
// as far off as direct ones with these, and 3 times with the usual 0, 1, -1, 2, -2.
const points: Readonly<Record<number, readonly number[]>> = {
  2: [0],
  3: [0, -1],
  4: [0, 1, -1],
  5: [0, 1, -1, 0.5],
  6: [0, 0.75, -0.75, 1.5, -1.5],
};

/** The matrices of F(m, r). @throws {RangeError} where m + r - 1 is below 2 or above 6. */
export function winogradMatrices(m: number, r: number): WinogradMatrices {
  const n = m + r - 1;
  const at = points[n];
  if (at === undefined) throw new RangeError(`No points are known for F(${m}, ${r})`);
  const slope = at.map((a) => at.filter((b) => b !== a).reduce((x, b) => x * (a - b), 1));
  const input = [
    ...at.map((a) => padded(polynomial(at.filter((b) => b !== a)), n)),
    polynomial(at),
  ];
  const filter = [...at.map((a, j) => powers(a, r).map((x) => x / slope[j])), unit(r)];
  const output = transpose([...at.map((a) => powers(a, m)), unit(m)]);
  // Rows of both operands' matrices can be scaled against each other: by powers of 2, so that the largest
  // numbers of both are alike.
  const scale = input.map((row, j) =>
    2 ** Math.round(Math.log2(largest(filter[j]) / largest(row)) / 2)
  );
  return {
    ...{ m, r, n },
    input: input.map((row, j) => row.map((x) => x * scale[j])),
    filter: filter.map((row, j) => row.map((x) => x / scale[j])),
    output,
  };
}

/**
 * The matrices that correlate with the taps in reverse, by the same transform of the taps: of tiles that are read
 * and written from their far ends.
 */
export function turned(matrices: WinogradMatrices): WinogradMatrices {
  const { input, output } = matrices;
  return {
    ...matrices,
    input: input.map((row) => row.toReversed()),
    output: output.toReversed(),
  };
}

/** Rows become columns. */
export function transpose(matrix: Matrix): Matrix {
  return matrix[0].map((_, column) => matrix.map((row) => row[column]));
}

/** Coefficients, the constant first, of the product of all (x - root). */
function polynomial(roots: readonly number[]): number[] {
  return roots.reduce<number[]>(
    (product, root) =>
      Array.from(
        { length: product.length + 1 },
        (_, i) => (product[i - 1] ?? 0) - root * (product[i] ?? 0),
      ),
    [1],
  );
}

const powers = (a: number, count: number): number[] =>
  Array.from({ length: count }, (_, k) => a ** k);

const unit = (length: number): number[] => padded([], length - 1).concat(1);

const padded = (row: readonly number[], length: number): number[] =>
  Array.from({ length }, (_, i) => row[i] ?? 0);

const largest = (row: readonly number[]): number => Math.max(...row.map(Math.abs));
