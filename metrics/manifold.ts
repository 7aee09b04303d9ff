// Fidelity and diversity of samples by neighbourhoods in a space of features.

import { checkFeatures } from "./features.ts";

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
  const [x, y] = [real, samples].map((features) => Float64Array.from(features));
  const ofReal = radii(x, { dimensions, ks: [neighbours, coverageNeighbours] });
  const ofFake = radii(y, { dimensions, ks: [neighbours] });
  let precise = 0, inBalls = 0;
  const recalled = new Uint8Array(reals), covered = new Uint8Array(reals);
  for (let j = 0; j < fakes; j++) {
    let inAny = false;
    for (let i = 0; i < reals; i++) {
      const distance = squaredDistance(x, i, y, j, dimensions);
      if (distance <= ofReal[0][i]) inAny = true;
      if (distance <= ofFake[0][j]) recalled[i] = 1;
      if (distance <= ofReal[1][i]) {
        inBalls++;
        covered[i] = 1;
      }
    }
    if (inAny) precise++;
  }
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
  for (let i = 0; i < count; i++) {
    nearest.fill(Infinity);
    for (let j = 0; j < count; j++) {
      if (j === i) continue;
      const distance = squaredDistance(x, i, x, j, dimensions);
      let at = most - 1;
      if (distance >= nearest[at]) continue;
      for (; at > 0 && nearest[at - 1] > distance; at--) nearest[at] = nearest[at - 1];
      nearest[at] = distance;
    }
    ks.forEach((k, which) => result[which][i] = nearest[k - 1]);
  }
  return result;
}

function squaredDistance(
  a: Float64Array,
  i: number,
  b: Float64Array,
  j: number,
  n: number,
): number {
  let sum = 0;
  for (let k = 0, p = i * n, q = j * n; k < n; k++) {
    const difference = a[p++] - b[q++];
    sum += difference * difference;
  }
  return sum;
}
