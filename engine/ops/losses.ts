// Losses, each a mean over the batch as PyTorch takes it, finite for logits of any size.

import { formatShape, sameShape } from "../dtype.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { asFloat } from "./cast.ts";
import { abs, add, eq, mul, neg, softplus, square, sub, where } from "./elementwise.ts";
import { reshape } from "./movement.ts";
import { sum } from "./reduce.ts";
import { logSoftmax } from "./softmax.ts";
import { arange, asTensor } from "./source.ts";
import { mean } from "./statistics.ts";
import { unsqueeze } from "./views.ts";

/**
 * Binary cross entropy of probabilities `sigmoid(x)` and a target in [0, 1], one number for all or
 * one an element; mean over all elements.
 *
 * @throws {RangeError} where a target tensor has another shape than `x`.
 */
export function binaryCrossEntropyWithLogits(x: TensorLike, target: TensorLike): Tensor {
  const logits = asFloat("binaryCrossEntropyWithLogits", x);
  // -log(sigmoid(x)) = softplus(-x). Two terms of one sign: softplus(x) - x * t would cancel.
  if (target === 1) return mean(softplus(neg(logits)));
  if (target === 0) return mean(softplus(logits));
  const t = asFloat("binaryCrossEntropyWithLogits", target);
  if (typeof target !== "number") requireSameShape("binaryCrossEntropyWithLogits", logits, t);
  return mean(add(mul(softplus(neg(logits)), t), mul(softplus(logits), sub(1, t))));
}

/**
 * Cross entropy of class logits [N, K] or [N, K, ...] and i32 labels [N] or [N, ...]; mean over all
 * labels.
 *
 * @throws {RangeError} where the shapes do not belong together.
 */
export function crossEntropy(logits: TensorLike, labels: TensorLike): Tensor {
  const x = asFloat("crossEntropy", logits), y = asTensor(labels);
  if (x.rank < 2 || y.dtype !== "i32" || !sameShape(x.shape.toSpliced(1, 1), y.shape)) {
    throw new RangeError(
      `Cannot crossEntropy logits ${formatShape(x.shape)} and ${y.dtype} labels ` +
        `${formatShape(y.shape)}: i32 labels of the logits' shape without axis 1 are needed`,
    );
  }
  const classes = reshape(arange(x.shape[1]), x.shape.map((_, axis) => axis === 1 ? -1 : 1));
  const chosen = where(eq(unsqueeze(y, 1), classes), logSoftmax(x, { dim: 1 }), 0);
  return mul(sum(chosen), -1 / y.size);
}

/** The mean squared difference over all elements. */
export function mseLoss(x: TensorLike, target: TensorLike): Tensor {
  return mean(square(difference("mseLoss", x, target)));
}

/** The mean absolute difference over all elements; derivative 0 where they are equal. */
export function l1Loss(x: TensorLike, target: TensorLike): Tensor {
  return mean(abs(difference("l1Loss", x, target)));
}

function difference(name: string, x: TensorLike, target: TensorLike): Tensor {
  const a = asFloat(name, x), b = asFloat(name, target);
  if (typeof target !== "number") requireSameShape(name, a, b);
  return sub(a, b);
}

/** Broadcasting a target would hide a mistake: [N] against [N, 1] makes N * N pairs. */
function requireSameShape(name: string, x: Tensor, target: Tensor): void {
  if (sameShape(x.shape, target.shape)) return;
  throw new RangeError(
    `Cannot ${name} tensor ${formatShape(x.shape)} and target ${formatShape(target.shape)}: ` +
      `the shapes must be equal`,
  );
}
