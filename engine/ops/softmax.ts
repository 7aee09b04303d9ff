// Softmax and its logarithm. The largest element is taken off first, as a constant: the result does
// not depend on it, so neither does any derivative.

import { resolveAxis } from "../dtype.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { asFloat } from "./cast.ts";
import { detach, div, exp, log, sub } from "./elementwise.ts";
import { amax, sum } from "./reduce.ts";

function shifted(name: string, x: TensorLike, dim: number): Tensor {
  const input = asFloat(name, x);
  resolveAxis(name, dim, { shape: input.shape });
  return sub(input, detach(amax(input, { dim, keepdim: true })));
}

/** `exp(x) / sum(exp(x))` along one axis, without overflow. */
export function softmax(x: TensorLike, options: { dim: number }): Tensor {
  const e = exp(shifted("softmax", x, options.dim));
  return div(e, sum(e, { dim: options.dim, keepdim: true }));
}

/** `log(softmax(x))` along one axis, accurate where the softmax itself would be 0. */
export function logSoftmax(x: TensorLike, options: { dim: number }): Tensor {
  const s = shifted("logSoftmax", x, options.dim);
  return sub(s, log(sum(exp(s), { dim: options.dim, keepdim: true })));
}
