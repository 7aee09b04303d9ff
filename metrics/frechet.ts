// The distance between two sets of features, taken as normal distributions.

import { addScaled, rowProducts, transposed } from "./rows.ts";
import { symmetricEigenvalues } from "./symmetric_eigenvalues.ts";

/** Mean and covariance of a set of feature vectors. */
export interface FeatureMoments {
  /** One number a dimension. */
  readonly mean: ArrayLike<number>;
  /** [dimensions, dimensions] in row-major order. */
  readonly covariance: ArrayLike<number>;
}

/**
 * The mean and the covariance of feature vectors, in float64; the covariance is divided by their number
 * less one.
 *
 * @param features [count, dimensions] in row-major order.
 * @throws {RangeError} where there are not at least two whole vectors of finite numbers.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { featureMoments } from "./mod.ts";
 * const { mean, covariance } = featureMoments([1, 5, 3, 9], { dimensions: 2 });
 * assertEquals([...mean], [2, 7]);
 * assertEquals([...covariance], [2, 4, 4, 8]);
 * ```
 */
export function featureMoments(
  features: ArrayLike<number>,
  { dimensions: n }: { dimensions: number },
): { mean: Float64Array; covariance: Float64Array } {
  const count = features.length / n;
  if (!(Number.isInteger(n) && Number.isInteger(count) && count >= 2)) {
    throw new RangeError(
      `Cannot take moments of ${features.length} numbers as features of ${n} dimensions: ` +
        `at least two whole vectors are needed`,
    );
  }
  const rows = new Float64Array(features), mean = new Float64Array(n);
  const odd = rows.findIndex((value) => !Number.isFinite(value));
  if (odd >= 0) {
    throw new RangeError(
      `Cannot take moments of features: dimension ${odd % n} of vector ${Math.floor(odd / n)} ` +
        `is ${rows[odd]}`,
    );
  }
  const row = (i: number): Float64Array => rows.subarray(i * n, (i + 1) * n);
  for (let i = 0; i < count; i++) addScaled(mean, row(i), 1 / count);
  for (let i = 0; i < count; i++) addScaled(row(i), mean, -1);
  const centred = transposed(rows, n);
  const covariance = rowProducts(centred, centred, { length: count, triangle: true });
  for (let i = 0; i < covariance.length; i++) covariance[i] /= count - 1;
  return { mean, covariance };
}

/**
 * The squared Frechet distance of two normal distributions (Dowson, Landau 1982, "The Frechet
 * distance between multivariate normal distributions"), which of Inception's features is known as FID
 * (Heusel et al. 2017, "Experiments: Performance Measure"):
 *
 *     |ma - mb|^2 + tr(Ca + Cb - 2 (Ca^1/2 Cb Ca^1/2)^1/2)
 *
 * in float64. Negative eigenvalues, which come of rounding, count as 0; covariances may be singular, as
 * those of fewer vectors than dimensions are. It takes some 10 n^3 operations for n dimensions, and fewer
 * where the covariance of `a` is singular: give the set of fewer vectors first.
 *
 * @throws {RangeError} where the dimensions differ, or a number is not finite.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { frechetDistance } from "./mod.ts";
 * const a = { mean: [0, 0], covariance: [4, 0, 0, 4] };
 * const b = { mean: [3, 4], covariance: [1, 0, 0, 9] };
 * assertAlmostEquals(frechetDistance(a, b), 25 + 1 + 1);
 * ```
 */
export function frechetDistance(a: FeatureMoments, b: FeatureMoments): number {
  const n = a.mean.length;
  for (const { mean, covariance } of [a, b]) {
    if (n === 0 || mean.length !== n || covariance.length !== n * n) {
      throw new RangeError(
        `Cannot compare moments of ${a.mean.length} and ${b.mean.length} dimensions with ` +
          `covariances of ${a.covariance.length} and ${b.covariance.length} numbers: the same ` +
          `dimensions are needed, and their square`,
      );
    }
  }
  const [ma, mb] = [a, b].map(({ mean }) => finite("mean", mean));
  const [ca, cb] = [a, b].map(({ covariance }) => finite("covariance", covariance));
  let distance = 0;
  for (let i = 0; i < n; i++) distance += (ma[i] - mb[i]) ** 2 + ca[i * n + i] + cb[i * n + i];
  const root = rowsOfRoot(ca, n), rank = root.length / n;
  const image = rowProducts(root, cb, { length: n });
  const product = rowProducts(image, root, { length: n, triangle: true });
  for (const value of symmetricEigenvalues(product, rank)) {
    distance -= 2 * Math.sqrt(Math.max(0, value));
  }
  return Math.max(0, distance);
}

/**
 * Rows R with C = transpose(R) R, as many as C has dimensions that rounding leaves: a Cholesky decomposition that
 * always goes on with the largest element left on the diagonal (Golub, Van Loan, section 4.2.8). R Cb transpose(R)
 * has the eigenvalues of C^1/2 Cb C^1/2, but for some that are 0.
 */
function rowsOfRoot(covariance: Float64Array, n: number): Float64Array {
  const left = Float64Array.from({ length: n }, (_, i) => covariance[i * n + i]);
  const least = Number.EPSILON * Math.max(...left), root = new Float64Array(n * n);
  const rowOf = (matrix: Float64Array, i: number) => matrix.subarray(i * n, (i + 1) * n);
  let rank = 0;
  for (; rank < n; rank++) {
    const pivot = left.reduce((best, x, i) => x > left[best] ? i : best, 0);
    if (!(left[pivot] > least)) break;
    const row = rowOf(root, rank), scale = 1 / Math.sqrt(left[pivot]);
    row.set(rowOf(covariance, pivot));
    for (let k = 0; k < rank; k++) addScaled(row, rowOf(root, k), -root[k * n + pivot]);
    for (let i = 0; i < n; i++) {
      row[i] *= scale;
      left[i] -= row[i] ** 2;
    }
    left[pivot] = 0;
  }
  return root.subarray(0, rank * n);
}

function finite(name: string, numbers: ArrayLike<number>): Float64Array {
  const result = new Float64Array(numbers);
  const odd = result.findIndex((value) => !Number.isFinite(value));
  if (odd < 0) return result;
  throw new RangeError(`Cannot compare moments: number ${odd} of a ${name} is ${result[odd]}`);
}
