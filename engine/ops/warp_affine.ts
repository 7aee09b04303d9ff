// Pictures turned, scaled, sheared and moved, each by a matrix of its own.

import { checkWhole, formatShape } from "../dtype.ts";
import { warpAffine as launch } from "../kernels/warp_affine.ts";
import type { KernelOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { asFloat, widened } from "./cast.ts";
import { type Pair, pair } from "./conv2d.ts";

const op = (name: string, transposed: boolean, other: () => KernelOp): KernelOp => ({
  name,
  kind: "kernel",
  launch(context, node, { inputs: [x, matrix], output }) {
    const { shape } = node.inputs[0], [batch, channels] = shape;
    const before = [shape[2], shape[3]] as const, after = [node.shape[2], node.shape[3]] as const;
    const [size, result] = transposed ? [after, before] : [before, after];
    const geometry = { batch, channels, size, result, transposed };
    return launch(context, geometry, { x, matrix, out: output });
  },
  derivative: (g, { inputs: [x, matrix] }) => [
    new Tensor(other(), [g, matrix], {}, x.shape, "f32"),
    null,
  ],
});

const warpOp = op("warpAffine", false, () => transposedOp);
const transposedOp = op("warpAffineTransposed", true, () => warpOp);

/**
 * Resamples each picture of `x` [N, C, H, W] by a matrix `[[a, b, c], [d, e, f]]` of its own, `matrix` [N, 2, 3]:
 * the pixel that lies `(x, y)` from the middle of the result, to the right and down, shows what lies
 * `(a x + b y + c, d x + e y + f)` from the middle of the picture, in pixels. Between pixels it is interpolated
 * bilinearly, beyond the edges the picture goes on mirrored, without end. The result is [N, C, ...size].
 *
 * It is PyTorch's `grid_sample` with `padding_mode="reflection"` and `align_corners=False`.
 * Derivatives of any order are with respect to the pictures; matrices are constants. They must be invertible.
 *
 * @param options.size height and width of the result; as the pictures have them where left out.
 * @throws {RangeError} where the shapes do not fit.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Device, read, tensor, warpAffine } from "../mod.ts";
 * await Device.open();
 * const picture = tensor([1, 2, 3], [1, 1, 1, 3]), mirror = tensor([-1, 0, 0, 0, 1, 0], [1, 2, 3]);
 * const [turned] = await read([warpAffine(picture, mirror)]);
 * assertEquals([...turned], [3, 2, 1]);
 * ```
 */
export function warpAffine(
  x: TensorLike,
  matrix: TensorLike,
  options: { size?: Pair } = {},
): Tensor {
  const input = asFloat("warpAffine", x), by = widened(matrix);
  const [n, c] = input.shape;
  if (input.rank !== 4 || by.dtype !== "f32" || by.shape.join() !== [n, 2, 3].join()) {
    throw new RangeError(
      `Cannot warpAffine tensor ${formatShape(input.shape)} by ${by.dtype} matrices ` +
        `${formatShape(by.shape)}: [N, C, H, W] and [N, 2, 3] are needed`,
    );
  }
  const size = pair(options.size ?? [input.shape[2], input.shape[3]]);
  checkWhole("warpAffine", { size }, { shape: input.shape });
  return new Tensor(warpOp, [input, by], {}, [n, c, ...size], "f32");
}
