// The differentiable vocabulary.

export * from "./composite.ts";
export { conv2d, type ConvOptions, convTranspose2d, type Pair } from "./conv2d.ts";
export { cast } from "./cast.ts";
export {
  abs,
  add,
  cos,
  detach,
  div,
  eq,
  erf,
  exp,
  expm1,
  floor,
  ge,
  gt,
  le,
  leakyRelu,
  log,
  log1p,
  lt,
  maximum,
  minimum,
  mul,
  ne,
  neg,
  pow,
  reciprocal,
  relu,
  rsqrt,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  square,
  sub,
  tanh,
  where,
} from "./elementwise.ts";
export { matmul, type MatmulOptions } from "./matmul.ts";
export { moments } from "./moments.ts";
export { concat, expand, flip, gather, permute, type Range, reshape, slice } from "./movement.ts";
export { pad, type PadOptions } from "./padding.ts";
export { Generator } from "./random.ts";
export { amax, argmax, type ReduceOptions, sum } from "./reduce.ts";
export { arange, full } from "./source.ts";
export { warpAffine } from "./warp_affine.ts";
