// Eigenvalues of a symmetric matrix in float64: Golub, Van Loan, "Matrix Computations", 4th edition. Matrices are
// row-major, and inner loops run along rows.

import { addScaled, dot } from "./rows.ts";

/**
 * The eigenvalues, in no particular order, of a symmetric matrix [n, n] of finite numbers, of which what is above
 * the diagonal is read: Householder reflections make it tridiagonal, implicit QR steps diagonal. Errors are some ulps
 * of the largest eigenvalue; it should be between 1e-150 and 1e150, for squares are taken.
 *
 * @throws {RangeError} where numbers are not finite or too large.
 */
export function symmetricEigenvalues(matrix: Float64Array, n: number): Float64Array {
  const tridiagonal = tridiagonalize(matrix.slice(), n);
  diagonalize(tridiagonal, n);
  return tridiagonal.diagonal;
}

interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Element i is beside diagonal elements i and i + 1. */
  readonly side: Float64Array;
}

/** Householder tridiagonalisation, section 8.3.1, in place and above the diagonal. */
function tridiagonalize(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n), side = new Float64Array(Math.max(0, n - 1));
  const product = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    // The reflection I - beta v transpose(v) that leaves only the first element of the rest of row k;
    // v takes the place of that rest.
    const first = k + 1, v = a.subarray(k * n + first, first * n), p = product.subarray(first);
    const corner = (i: number): Float64Array =>
      a.subarray((first + i) * n + first + i, (first + i + 1) * n);
    const tail = v.subarray(1), rest = dot(tail, tail);
    if (rest === 0) {
      side[k] = v[0];
      continue;
    }
    const length = Math.sqrt(v[0] ** 2 + rest), image = v[0] > 0 ? -length : length;
    side[k] = image;
    v[0] -= image;
    const beta = 2 / dot(v, v);
    p.fill(0);
    for (let i = 0; i < v.length; i++) addProduct(corner(i), { v, p, at: i });
    for (let i = 0; i < v.length; i++) p[i] *= beta;
    addScaled(p, v, -beta / 2 * dot(p, v));
    for (let i = 0; i < v.length; i++) subtractProducts(corner(i), { v, p, at: i });
  }
  for (let i = 0; i < n; i++) diagonal[i] = a[i * n + i];
  return { diagonal, side };
}

/** What row `at` of a symmetric matrix, from its diagonal on, adds to the matrix' product `p` with `v`. */
function addProduct(
  row: Float64Array,
  { v, p, at }: { v: Float64Array; p: Float64Array; at: number },
): void {
  const factor = v[at];
  let sum = row[0] * factor;
  for (let j = 1; j < row.length; j++) {
    sum += row[j] * v[at + j];
    p[at + j] += row[j] * factor;
  }
  p[at] += sum;
}

/** Takes v transpose(p) + p transpose(v) from row `at` of a symmetric matrix, from its diagonal on. */
function subtractProducts(
  row: Float64Array,
  { v, p, at }: { v: Float64Array; p: Float64Array; at: number },
): void {
  const x = v[at], y = p[at];
  for (let j = 0; j < row.length; j++) row[j] -= x * p[at + j] + y * v[at + j];
}

/** Implicit symmetric QR with Wilkinson's shift, sections 8.3.3 to 8.3.5, in place. */
function diagonalize({ diagonal: d, side: e }: Tridiagonal, n: number): void {
  const negligible = (i: number): boolean =>
    Math.abs(e[i]) <= Number.EPSILON * (Math.abs(d[i]) + Math.abs(d[i + 1]));
  let end = n - 1, steps = 0;
  while (end > 0) {
    if (negligible(end - 1)) {
      end--;
      continue;
    }
    // Two steps an eigenvalue are usual.
    if (++steps > 30 * n) {
      throw new RangeError(
        `Cannot decompose a matrix [${n}, ${n}]: its numbers are not finite, or too large`,
      );
    }
    let start = end - 1;
    while (start > 0 && !negligible(start - 1)) start--;

    // The eigenvalue of the last 2 x 2 block that is closer to its last element.
    const half = (d[end - 1] - d[end]) / 2, last = e[end - 1];
    const root = Math.hypot(half, last);
    const shift = d[end] - last / (half + (half < 0 ? -root : root)) * last;
    // A rotation of rows and columns makes an element beside the three diagonals; each next one chases
    // it downwards until it leaves.
    let x = d[start] - shift, bulge = e[start];
    for (let k = start; k < end; k++) {
      const r = Math.hypot(x, bulge), c = r > 0 ? x / r : 1, s = r > 0 ? bulge / r : 0;
      if (k > start) e[k - 1] = r;
      const upper = d[k], lower = d[k + 1], beside = e[k];
      d[k] = c * c * upper + 2 * c * s * beside + s * s * lower;
      d[k + 1] = s * s * upper - 2 * c * s * beside + c * c * lower;
      e[k] = c * s * (lower - upper) + (c * c - s * s) * beside;
      if (k + 1 === end) break;
      x = e[k];
      bulge = s * e[k + 1];
      e[k + 1] *= c;
    }
  }
}
