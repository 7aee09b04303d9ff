// Padding by what lies inside: a tensor's edges mirrored or repeated.

import { formatShape, type Shape } from "../dtype.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { concat, expand, flip, pad as padByValue, type Range, slice } from "./movement.ts";

/** What {@linkcode pad} adds. */
export interface PadOptions {
  /**
   * `"constant"` (the default) adds `value`, `"reflect"` mirrors the tensor at its outermost elements,
   * which are not repeated, and `"replicate"` repeats them.
   */
  readonly mode?: "constant" | "reflect" | "replicate";
  /** What is added in mode `"constant"`, 0. */
  readonly value?: number;
}

/**
 * Adds elements before and after each axis; negative amounts crop.
 *
 * @param pads one pair `[before, after]` an axis.
 * @throws {RangeError} where the number of pairs is not that of the axes, nothing is left, or more is to be
 * mirrored than there is beside the outermost element.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Device, pad, read, tensor } from "../mod.ts";
 * await Device.open();
 * const [y] = await read([pad(tensor([1, 2, 3]), [[1, 2]], { mode: "reflect" })]);
 * assertEquals([...y], [2, 1, 2, 3, 2, 1]);
 * ```
 */
export function pad(
  x: TensorLike,
  pads: readonly (readonly [before: number, after: number])[],
  options: PadOptions = {},
): Tensor {
  const { mode = "constant", value } = options;
  if (mode === "constant") return padByValue(x, pads, { value });
  const cropped = padByValue(
    x,
    pads.map(([before, after]) => [Math.min(0, before), Math.min(0, after)] as const),
  );
  const edge = mode === "reflect" ? mirrored : repeated;
  return pads.reduce((inside, [before, after], dim) => {
    const parts = [inside];
    if (before > 0) parts.unshift(edge(inside, { dim, count: before, side: "before" }));
    if (after > 0) parts.push(edge(inside, { dim, count: after, side: "after" }));
    return concat(parts, { dim });
  }, cropped);
}

interface Edge {
  readonly dim: number;
  /** How many elements are added. */
  readonly count: number;
  readonly side: "before" | "after";
}

function mirrored(x: Tensor, { dim, count, side }: Edge): Tensor {
  const length = x.shape[dim];
  if (count >= length) {
    throw new RangeError(
      `Cannot pad axis ${dim} of tensor ${formatShape(x.shape)} by ${count} reflected elements: ` +
        `there are ${length - 1} beside the outermost one`,
    );
  }
  const range: Range = side === "before" ? [1, count + 1] : [length - 1 - count, length - 1];
  return flip(along(x, dim, range), [dim]);
}

function repeated(x: Tensor, { dim, count, side }: Edge): Tensor {
  const outermost = along(x, dim, side === "before" ? [0, 1] : [-1, null]);
  const shape: Shape = x.shape.with(dim, count);
  return expand(outermost, shape);
}

function along(x: Tensor, dim: number, range: Range): Tensor {
  return slice(x, x.shape.map((_, axis) => axis === dim ? range : null));
}
