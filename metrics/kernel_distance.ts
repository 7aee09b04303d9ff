// The kernel distance between two sets of features: Binkowski, Sutherland, Arbel, Gretton,
// "Demystifying MMD GANs", 2018, section 4.

import { HostGenerator } from "../engine/mod.ts";
import { checkFeatures } from "./features.ts";
import { rowProducts } from "./rows.ts";

/** An estimate of a distance, and how far it may be off. */
export interface KernelDistance {
  /** The mean over blocks; of equal distributions it is as often below 0 as above. */
  readonly value: number;
  /** The standard error of that mean; NaN of a single block. */
  readonly standardError: number;
  /** Vectors of each set in a block. */
  readonly blockSize: number;
  /** How many blocks there were. */
  readonly blocks: number;
}

/**
 * The squared maximum mean discrepancy of two sets of features under the kernel (x.y / dimensions + 1)^3,
 * which of Inception's features is known as KID. Both sets are put into a random order and cut into
 * disjoint blocks; each block gives the unbiased estimate (Gretton et al. 2012, equation 3)
 *
 *     sum over i != j of (k(x_i, x_j) + k(y_i, y_j)) / (m (m - 1)) - 2 sum over i, j of k(x_i, y_j) / m^2
 *
 * so that their mean is unbiased at every number of vectors, unlike a Frechet distance.
 *
 * @param x [count, dimensions] in row-major order.
 * @param y [count, dimensions], of another count if need be.
 * @param options.blocks into how many blocks the smaller set is cut, 10; fewer where they would have less than 2.
 * @param options.seed of the order.
 * @throws {RangeError} where there are not two whole vectors in each set, or a number is not finite.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { kernelDistance } from "./mod.ts";
 * const { value } = kernelDistance([0, 0], [2, 2], { dimensions: 1, blocks: 1 });
 * assertAlmostEquals(value, 1 + 125 - 2); // k(0, 0) + k(2, 2) - 2 k(0, 2)
 * ```
 */
export function kernelDistance(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  options: { dimensions: number; blocks?: number; seed?: number },
): KernelDistance {
  const { dimensions: n, seed = 1 } = options;
  const counts = [x, y].map((features) => checkFeatures(features, { dimensions: n, least: 2 }));
  const smaller = Math.min(...counts);
  const blocks = Math.max(1, Math.min(options.blocks ?? 10, Math.floor(smaller / 2)));
  const m = Math.floor(smaller / blocks);
  const generator = new HostGenerator(seed);
  const [a, b] = [x, y].map((features, k) =>
    inOrder(features, permutation(counts[k], generator).subarray(0, blocks * m), n)
  );
  const estimates = Array.from({ length: blocks }, (_, block) => {
    const part = (features: Float64Array) => features.subarray(block * m * n, (block + 1) * m * n);
    const kernels = (p: Float64Array, q: Float64Array) =>
      rowProducts(part(p), part(q), { length: n, triangle: p === q })
        .map((product) => (product / n + 1) ** 3);
    const [ofA, ofB, both] = [kernels(a, a), kernels(b, b), kernels(a, b)];
    const across = both.reduce((sum, k) => sum + k, 0);
    let within = 0;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < i; j++) within += ofA[i * m + j] + ofB[i * m + j];
    }
    return 2 * within / (m * (m - 1)) - 2 * across / (m * m);
  });
  const value = estimates.reduce((sum, e) => sum + e, 0) / blocks;
  const squares = estimates.reduce((sum, e) => sum + (e - value) ** 2, 0);
  return {
    value,
    standardError: Math.sqrt(squares / (blocks - 1) / blocks),
    blockSize: m,
    blocks,
  };
}

function inOrder(features: ArrayLike<number>, order: Uint32Array, n: number): Float64Array {
  const result = new Float64Array(order.length * n);
  order.forEach((from, to) => {
    for (let k = 0; k < n; k++) result[to * n + k] = features[from * n + k];
  });
  return result;
}

/** A random order of 0 .. count - 1 (Fisher-Yates). */
function permutation(count: number, generator: HostGenerator): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(generator.uniform() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}
