// Nearest neighbours, exactly: for a look at what samples are copies of.

/** For each query its nearest vector. */
export interface Nearest {
  /** The index of the nearest vector, of equally near ones the first; -1 where none is near enough. */
  readonly index: Int32Array;
  /** How far it is; Infinity where none is near enough. */
  readonly distance: Float64Array;
}

/** Numbers after which a sum is compared to the best one so far. */
const STRIDE = 64;

/**
 * The nearest of `vectors` to each of `queries` by the sum of absolute differences (L1, as AC-GAN's
 * section 4.4 compares pictures) or by Euclid's distance (L2). A sum that is past the best one already is
 * left where it is, which changes no result.
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
  queries: Uint8Array | Float32Array,
  vectors: Uint8Array | Float32Array,
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
  const sumOf = norm === "l1" ? absoluteSum : squaredSum;
  for (let i = 0; i < count; i++) {
    const query = queries.subarray(i * length, (i + 1) * length);
    let best = norm === "l1" ? within : within ** 2;
    for (let j = 0; j < others; j++) {
      if (j === except) continue;
      const sum = sumOf(query, vectors, j * length, best);
      if (sum >= best) continue;
      best = sum;
      index[i] = j;
    }
    distance[i] = index[i] < 0 ? Infinity : norm === "l1" ? best : Math.sqrt(best);
    onProgress?.(i + 1, count);
  }
  return { index, distance };
}

function absoluteSum(
  a: Uint8Array | Float32Array,
  b: Uint8Array | Float32Array,
  from: number,
  best: number,
): number {
  let sum = 0;
  for (let k = 0; k < a.length && sum < best;) {
    for (const end = Math.min(a.length, k + STRIDE); k < end; k++) {
      sum += Math.abs(a[k] - b[from + k]);
    }
  }
  return sum;
}

function squaredSum(
  a: Uint8Array | Float32Array,
  b: Uint8Array | Float32Array,
  from: number,
  best: number,
): number {
  let sum = 0;
  for (let k = 0; k < a.length && sum < best;) {
    for (const end = Math.min(a.length, k + STRIDE); k < end; k++) {
      const difference = a[k] - b[from + k];
      sum += difference * difference;
    }
  }
  return sum;
}
