// Layers of networks, on top of the ops.

export { Dropout, LeakyReLU, PixelShuffle, ReLU, Tanh } from "./activations.ts";
export { BatchNorm2d } from "./batch_norm.ts";
export { Conv2d, type Conv2dOptions, ConvTranspose2d } from "./conv2d.ts";
export { Embedding } from "./embedding.ts";
export { HostGenerator } from "./host_generator.ts";
/** Initial weights, drawn on the host: the same seed gives the same weights on every machine. */
export * as init from "./init.ts";
export { Linear } from "./linear.ts";
export { type HostState, type Layer, Module, Parameter } from "./module.ts";
export { philox4x32 } from "./philox.ts";
export { Sequential } from "./sequential.ts";
export { type Parametrization, WeightedLayer } from "./weighted_layer.ts";
export { type WeightOptions } from "./weights.ts";
