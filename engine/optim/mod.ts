// What moves parameters.

export { Adam, type AdamOptions } from "./adam.ts";
export { AdamW } from "./adamw.ts";
export { clipGradNorm, type ClippedGradients } from "./clip_grad_norm.ts";
export { ExponentialMovingAverage } from "./exponential_moving_average.ts";
export {
  Optimizer,
  type OptimizerOptions,
  type ParameterState,
  type UpdateRule,
} from "./optimizer.ts";
export { RMSprop, type RMSpropOptions } from "./rmsprop.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
