// Normalisation: elements are centred and scaled by their mean and variance over some axes, then by a
// learned gain and shift. What differs is the axes.
//
// The factor of each group is formed first, so that backward needs nothing but reductions of the
// gradient and of the gradient times the centred input.

import { checkWhole, formatShape, resolveAxis, sameShape, type Shape } from "../dtype.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { asFloat } from "./cast.ts";
import { add, detach, div, maximum, mul, rsqrt, sub } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { moments } from "./moments.ts";
import { permute, reshape } from "./movement.ts";
import { sum } from "./reduce.ts";
import { asTensor } from "./source.ts";
import { norm } from "./statistics.ts";

/** The learned part, and the constant under the root. */
export interface AffineOptions {
  /** Gain; 1 where left out. */
  readonly weight?: TensorLike;
  /** Shift; 0 where left out. */
  readonly bias?: TensorLike;
  /** Added to the variance; 1e-5 where left out. */
  readonly eps?: number;
}

const EPS = 1e-5;

/** The shape of one number a channel that broadcasts over `x`: [1, C, 1, 1] for four axes. */
function perChannel(x: Tensor): Shape {
  return x.shape.map((length, axis) => axis === 1 ? length : 1);
}

/** `(x - mean) / sqrt(variance + eps) * weight + bias`; statistics and affine part broadcast over x. */
function normalize(
  x: Tensor,
  { mean, variance, weight, bias, eps }: AffineOptions & { mean: Tensor; variance: Tensor },
): Tensor {
  const deviation = rsqrt(add(variance, eps ?? EPS));
  const scale = weight === undefined ? deviation : mul(deviation, weight);
  const y = mul(sub(x, mean), scale);
  return bias === undefined ? y : add(y, bias);
}

/** The affine part of an op on channels, in the shape that broadcasts over `x`. */
function channelAffine(name: string, x: Tensor, options: AffineOptions): AffineOptions {
  if (x.rank < 2) {
    throw new RangeError(
      `Cannot ${name} tensor ${formatShape(x.shape)}: axis 1, channels, is missing`,
    );
  }
  const shaped = (part: TensorLike | undefined) =>
    part === undefined ? undefined : channelVector(name, x, part);
  return { weight: shaped(options.weight), bias: shaped(options.bias), eps: options.eps };
}

function channelVector(name: string, x: Tensor, part: TensorLike): Tensor {
  const vector = asFloat(name, part);
  if (vector.rank !== 1 || vector.size !== x.shape[1]) {
    throw new RangeError(
      `Cannot ${name} tensor ${formatShape(x.shape)} with a vector of shape ` +
        `${formatShape(vector.shape)}: [${x.shape[1]}] is needed, one number a channel`,
    );
  }
  return reshape(vector, perChannel(x));
}

/**
 * Batch normalisation in training (Ioffe & Szegedy 2015, algorithm 1): each channel by the statistics
 * of this batch.
 *
 * @param x [N, C, ...]
 * @returns the result, and the batch's mean and biased variance, both [C].
 */
export function batchNorm(
  x: TensorLike,
  options: AffineOptions = {},
): { output: Tensor; mean: Tensor; variance: Tensor } {
  const input = asFloat("batchNorm", x);
  const affine = channelAffine("batchNorm", input, options);
  const { mean, variance } = moments(input, { dim: axesWithout(input, [1]) });
  return {
    output: normalize(input, { ...affine, mean, variance }),
    mean: reshape(mean, [input.shape[1]]),
    variance: reshape(variance, [input.shape[1]]),
  };
}

/** Batch normalisation in use: each channel of `x` [N, C, ...] by given statistics [C]. */
export function batchNormInference(
  x: TensorLike,
  options: AffineOptions & { mean: TensorLike; variance: TensorLike },
): Tensor {
  const name = "batchNormInference", input = asFloat(name, x);
  return normalize(input, {
    ...channelAffine(name, input, options),
    mean: channelVector(name, input, options.mean),
    variance: channelVector(name, input, options.variance),
  });
}

/**
 * Layer normalisation (Ba et al. 2016, section 3): each sample over its last axes.
 *
 * @param options.normalizedShape the lengths of those axes, also the shape of weight and bias.
 * @throws {RangeError} where `x` does not end in them.
 */
export function layerNorm(
  x: TensorLike,
  options: AffineOptions & { normalizedShape: Shape },
): Tensor {
  const input = asFloat("layerNorm", x), { normalizedShape } = options;
  const first = input.rank - normalizedShape.length;
  if (first === input.rank || !sameShape(normalizedShape, input.shape.slice(Math.max(0, first)))) {
    throw new RangeError(
      `Cannot layerNorm tensor ${formatShape(input.shape)} over ${formatShape(normalizedShape)}: ` +
        `its last axes differ`,
    );
  }
  for (const part of [options.weight, options.bias]) {
    if (part === undefined || sameShape(asTensor(part).shape, normalizedShape)) continue;
    throw new RangeError(
      `Cannot layerNorm tensor ${formatShape(input.shape)} with a weight or bias of shape ` +
        `${formatShape(asTensor(part).shape)}: ${formatShape(normalizedShape)} is needed`,
    );
  }
  const dim = normalizedShape.map((_, axis) => first + axis);
  return normalize(input, { ...options, ...moments(input, { dim }) });
}

/**
 * Instance normalisation (Ulyanov et al. 2016): each channel of each sample of `x` [N, C, ...].
 *
 * @throws {RangeError} where a channel of a sample is a single element.
 */
export function instanceNorm(x: TensorLike, options: AffineOptions = {}): Tensor {
  const input = asFloat("instanceNorm", x);
  const affine = channelAffine("instanceNorm", input, options);
  if (input.rank < 3) {
    throw new RangeError(
      `Cannot instanceNorm tensor ${formatShape(input.shape)}: [N, C, ...] is needed`,
    );
  }
  return normalize(input, { ...affine, ...moments(input, { dim: axesWithout(input, [0, 1]) }) });
}

/**
 * Group normalisation (Wu & He 2018, section 3.1): each of `groups` runs of channels of each sample
 * of `x` [N, C, ...].
 *
 * @throws {RangeError} where the channels do not divide into the groups.
 */
export function groupNorm(
  x: TensorLike,
  options: AffineOptions & { groups: number },
): Tensor {
  const input = asFloat("groupNorm", x), { groups } = options;
  const { weight, bias, eps } = channelAffine("groupNorm", input, options);
  checkWhole("groupNorm", { groups }, { shape: input.shape });
  if (input.shape[1] % groups !== 0) {
    throw new RangeError(
      `Cannot groupNorm tensor ${formatShape(input.shape)} in ${groups} groups: ` +
        `${input.shape[1]} channels do not divide into them`,
    );
  }
  const grouped = reshape(input, [input.shape[0], groups, -1]);
  const y = reshape(
    normalize(grouped, { eps, ...moments(grouped, { dim: 2 }) }),
    input.shape,
  );
  const scaled = weight === undefined ? y : mul(y, weight);
  return bias === undefined ? scaled : add(scaled, bias);
}

/** What {@linkcode spectralNorm} gives. */
export interface SpectralNorm {
  /** The weight divided by sigma. */
  readonly output: Tensor;
  /** The estimate of the largest singular value, a scalar. */
  readonly sigma: Tensor;
  /** The left singular vector's estimate, [rows]: the next call starts from it. */
  readonly u: Tensor;
  /** The right singular vector's estimate, [columns]. */
  readonly v: Tensor;
}

/**
 * A weight divided by its largest singular value, estimated by power iteration (Miyato et al. 2018,
 * algorithm 1). The vectors are constants for differentiation, sigma is not.
 *
 * @param options.u the estimate to start from, [weight.shape[dim]].
 * @param options.dim the axis that counts the rows of the matrix; 1 for transposed convolutions.
 * @param options.iterations steps of the power iteration, 1; with 0 `u` is taken as it is.
 * @throws {RangeError} where `u` has not one number a row, or `weight` is no matrix.
 */
export function spectralNorm(
  weight: TensorLike,
  options: { u: TensorLike; dim?: number; iterations?: number; eps?: number },
): SpectralNorm {
  const { iterations = 1, eps = 1e-12 } = options;
  const w = asFloat("spectralNorm", weight), start = asFloat("spectralNorm", options.u);
  const dim = resolveAxis("spectralNorm", options.dim ?? 0, { shape: w.shape });
  checkWhole("spectralNorm", { iterations }, { shape: w.shape, least: 0 });
  if (w.rank < 2 || !sameShape(start.shape, [w.shape[dim]])) {
    throw new RangeError(
      `Cannot spectralNorm tensor ${formatShape(w.shape)} along axis ${dim} from u ` +
        `${formatShape(start.shape)}: at least two axes, and one number a row, are needed`,
    );
  }
  const matrix = reshape(permute(w, [dim, ...axesWithout(w, [dim])]), [w.shape[dim], -1]);
  const fixed = detach(matrix);
  const unit = (t: Tensor): Tensor => div(t, maximum(norm(t), eps));
  let u = detach(start), v = unit(matmul(u, fixed));
  for (let i = 0; i < iterations; i++) {
    if (i > 0) v = unit(matmul(u, fixed));
    u = unit(matmul(fixed, v));
  }
  const sigma = sum(mul(u, matmul(matrix, v)));
  return { output: div(w, sigma), sigma, u, v };
}

function axesWithout(x: Tensor, axes: readonly number[]): number[] {
  return x.shape.flatMap((_, axis) => axes.includes(axis) ? [] : [axis]);
}
