import type { Dataset } from "./dataset.ts";

/** The picture of a data set that is most like another. */
export interface Neighbour {
  /** Its place in the data set. */
  readonly index: number;
  /** The mean absolute difference of pixels (L1), from 0 to 255. */
  readonly distance: number;
  /** Whether it is its mirror image that is so like. */
  readonly mirrored: boolean;
}

/**
 * Finds the picture whose pixels are nearest to those of `picture`, `[3, size, size]` as bytes, as it is or mirrored.
 *
 * @param options.except the place of a picture that does not count: of `picture` itself.
 */
export function nearestPicture(
  picture: Uint8Array,
  { images, count, size }: Pick<Dataset, "images" | "count" | "size">,
  options: { except?: number } = {},
): Neighbour {
  const length = 3 * size * size;
  if (picture.length !== length) {
    throw new RangeError(`A picture of ${size}x${size} has ${length} bytes, not ${picture.length}`);
  }
  const turned = mirrored(picture, size);
  let best = { index: -1, sum: Infinity, mirrored: false };
  for (let index = 0; index < count; index++) {
    if (index === options.except) continue;
    for (const [asked, isTurned] of [[picture, false], [turned, true]] as const) {
      const sum = difference(asked, images, { at: index * length, limit: best.sum });
      if (sum < best.sum) best = { index, sum, mirrored: isTurned };
    }
  }
  if (best.index < 0) throw new RangeError("There is no picture to be near to");
  return { index: best.index, distance: best.sum / length, mirrored: best.mirrored };
}

/** A picture `[3, size, size]` with left and right exchanged. */
export function mirrored(picture: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(picture, (_, i) => {
    const x = i % size;
    return picture[i - x + size - 1 - x];
  });
}

/** The sum of absolute differences, or any number from `limit` on once it is reached. */
function difference(
  a: Uint8Array,
  b: Uint8Array,
  { at, limit }: { at: number; limit: number },
): number {
  let sum = 0;
  for (let start = 0; start < a.length && sum < limit; start += 256) {
    const end = Math.min(start + 256, a.length);
    for (let i = start; i < end; i++) sum += Math.abs(a[i] - b[at + i]);
  }
  return sum;
}
