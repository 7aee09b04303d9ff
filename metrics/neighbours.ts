// Nearest neighbours, exactly: for a look at what samples are copies of.

/** For each query its nearest vector. */
export interface Nearest {
  /** The index of the nearest vector, of equally near ones the first; -1 where none is near enough. */
  readonly index: Int32Array;
  /** How far it is; Infinity where none is near enough. */
  readonly distance: Float64Array;
}

/** Numbers in a run: a sum is compared to the best one after each, and runs have sums that are compared first. */
const RUN = 64;

/** A norm by what its sums are made of. */
interface Norm {
  /** The sum over two vectors, or more than `best` where it is more. */
  readonly sum: (a: Vectors, b: Vectors, from: number, best: number) => number;
  /** What a run adds at least, by the difference of the two vectors' sums over it. */
  readonly least: (difference: number) => number;
}

type Vectors = Uint8Array | Float32Array;

const NORMS: Readonly<Record<"l1" | "l2", Norm>> = {
  l1: { sum: absoluteSum, least: Math.abs },
  // By Cauchy and Schwarz: (sum of d)^2 <= RUN * sum of d^2.
  l2: { sum: squaredSum, least: (difference) => difference ** 2 / RUN },
};
/** Bounds of real numbers are rounded: they are taken to be less by this share. */
const ROUNDING = 1e-9;

/**
 * The nearest of `vectors` to each of `queries` by the sum of absolute differences (L1, as AC-GAN's
 * section 4.4 compares pictures) or by Euclid's distance (L2). Sums over runs of numbers tell how far vectors are
 * apart at least: the one that may be the nearest is looked at first, and those that cannot be nearer not at all; a
 * sum that is past the best one is left where it is. None of this changes a result.
 *
 * @param queries [count, length] in row-major order.
 * @param vectors [count, length].
 * @param options.within nothing that is so far, or farther, is looked for; by default everything is.
 * @param options.except the place of a vector that is passed over.
 * @param options.onProgress told after each query.
 * @throws {RangeError} where there are no vectors, or not whole ones.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { nearest } from "./mod.ts";
 * const vectors = Uint8Array.of(0, 0, 10, 10, 250, 250), queries = Uint8Array.of(12, 9);
 * const { index, distance } = nearest(queries, vectors, { length: 2, norm: "l1" });
 * assertEquals([index[0], distance[0]], [1, 3]);
 * ```
 */
export function nearest(
  queries: Vectors,
  vectors: Vectors,
  options: {
    length: number;
    norm: "l1" | "l2";
    within?: number;
    except?: number;
    onProgress?: (done: number, total: number) => void;
  },
): Nearest {
  const { length, norm, within = Infinity, except, onProgress } = options;
  const count = queries.length / length, others = vectors.length / length;
  if (!(Number.isInteger(count) && Number.isInteger(others) && others > 0)) {
    throw new RangeError(
      `Cannot look for the nearest of ${vectors.length} numbers to ${queries.length}: whole vectors of ` +
        `${length} are needed, and one to find`,
    );
  }
  const index = new Int32Array(count).fill(-1), distance = new Float64Array(count);
  const { sum: sumOf, least } = NORMS[norm];
  const runs = Math.ceil(length / RUN), asked = runSums(queries, length);
  const known = runSums(vectors, length), bounds = new Float64Array(others);
  for (let i = 0; i < count; i++) {
    const query = queries.subarray(i * length, (i + 1) * length);
    let best = norm === "l1" ? within : within ** 2, closest = -1;
    for (let j = 0; j < others; j++) {
      let bound = 0;
      for (let k = 0; k < runs; k++) bound += least(asked[i * runs + k] - known[j * runs + k]);
      bounds[j] = bound * (1 - ROUNDING);
      if (j !== except && (closest < 0 || bounds[j] < bounds[closest])) closest = j;
    }
    const look = (j: number): void => {
      const sum = sumOf(query, vectors, j * length, best);
      // Of equally near ones the first, but what is looked for is nearer than `within`.
      if (sum > best || (sum === best && !(j < index[i]))) return;
      best = sum;
      index[i] = j;
    };
    if (closest >= 0) look(closest);
    for (let j = 0; j < others; j++) {
      if (bounds[j] <= best && j !== except && j !== closest) look(j);
    }
    distance[i] = index[i] < 0 ? Infinity : norm === "l1" ? best : Math.sqrt(best);
    onProgress?.(i + 1, count);
  }
  return { index, distance };
}

/** For each vector the sums over its runs, the last of which may be short. */
function runSums(vectors: Vectors, length: number): Float64Array {
  const runs = Math.ceil(length / RUN), sums = new Float64Array(vectors.length / length * runs);
  for (let i = 0, to = 0; i < vectors.length; i += length) {
    for (let start = i; start < i + length; start += RUN) {
      let sum = 0;
      for (let k = start, end = Math.min(i + length, start + RUN); k < end; k++) sum += vectors[k];
      sums[to++] = sum;
    }
  }
  return sums;
}

function absoluteSum(a: Vectors, b: Vectors, from: number, best: number): number {
  let sum = 0;
  for (let k = 0; k < a.length && sum <= best;) {
    for (const end = Math.min(a.length, k + RUN); k < end; k++) sum += Math.abs(a[k] - b[from + k]);
  }
  return sum;
}

function squaredSum(a: Vectors, b: Vectors, from: number, best: number): number {
  let sum = 0;
  for (let k = 0; k < a.length && sum <= best;) {
    for (const end = Math.min(a.length, k + RUN); k < end; k++) {
      const difference = a[k] - b[from + k];
      sum += difference * difference;
    }
  }
  return sum;
}
