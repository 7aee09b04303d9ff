// The door of the ops that are made of other ops, and have no kernels or derivatives of their own.

export { clamp, elu, gelu, silu } from "./activations.ts";
export { embedding, indexSelect, oneHot } from "./indexing.ts";
export { linear } from "./linear.ts";
export { binaryCrossEntropyWithLogits, crossEntropy, l1Loss, mseLoss } from "./losses.ts";
export {
  type AffineOptions,
  batchNorm,
  batchNormInference,
  groupNorm,
  instanceNorm,
  layerNorm,
  type SpectralNorm,
  spectralNorm,
} from "./normalization.ts";
export { logSoftmax, softmax } from "./softmax.ts";
export {
  avgPool2d,
  globalAvgPool,
  maxPool2d,
  pixelShuffle,
  pixelUnshuffle,
  type PoolOptions,
  resizeBilinear,
  upsampleBilinear,
  upsampleNearest,
} from "./spatial.ts";
export { amin, logsumexp, mean, norm, std, variance, type VarianceOptions } from "./statistics.ts";
export { flatten, squeeze, stack, transpose, unsqueeze } from "./views.ts";
