// The linear map of a layer.

import { formatShape } from "../dtype.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { asFloat } from "./cast.ts";
import { add } from "./elementwise.ts";
import { matmul } from "./matmul.ts";

/**
 * `x @ transpose(weight) + bias` over the last axis of `x`: [..., in] to [..., out].
 *
 * @param weight [out, in]
 * @throws {RangeError} where the lengths `in` differ, or there is not one bias for each of `out`.
 */
export function linear(
  x: TensorLike,
  weight: TensorLike,
  options: { bias?: TensorLike } = {},
): Tensor {
  const input = asFloat("linear", x), matrix = asFloat("linear", weight);
  const bias = options.bias === undefined ? undefined : asFloat("linear", options.bias);
  const fits = input.rank > 0 && matrix.rank === 2 && matrix.shape[1] === input.shape.at(-1) &&
    (bias === undefined || (bias.rank === 1 && bias.size === matrix.shape[0]));
  if (!fits) {
    throw new RangeError(
      `Cannot linear tensor ${formatShape(input.shape)} by weight ${formatShape(matrix.shape)}` +
        `${bias === undefined ? "" : ` and bias ${formatShape(bias.shape)}`}: [..., in] by ` +
        `[out, in] and [out] is needed`,
    );
  }
  const y = matmul(input, matrix, { transposeB: true });
  return bias === undefined ? y : add(y, bias);
}
