// Activations made of simpler arithmetic. Where a derivative jumps, it is PyTorch's at the jump.

import type { Tensor, TensorLike } from "../tensor.ts";
import { add, erf, expm1, gt, lt, mul, pow, sigmoid, tanh, where } from "./elementwise.ts";
import { asTensor } from "./source.ts";

/** `x` kept within bounds; derivative 1 at the bounds themselves. */
export function clamp(x: TensorLike, bounds: { min?: number; max?: number }): Tensor {
  let result = asTensor(x);
  if (bounds.min !== undefined) result = where(lt(result, bounds.min), bounds.min, result);
  if (bounds.max !== undefined) result = where(gt(result, bounds.max), bounds.max, result);
  return result;
}

/** `x` where positive, else `alpha * (e^x - 1)` (Clevert et al. 2016, section 3). */
export function elu(x: TensorLike, options: { alpha?: number } = {}): Tensor {
  const input = asTensor(x), positive = gt(input, 0);
  // The exponential sees a 0 in place of positive elements, where it might overflow.
  return where(positive, input, mul(expm1(where(positive, 0, input)), options.alpha ?? 1));
}

/** `x * sigmoid(x)`, also called swish. */
export function silu(x: TensorLike): Tensor {
  return mul(x, sigmoid(x));
}

/**
 * `x` times the normal distribution's probability of a value below `x` (Hendrycks & Gimpel 2016,
 * section 2), or with `approximate: "tanh"` their approximation of it.
 */
export function gelu(x: TensorLike, options: { approximate?: "none" | "tanh" } = {}): Tensor {
  const bell = options.approximate === "tanh"
    ? tanh(mul(add(x, mul(pow(asTensor(x), 3), 0.044715)), Math.sqrt(2 / Math.PI)))
    : erf(mul(x, Math.SQRT1_2));
  return mul(mul(x, 0.5), add(bell, 1));
}
