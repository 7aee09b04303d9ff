// Eigenvalues and eigenvectors of a symmetric matrix in float64: Golub, Van Loan, "Matrix
// Computations", 4th edition. Matrices are row-major, and inner loops run along rows.

/** A = sum over i of values[i] * vector_i * transpose(vector_i). */
export interface SymmetricEigen {
  /** In no particular order. */
  readonly values: Float64Array;
  /** [n, n]; row i is the eigenvector of value i, of length 1. */
  readonly vectors: Float64Array;
}

/**
 * Decomposes a symmetric matrix [n, n] of finite numbers: Householder reflections make it tridiagonal,
 * implicit QR steps diagonal. Errors are some ulps of the largest eigenvalue; it should be between
 * 1e-150 and 1e150, for squares are taken.
 *
 * @throws {RangeError} where numbers are not finite or too large.
 */
export function symmetricEigen(matrix: Float64Array, n: number): SymmetricEigen {
  const tridiagonal = tridiagonalize(matrix.slice(), n);
  diagonalize(tridiagonal, n);
  return { values: tridiagonal.diagonal, vectors: tridiagonal.vectors };
}

/** A = transpose(vectors) T vectors with a symmetric tridiagonal T. */
interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** Element i is beside diagonal elements i and i + 1. */
  readonly side: Float64Array;
  readonly vectors: Float64Array;
}

/** Householder tridiagonalisation, section 8.3.1, in place. */
function tridiagonalize(a: Float64Array, n: number): Tridiagonal {
  const diagonal = new Float64Array(n), side = new Float64Array(Math.max(0, n - 1));
  const betas = new Float64Array(n), product = new Float64Array(n);
  const row = (i: number, from: number): Float64Array => a.subarray(i * n + from, (i + 1) * n);
  for (let k = 0; k < n - 1; k++) {
    // The reflection I - beta v transpose(v) that leaves only the first element of the rest of row k;
    // v takes the place of that rest.
    const first = k + 1, v = row(k, first), p = product.subarray(first);
    const tail = v.subarray(1), rest = dot(tail, tail);
    if (rest === 0) {
      side[k] = v[0];
      continue;
    }
    const length = Math.sqrt(v[0] ** 2 + rest), image = v[0] > 0 ? -length : length;
    side[k] = image;
    v[0] -= image;
    const beta = betas[k] = 2 / dot(v, v);
    for (let i = first; i < n; i++) p[i - first] = beta * dot(row(i, first), v);
    addScaled(p, v, -beta / 2 * dot(p, v));
    for (let i = first; i < n; i++) {
      const corner = row(i, first);
      addScaled(corner, p, -v[i - first]);
      addScaled(corner, v, -p[i - first]);
    }
  }
  for (let i = 0; i < n; i++) diagonal[i] = a[i * n + i];
  // The product of all reflections, from the last to the first, so that it grows from the corner.
  const vectors = new Float64Array(n * n);
  for (let i = 0; i < n; i++) vectors[i * n + i] = 1;
  for (let k = n - 2; k >= 0; k--) {
    if (betas[k] === 0) continue;
    const v = row(k, k + 1);
    for (let i = k + 1; i < n; i++) {
      const corner = vectors.subarray(i * n + k + 1, (i + 1) * n);
      addScaled(corner, v, -betas[k] * dot(corner, v));
    }
  }
  return { diagonal, side, vectors };
}

/** Implicit symmetric QR with Wilkinson's shift, sections 8.3.3 to 8.3.5, in place. */
function diagonalize({ diagonal: d, side: e, vectors }: Tridiagonal, n: number): void {
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
      rotate(
        vectors.subarray(k * n, (k + 1) * n),
        vectors.subarray((k + 1) * n, (k + 2) * n),
        c,
        s,
      );
      if (k + 1 === end) break;
      x = e[k];
      bulge = s * e[k + 1];
      e[k + 1] *= c;
    }
  }
}

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

function rotate(a: Float64Array, b: Float64Array, c: number, s: number): void {
  for (let i = 0; i < a.length; i++) {
    const first = a[i], second = b[i];
    a[i] = c * first + s * second;
    b[i] = c * second - s * first;
  }
}
