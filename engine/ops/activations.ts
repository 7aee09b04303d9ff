// Activations made of simpler arithmetic. Where a derivative jumps, it is PyTorch's at the jump.

import { formatShape } from "../dtype.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { asFloat } from "./cast.ts";
import { add, erf, expm1, gt, lt, mul, pow, sigmoid, tanh, where } from "./elementwise.ts";

/**
 * `x` kept within bounds; derivative 1 at the bounds themselves.
 *
 * @throws {RangeError} where no bounds are given, or `min` is above `max`.
 */
export function clamp(x: TensorLike, bounds: { min?: number; max?: number }): Tensor {
  let result = asFloat("clamp", x);
  const { min = -Infinity, max = Infinity } = bounds;
  if (!(min <= max) || (bounds.min === undefined && bounds.max === undefined)) {
    throw new RangeError(
      `Cannot clamp tensor ${formatShape(result.shape)} between ${bounds.min} and ${bounds.max}: ` +
        `a lower bound, a higher one, or both are needed`,
    );
  }
  if (bounds.min !== undefined) result = where(lt(result, bounds.min), bounds.min, result);
  if (bounds.max !== undefined) result = where(gt(result, bounds.max), bounds.max, result);
  return result;
}

/** `x` where positive, else `alpha * (e^x - 1)` (Clevert et al. 2016, section 3). */
export function elu(x: TensorLike, options: { alpha?: number } = {}): Tensor {
  const input = asFloat("elu", x), positive = gt(input, 0);
  // The exponential sees a 0 in place of positive elements, where it might overflow.
  return where(positive, input, mul(expm1(where(positive, 0, input)), options.alpha ?? 1));
}

/** `x * sigmoid(x)`, also called swish. */
export function silu(x: TensorLike): Tensor {
  const input = asFloat("silu", x);
  return mul(input, sigmoid(input));
}

/**
 * `x` times the normal distribution's probability of a value below `x` (Hendrycks & Gimpel 2016,
 * section 2), or with `approximate: "tanh"` their approximation of it.
 */
export function gelu(x: TensorLike, options: { approximate?: "none" | "tanh" } = {}): Tensor {
  const input = asFloat("gelu", x);
  const bell = options.approximate === "tanh"
    ? tanh(mul(add(input, mul(pow(input, 3), 0.044715)), Math.sqrt(2 / Math.PI)))
    : erf(mul(input, Math.SQRT1_2));
  return mul(mul(input, 0.5), add(bell, 1));
}
