// Nearest neighbours, exactly: for a look at what samples are copies of.

/** For each query its nearest vector. */
export interface Nearest {
  /** The index of the nearest vector, of equally near ones the first; -1 where none is near enough. */
  readonly index: Int32Array;
  /** How far it is; Infinity where none is near enough. */
  readonly distance: Float64Array;
}

type Vectors = Uint8Array | Float32Array;

/**
 * A part of all vectors, as a rectangle of the picture that they are. How two vectors' sums over a tile differ
 * tells how far apart they are there at least.
 */
interface Tile {
  readonly start: number;
  /** From one of its rows to the next. */
  readonly stride: number;
  readonly rows: number;
  readonly columns: number;
}

/** The side of a tile of a picture. */
const SIDE = 8;
/** Bounds of real numbers are rounded: they are taken to be less by this share. */
const ROUNDING = 1e-9;

/** A norm by what its sums are made of. */
interface Norm {
  readonly sum: TileSum;
  /** What a tile adds at least, by the difference of the sums over it. */
  readonly least: (difference: number) => number;
}

/** What a tile of the vectors that begin at places `i` of `a` and `j` of `b` adds to their distance. */
type TileSum = (tile: Tile, a: Vectors, i: number, b: Vectors, j: number) => number;

const NORMS: Readonly<Record<"l1" | "l2", Norm>> = {
  l1: { sum: absoluteSum, least: Math.abs },
  // By Cauchy and Schwarz: (sum of d)^2 <= numbers * sum of d^2.
  l2: { sum: squaredSum, least: (difference) => difference ** 2 / SIDE ** 2 },
};

/**
 * The nearest of `vectors` to each of `queries` by the sum of absolute differences (L1, as AC-GAN's
 * section 4.4 compares pictures) or by Euclid's distance (L2). Sums over tiles of numbers tell how far vectors are
 * apart at least: the one that may be the nearest is looked at first, and a vector is left as soon as what is summed
 * with what is still to come at least is past the best. None of this changes a result.
 *
 * @param queries [count, length] in row-major order.
 * @param vectors [count, length].
 * @param options.width numbers in a row where vectors are pictures, whose tiles have more in common than their rows.
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
    width?: number;
    within?: number;
    except?: number;
    onProgress?: (done: number, total: number) => void;
  },
): Nearest {
  const { length, norm, width = length, within = Infinity, except, onProgress } = options;
  const count = queries.length / length, others = vectors.length / length;
  if (![count, others, length / width].every(Number.isInteger) || others < 1) {
    throw new RangeError(
      `Cannot look for the nearest of ${vectors.length} numbers to ${queries.length}: whole vectors of ` +
        `${length}, in rows of ${width}, are needed, and one to find`,
    );
  }
  const index = new Int32Array(count).fill(-1), distance = new Float64Array(count);
  const { sum: sumOf, least } = NORMS[norm];
  const tiles = tilesOf(length, width);
  const asked = tileSums(queries, { length, tiles });
  const known = tileSums(vectors, { length, tiles }), bounds = new Float64Array(others);
  /** What a tile of query `i` and vector `j` adds at least. */
  const leastOf = (k: number, i: number, j: number): number =>
    least(asked[i * tiles.length + k] - known[j * tiles.length + k]);
  /** The sum between a query and a vector, or Infinity where it is above `best`. */
  const sumUpTo = (best: number, i: number, j: number): number => {
    let sum = 0, toCome = bounds[j];
    for (let k = 0; k < tiles.length; k++) {
      if (sum + toCome > best) return Infinity;
      sum += sumOf(tiles[k], queries, i * length, vectors, j * length);
      toCome -= leastOf(k, i, j);
    }
    return sum;
  };
  for (let i = 0; i < count; i++) {
    let best = norm === "l1" ? within : within ** 2, closest = -1;
    for (let j = 0; j < others; j++) {
      let bound = 0;
      for (let k = 0; k < tiles.length; k++) bound += leastOf(k, i, j);
      bounds[j] = bound * (1 - ROUNDING);
      if (j !== except && (closest < 0 || bounds[j] < bounds[closest])) closest = j;
    }
    const look = (j: number): void => {
      const sum = sumUpTo(best, i, j);
      // Of equally near ones the first, but what is looked for is nearer than `within`.
      if (sum > best || (sum === best && !(j < index[i]))) return;
      best = sum;
      index[i] = j;
    };
    if (closest >= 0) look(closest);
    for (let j = 0; j < others; j++) {
      if (j !== except && j !== closest) look(j);
    }
    distance[i] = index[i] < 0 ? Infinity : norm === "l1" ? best : Math.sqrt(best);
    onProgress?.(i + 1, count);
  }
  return { index, distance };
}

/** Tiles of 8 x 8, or less at the edges; of what is no picture as many numbers in a row. */
function tilesOf(length: number, width: number): Tile[] {
  const [rows, columns] = width === length ? [1, SIDE ** 2] : [SIDE, SIDE];
  const tiles: Tile[] = [], height = length / width;
  for (let y = 0; y < height; y += rows) {
    for (let x = 0; x < width; x += columns) {
      tiles.push({
        start: y * width + x,
        stride: width,
        rows: Math.min(rows, height - y),
        columns: Math.min(columns, width - x),
      });
    }
  }
  return tiles;
}

/** For each vector the sums over its tiles. */
function tileSums(
  vectors: Vectors,
  { length, tiles }: { length: number; tiles: readonly Tile[] },
): Float64Array {
  const sums = new Float64Array(vectors.length / length * tiles.length);
  for (let i = 0, to = 0; i < vectors.length; i += length) {
    for (const { start, stride, rows, columns } of tiles) {
      let sum = 0;
      for (let y = 0, at = i + start; y < rows; y++, at += stride) {
        for (let x = 0; x < columns; x++) sum += vectors[at + x];
      }
      sums[to++] = sum;
    }
  }
  return sums;
}

function absoluteSum(tile: Tile, a: Vectors, i: number, b: Vectors, j: number): number {
  const { start, stride, rows, columns } = tile;
  let sum = 0;
  for (let y = 0, at = start; y < rows; y++, at += stride) {
    for (let x = at; x < at + columns; x++) sum += Math.abs(a[i + x] - b[j + x]);
  }
  return sum;
}

function squaredSum(tile: Tile, a: Vectors, i: number, b: Vectors, j: number): number {
  const { start, stride, rows, columns } = tile;
  let sum = 0;
  for (let y = 0, at = start; y < rows; y++, at += stride) {
    for (let x = at; x < at + columns; x++) {
      const difference = a[i + x] - b[j + x];
      sum += difference * difference;
    }
  }
  return sum;
}
