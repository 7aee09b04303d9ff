import { type Dataset, mirror } from "../data/mod.ts";
import { nearest } from "../metrics/mod.ts";

/** The picture of a data set that is most like another. */
export interface NearPicture {
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
 * @throws {RangeError} where `picture` is of another size, or no other is there.
 */
export function nearestPicture(
  picture: Uint8Array,
  { images, size }: Pick<Dataset, "images" | "size">,
  { except }: { except?: number } = {},
): NearPicture {
  const length = 3 * size * size;
  if (picture.length !== length) {
    throw new RangeError(`A picture of ${size}x${size} has ${length} bytes, not ${picture.length}`);
  }
  const options = { length, width: size, norm: "l1", except } as const;
  const straight = nearest(picture, images, options), within = straight.distance[0];
  const turned = nearest(mirror(picture.slice(), size), images, { ...options, within });
  const mirrored = turned.index[0] >= 0, { index, distance } = mirrored ? turned : straight;
  if (index[0] < 0) throw new RangeError("There is no picture to be near to");
  return { index: index[0], distance: distance[0] / length, mirrored };
}
