// The engine's form of each golden operation.

import {
  abs,
  add,
  amax,
  amin,
  argmax,
  avgPool2d,
  batchNorm,
  batchNormInference,
  binaryCrossEntropyWithLogits,
  clamp,
  concat,
  conv2d,
  convTranspose2d,
  cos,
  crossEntropy,
  detach,
  div,
  elu,
  embedding,
  exp,
  expand,
  flatten,
  flip,
  gather,
  gelu,
  globalAvgPool,
  groupNorm,
  indexSelect,
  instanceNorm,
  l1Loss,
  layerNorm,
  leakyRelu,
  linear,
  log,
  log1p,
  logSoftmax,
  logsumexp,
  matmul,
  maximum,
  maxPool2d,
  mean,
  minimum,
  mseLoss,
  mul,
  ne,
  neg,
  norm,
  oneHot,
  pad,
  permute,
  pixelShuffle,
  pixelUnshuffle,
  pow,
  reciprocal,
  relu,
  reshape,
  rsqrt,
  sigmoid,
  silu,
  sin,
  slice,
  softmax,
  softplus,
  spectralNorm,
  sqrt,
  square,
  std,
  sub,
  sum,
  tanh,
  type Tensor,
  type TensorLike,
  transpose,
  upsampleBilinear,
  upsampleNearest,
  variance,
  where,
} from "../../engine/mod.ts";
import type { Attributes } from "./cases.ts";
import { ganMath } from "./gan_math.ts";
import { similarities } from "./metrics.ts";
import { ofPlugins } from "./plugins.ts";

export type Inputs = Readonly<Record<string, Tensor>>;

/** A result, or one with further results that have no derivatives. */
export type Outcome = Tensor | { readonly out: Tensor; readonly extra: Record<string, Tensor> };

export type Operation = (inputs: Inputs, attributes: Attributes) => Outcome;

const unary = (fn: (x: TensorLike) => Tensor): Operation => ({ x }) => fn(x);
const binary = (fn: (a: TensorLike, b: TensorLike) => Tensor): Operation => ({ a, b }) => fn(a, b);

const elementwise: Record<string, Operation> = {
  add: binary(add),
  sub: binary(sub),
  mul: binary(mul),
  div: binary(div),
  pow: binary(pow),
  maximum: binary(maximum),
  minimum: binary(minimum),
  neg: unary(neg),
  exp: unary(exp),
  log: unary(log),
  log1p: unary(log1p),
  sqrt: unary(sqrt),
  rsqrt: unary(rsqrt),
  abs: unary(abs),
  square: unary(square),
  reciprocal: unary(reciprocal),
  sin: unary(sin),
  cos: unary(cos),
  tanh: unary(tanh),
  sigmoid: unary(sigmoid),
  softplus: unary(softplus),
  relu: unary(relu),
  silu: unary(silu),
  leaky_relu: ({ x }, { slope }) => leakyRelu(x, { negativeSlope: slope }),
  elu: ({ x }, { alpha }) => elu(x, { alpha }),
  gelu: ({ x }, { approximate }) => gelu(x, { approximate }),
  clamp: ({ x }, { min, max }) => clamp(x, { min: min ?? undefined, max: max ?? undefined }),
  pow_scalar: ({ x }, { exponent }) => pow(x, exponent),
  where: ({ cond, a, b }) => where(ne(cond, 0), a, b),
};

type Reduction = (
  x: Tensor,
  options: { dim?: readonly number[]; keepdim: boolean; unbiased?: boolean },
) => Tensor;

const reduction = (fn: Reduction): Operation => ({ x }, { dims, keepdim, unbiased }) =>
  fn(x, { dim: dims ?? undefined, keepdim, unbiased });

const reduce: Record<string, Operation> = {
  sum: reduction(sum),
  mean: reduction(mean),
  amax: reduction(amax),
  amin: reduction(amin),
  var: reduction(variance),
  std: reduction(std),
  norm: reduction(norm),
  logsumexp: reduction(logsumexp),
  softmax: ({ x }, { dim }) => softmax(x, { dim }),
  log_softmax: ({ x }, { dim }) => logSoftmax(x, { dim }),
  argmax: ({ x }, { dim, keepdim }) => argmax(x, { dim, keepdim }),
};

const products: Record<string, Operation> = {
  matmul: ({ a, b }, { transA, transB }) =>
    matmul(a, b, { transposeA: transA, transposeB: transB }),
  linear: ({ x, weight, bias }) => linear(x, weight, { bias }),
  conv2d: ({ x, weight, bias }, { stride, padding, dilation, groups }) =>
    conv2d(x, weight, { bias, stride, padding, dilation, groups }),
  conv_transpose2d: ({ x, weight, bias }, a) =>
    convTranspose2d(x, weight, {
      bias,
      stride: a.stride,
      padding: a.padding,
      outputPadding: a.output_padding,
      dilation: a.dilation,
      groups: a.groups,
    }),
};

const normalization: Record<string, Operation> = {
  batch_norm: (inputs, { training, momentum, eps }) => {
    const { x, weight, bias, running_mean: runningMean, running_var: runningVar } = inputs;
    if (!training) {
      return batchNormInference(x, { mean: runningMean, variance: runningVar, weight, bias, eps });
    }
    const { output, mean, variance } = batchNorm(x, { weight, bias, eps });
    if (!runningMean) return output;
    const count = x.size / mean.size;
    const move = (old: Tensor, batch: Tensor): Tensor =>
      add(mul(old, 1 - momentum), mul(batch, momentum));
    return {
      out: output,
      extra: {
        running_mean: move(runningMean, mean),
        running_var: move(runningVar, mul(variance, count / (count - 1))),
      },
    };
  },
  layer_norm: ({ x, weight, bias }, { normalized_shape: normalizedShape, eps }) =>
    layerNorm(x, { normalizedShape, weight, bias, eps }),
  instance_norm: ({ x, weight, bias }, { eps }) => instanceNorm(x, { weight, bias, eps }),
  group_norm: ({ x, weight, bias }, { groups, eps }) => groupNorm(x, { groups, weight, bias, eps }),
  spectral_norm: ({ weight, u }, { dim, n_power_iterations: iterations, eps }) => {
    const { output, ...extra } = spectralNorm(weight, { u, dim, iterations, eps });
    return { out: output, extra };
  },
};

const spatial: Record<string, Operation> = {
  pixel_shuffle: ({ x }, { r }) => pixelShuffle(x, r),
  pixel_unshuffle: ({ x }, { r }) => pixelUnshuffle(x, r),
  upsample_nearest: ({ x }, { scale }) => upsampleNearest(x, scale),
  upsample_bilinear: ({ x }, { scale }) => upsampleBilinear(x, scale),
  avg_pool2d: ({ x }, { kernel, stride, padding, count_include_pad: countIncludePad }) =>
    avgPool2d(x, { kernelSize: kernel, stride, padding, countIncludePad }),
  max_pool2d: ({ x }, { kernel, stride, padding }) =>
    maxPool2d(x, { kernelSize: kernel, stride, padding }),
  global_avg_pool: unary(globalAvgPool),
};

/** Pairs of amounts, last axis first, as one pair an axis. */
function pairs(amounts: readonly number[], rank: number): [number, number][] {
  return Array.from({ length: rank }, (_, axis) => {
    const at = 2 * (rank - 1 - axis);
    return [amounts[at] ?? 0, amounts[at + 1] ?? 0];
  });
}

const shape: Record<string, Operation> = {
  pad: ({ x }, { pad: amounts, mode, value }) => pad(x, pairs(amounts, x.rank), { mode, value }),
  flip: ({ x }, { dims }) => flip(x, dims),
  slice: ({ x }, { slices }) => slice(x, slices),
  concat: (inputs, { dim }) => concat(Object.keys(inputs).sort().map((k) => inputs[k]), { dim }),
  gather: ({ x, index }, { dim }) => gather(x, index, { dim }),
  index_select: ({ x, index }, { dim }) => indexSelect(x, index, { dim }),
  embedding: ({ index, weight }) => embedding(index, weight),
  one_hot: ({ index }, { num_classes: classes }) => oneHot(index, classes),
  permute: ({ x }, { dims }) => permute(x, dims),
  transpose: ({ x }, { dims }) => transpose(x, dims),
  reshape: ({ x }, { shape }) => reshape(x, shape),
  expand: ({ x }, { shape }) => expand(x, shape),
};

const composite: Record<string, Operation> = {
  mul_self: ({ x }) => mul(x, x),
  matmul_self: ({ x }) => matmul(x, transpose(x, [0, 1])),
  diamond: ({ x, y }) => {
    const p = mul(x, y), q = add(p, x);
    return sub(mul(p, q), exp(neg(q)));
  },
  detach: ({ x }) => add(mul(x, detach(exp(x))), x),
  add_out_of_one: ({ x }) => add(add(x, x), mul(mul(sum(x), 2), x)),
  views_into_matmul: ({ x, w }) => {
    const nhwc = slice(permute(x, [0, 2, 3, 1]), [null, [0, null, 2]]);
    const rows = reshape(nhwc, [nhwc.shape[0] * nhwc.shape[1], -1]);
    return tanh(matmul(rows, transpose(w, [0, 1])));
  },
  views_into_conv: ({ x, y, w }) => {
    const input = transpose(flip(concat([x, y], { dim: 1 }), [3]), [2, 3]);
    return conv2d(input, transpose(w, [0, 1]), { padding: 1 });
  },
  resblock: (i, { eps }) => {
    const half = (x: Tensor, k: number): Tensor =>
      batchNorm(conv2d(x, i[`conv${k}.weight`], { padding: 1 }), {
        weight: i[`bn${k}.weight`],
        bias: i[`bn${k}.bias`],
        eps,
      }).output;
    return add(i.x, half(relu(half(i.x, 1)), 2));
  },
  softmax_attention: (i) => {
    const [n, , h, w] = i.q.shape;
    const [q, k, v] = [i.q, i.k, i.v].map((x) => flatten(x, { start: 2 }));
    const attention = softmax(matmul(q, k, { transposeA: true }), { dim: -1 });
    return reshape(matmul(v, attention, { transposeB: true }), [n, -1, h, w]);
  },
};

const losses: Record<string, Operation> = {
  bce_with_logits: ({ x, target }) => binaryCrossEntropyWithLogits(x, target),
  bce_with_logits_const: ({ x }, { target }) => binaryCrossEntropyWithLogits(x, target),
  cross_entropy: ({ x, y }) => crossEntropy(x, y),
  mse: ({ x, y }) => mseLoss(x, y),
  l1: ({ x, y }) => l1Loss(x, y),
  hinge_d: ({ real, fake }) => add(mean(relu(sub(1, real))), mean(relu(add(fake, 1)))),
  hinge_g: ({ fake }) => neg(mean(fake)),
  wasserstein_d: ({ real, fake }) => sub(mean(fake), mean(real)),
  lsgan_d: ({ real, fake }) =>
    add(mul(mean(square(sub(real, 1))), 0.5), mul(mean(square(fake)), 0.5)),
  nonsaturating_d: ({ real, fake }) => add(mean(softplus(neg(real))), mean(softplus(fake))),
};

/** Every operation by its golden name. */
export const operations: Readonly<Record<string, Operation>> = {
  ...elementwise,
  ...reduce,
  ...products,
  ...normalization,
  ...spatial,
  ...shape,
  ...composite,
  ...losses,
  ...ganMath,
  ...ofPlugins,
  ...similarities,
};
