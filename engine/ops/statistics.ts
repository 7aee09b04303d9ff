// Summaries over axes, made of sums, extremes and moments.

import { formatShape } from "../dtype.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { asFloat } from "./cast.ts";
import { add, detach, exp, gt, log, mul, neg, sqrt, square, sub, where } from "./elementwise.ts";
import { moments } from "./moments.ts";
import { reshape } from "./movement.ts";
import { amax, reducedShapes, type ReduceOptions, sum } from "./reduce.ts";
import { asTensor } from "./source.ts";

/** The mean over axes. */
export function mean(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const input = asTensor(x);
  reducedShapes("mean", input, options);
  const total = sum(input, options);
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
  return named("variance", x, options);
}

/** The standard deviation over axes: the root of {@linkcode variance}. */
export function std(x: TensorLike, options: VarianceOptions = {}): Tensor {
  return sqrt(named("std", x, options));
}

/** The variance, for an op of some name. */
function named(name: string, x: TensorLike, options: VarianceOptions): Tensor {
  const input = asFloat(name, x);
  const { dims, kept, squeezed } = reducedShapes(name, input, options);
  const biased = moments(input, { dim: dims }).variance;
  const result = reshape(biased, options.keepdim ? kept : squeezed);
  if (options.unbiased === false) return result;
  const count = input.size / result.size;
  if (count === 1) {
    throw new RangeError(
      `Cannot ${name} tensor ${formatShape(input.shape)} over axes ${formatShape(dims)}: single ` +
        `elements have no unbiased variance`,
    );
  }
  return mul(result, count / (count - 1));
}

/** The Euclidean length over axes; its derivative is 0 where the length is 0. */
export function norm(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const input = asFloat("norm", x);
  reducedShapes("norm", input, options);
  const squares = sum(square(input), options);
  const positive = gt(squares, 0);
  // The root sees a 1 in place of each 0: 0 times an infinite derivative is no number.
  return where(positive, sqrt(where(positive, squares, 1)), 0);
}

/** The smallest element over axes; equal minima share the gradient evenly. */
export function amin(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const input = asFloat("amin", x);
  reducedShapes("amin", input, options);
  return neg(amax(neg(input), options));
}

/** `log(sum(exp(x)))` over axes, without overflow. */
export function logsumexp(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const input = asFloat("logsumexp", x);
  reducedShapes("logsumexp", input, options);
  const largest = detach(amax(input, { dim: options.dim, keepdim: true }));
  const total = log(sum(exp(sub(input, largest)), options));
  return add(total, reshape(largest, total.shape));
}
