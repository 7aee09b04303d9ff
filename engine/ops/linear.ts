// The linear map of a layer.

import type { Tensor, TensorLike } from "../tensor.ts";
import { add } from "./elementwise.ts";
import { matmul } from "./matmul.ts";

/**
 * `x @ transpose(weight) + bias` over the last axis of `x`: [..., in] to [..., out].
 *
 * @param weight [out, in]
 * @throws {RangeError} where the lengths `in` differ.
 */
export function linear(
  x: TensorLike,
  weight: TensorLike,
  options: { bias?: TensorLike } = {},
): Tensor {
  const y = matmul(x, weight, { transposeB: true });
  return options.bias === undefined ? y : add(y, options.bias);
}
