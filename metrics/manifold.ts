// Fidelity and diversity of samples by neighbourhoods in a space of features.

import { checkFeatures } from "./features.ts";
import { dot, rowProducts } from "./rows.ts";

/** Shares of vectors that lie in neighbourhoods of the other set. */
export interface ManifoldScores {
  /** Of the samples, those within the neighbourhood of any real vector. */
  readonly precision: number;
  /** Of the real vectors, those within the neighbourhood of any sample. */
  readonly recall: number;
  /** In how many neighbourhoods of real vectors a sample lies on average, over k: it may be above 1. */
  readonly density: number;
  /** Of the real vectors, those with a sample in their neighbourhood. */
  readonly coverage: number;
}

/**
 * Precision and recall (Kynkaanniemi et al. 2019, "Improved precision and recall metric for assessing
 * generative models", equation 2), density and coverage (Naeem et al. 2020, "Reliable fidelity and diversity
 * metrics for generative models", equations 3 and 4). A vector's neighbourhood is the closed ball up to its
 * k-th nearest other vector of its own set. All depend on the counts: compare at equal ones.
 *
 * @param real [count, dimensions] in row-major order.
 * @param samples [count, dimensions].
 * @param options.neighbours k of precision and recall, 3.
 * @param options.coverageNeighbours k of density and coverage, 5.
 * @throws {RangeError} where a set does not have more vectors than k, or a number is not finite.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { manifoldScores } from "./mod.ts";
 * const real = [0, 1, 2, 3], samples = [0.5, 0.6, 9, 9.5];
 * const options = { dimensions: 1, neighbours: 1, coverageNeighbours: 1 };
 * const { precision, recall, coverage } = manifoldScores(real, samples, options);
 * assertEquals([precision, recall, coverage], [0.5, 0, 0.5]);
 * ```
 */
export function manifoldScores(
  real: ArrayLike<number>,
  samples: ArrayLike<number>,
  options: { dimensions: number; neighbours?: number; coverageNeighbours?: number },
): ManifoldScores {
  const { dimensions, neighbours = 3, coverageNeighbours = 5 } = options;
  const least = 1 + Math.max(neighbours, coverageNeighbours);
  const [reals, fakes] = [real, samples].map((f) => checkFeatures(f, { dimensions, least }));
  const [x, y] = [real, samples].map((features) => new Float64Array(features));
  const ofReal = radii(x, { dimensions, ks: [neighbours, coverageNeighbours] });
  const ofFake = radii(y, { dimensions, ks: [neighbours] });
  let precise = 0, inBalls = 0;
  const recalled = new Uint8Array(reals), covered = new Uint8Array(reals);
  eachRow(y, x, dimensions, (j, distances) => {
    let inAny = false;
    for (let i = 0; i < reals; i++) {
      const distance = distances[i];
      if (distance <= ofReal[0][i]) inAny = true;
      if (distance <= ofFake[0][j]) recalled[i] = 1;
      if (distance <= ofReal[1][i]) {
        inBalls++;
        covered[i] = 1;
      }
    }
    if (inAny) precise++;
  });
  const share = (marks: Uint8Array): number => marks.reduce((sum, mark) => sum + mark, 0) / reals;
  return {
    precision: precise / fakes,
    recall: share(recalled),
    density: inBalls / (coverageNeighbours * fakes),
    coverage: share(covered),
  };
}

/** For each k, the squared distance from each vector to its k-th nearest other one. */
function radii(
  x: Float64Array,
  { dimensions, ks }: { dimensions: number; ks: readonly number[] },
): Float64Array[] {
  const count = x.length / dimensions, most = Math.max(...ks);
  const result = ks.map(() => new Float64Array(count));
  const nearest = new Float64Array(most);
  eachRow(x, x, dimensions, (i, distances) => {
    nearest.fill(Infinity);
    for (let j = 0; j < count; j++) {
      const distance = distances[j];
      let at = most - 1;
      if (j === i || distance >= nearest[at]) continue;
      for (; at > 0 && nearest[at - 1] > distance; at--) nearest[at] = nearest[at - 1];
      nearest[at] = distance;
    }
    ks.forEach((k, which) => result[which][i] = nearest[k - 1]);
  });
  return result;
}

/** Vectors whose distances to all others are in memory at once. */
const BLOCK = 64;

/**
 * Calls `use` for each vector of `a` with its squared distances to all of `b`, |a|^2 + |b|^2 - 2 a.b: of equal
 * vectors exactly 0, for their three products are equal sums.
 */
function eachRow(
  a: Float64Array,
  b: Float64Array,
  n: number,
  use: (index: number, distances: Float64Array) => void,
): void {
  const squares = (of: Float64Array): Float64Array =>
    Float64Array.from({ length: of.length / n }, (_, i) => {
      const vector = of.subarray(i * n, (i + 1) * n);
      return dot(vector, vector);
    });
  const [ofA, ofB] = [a, b].map(squares), count = ofB.length;
  for (let start = 0; start < ofA.length; start += BLOCK) {
    const part = a.subarray(start * n, (start + BLOCK) * n);
    const products = rowProducts(part, b, { length: n });
    for (let i = 0; i < part.length / n; i++) {
      const row = products.subarray(i * count, (i + 1) * count);
      for (let j = 0; j < count; j++) {
        row[j] = Math.max(0, ofA[start + i] + ofB[j] - 2 * row[j]);
      }
      use(start + i, row);
    }
  }
}
