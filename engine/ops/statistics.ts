// Summaries over axes, made of sums, extremes and moments.

import type { Tensor, TensorLike } from "../tensor.ts";
import { add, detach, exp, gt, log, mul, neg, sqrt, square, sub, where } from "./elementwise.ts";
import { moments } from "./moments.ts";
import { reshape } from "./movement.ts";
import { amax, reducedShapes, type ReduceOptions, sum } from "./reduce.ts";
import { asTensor } from "./source.ts";

/** The mean over axes. */
export function mean(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const input = asTensor(x), total = sum(input, options);
  return mul(total, total.size / input.size);
}

/** What {@linkcode variance} and {@linkcode std} take. */
export interface VarianceOptions extends ReduceOptions {
  /** Divide by n - 1 (the default) and not by n. */
  readonly unbiased?: boolean;
}

/**
 * The variance over axes, taken around the mean: an offset of all elements does not spoil it.
 *
 * @throws {RangeError} where it is unbiased and of a single element.
 */
export function variance(x: TensorLike, options: VarianceOptions = {}): Tensor {
  const input = asTensor(x);
  const { dims, kept, squeezed } = reducedShapes("variance", input, options);
  const biased = moments(input, { dim: dims }).variance;
  const result = reshape(biased, options.keepdim ? kept : squeezed);
  if (options.unbiased === false) return result;
  const count = input.size / result.size;
  if (count === 1) {
    throw new RangeError(`Cannot take the unbiased variance of single elements of ${input}`);
  }
  return mul(result, count / (count - 1));
}

/** The standard deviation over axes: the root of {@linkcode variance}. */
export function std(x: TensorLike, options: VarianceOptions = {}): Tensor {
  return sqrt(variance(x, options));
}

/** The Euclidean length over axes; its derivative is 0 where the length is 0. */
export function norm(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const squares = sum(square(x), options);
  const positive = gt(squares, 0);
  // The root sees a 1 in place of each 0: 0 times an infinite derivative is no number.
  return where(positive, sqrt(where(positive, squares, 1)), 0);
}

/** The smallest element over axes; equal minima share the gradient evenly. */
export function amin(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return neg(amax(neg(x), options));
}

/** `log(sum(exp(x)))` over axes, without overflow. */
export function logsumexp(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const input = asTensor(x);
  const largest = detach(amax(input, { dim: options.dim, keepdim: true }));
  const total = log(sum(exp(sub(input, largest)), options));
  return add(total, reshape(largest, total.shape));
}
