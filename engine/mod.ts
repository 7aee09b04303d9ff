/**
 * A tensor engine on WebGPU: lazy tensors, gradients of any order, and functions compiled to replayed plans of
 * kernels.
 *
 * @module
 */

export { type DType, type Shape, sizeOf, type TypedArray } from "./dtype.ts";
export { Tensor, tensor, type TensorLike } from "./tensor.ts";
export { Variable } from "./variable.ts";
export { dependsOn, grad, type GradOptions } from "./grad.ts";
export { compile, type Compiled, type Footprint, read, type Results } from "./compile/compile.ts";
export { type Estimate, type EstimateOptions } from "./compile/estimate.ts";
export { type KernelSite } from "./compile/lower.ts";
export { type AdapterDescription, identify } from "./runtime/adapter.ts";
export {
  type BindingKind,
  type Compilations,
  Device,
  DeviceLostError,
  type DeviceMemory,
  type DeviceOptions,
  NoAdapterError,
  type TextureKind,
} from "./runtime/device.ts";
export { type KernelLimits, type Precision, type Subgroups } from "./kernels/dispatch.ts";
export { KernelVariants, type VariantChoice } from "./kernels/variant.ts";
export { checkTable, siteKey, type TuningEntry, type TuningTable } from "./tuning/table.ts";
export { tune, type TunedKernel, type TuneOptions, type TuneResult } from "./tuning/tune.ts";
export * from "./ops/mod.ts";
export * from "./nn/mod.ts";
export * from "./optim/mod.ts";
export * from "./safetensors.ts";
