// A convolution and its gradients for GPUs: implicit GEMM on tiles in workgroup memory.

import forwardOperands from "../../shaders/conv2d_tiled.wgsl" with { type: "text" };
import inputGradOperands from "../../shaders/conv2d_input_grad_tiled.wgsl" with { type: "text" };
import weightGradOperands from "../../shaders/conv2d_weight_grad_tiled.wgsl" with { type: "text" };
import {
  conv2dFlops,
  type Conv2dGeometry,
  conv2dPhases,
  conv2dValues,
  describeConv2d,
} from "./conv2d_geometry.ts";
import {
  conv2dInputGradRowsTiled,
  conv2dRowsTiled,
  conv2dWeightGradRowsTiled,
  inputGradRowsFit,
  rowsFit,
  rowsVariant,
  weightGradRowsFit,
} from "./conv2d_rows_tiled.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { type TiledGemm, tiledGemm } from "./gemm_tiled.ts";
import { tiledCandidates } from "./gemm_tiled_forms.ts";

/** The output of a convolution; to few channels, unless the variant says else, not as a product. */
export function conv2dTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: { x: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  if (rowsFit(g) && takesRows(ctx)) return conv2dRowsTiled(ctx, g, slots);
  return tiledGemm(ctx, conv2dGemm(g), { a: slots.weight, b: slots.x, out: slots.out });
}

/** The variants of {@linkcode conv2dTiled} for a geometry, by the guess from the best to the worst. */
export function conv2dTiledCandidates(ctx: KernelContext, g: Conv2dGeometry): string[] {
  return [...rowsFit(g) ? [rowsVariant] : [], ...tiledCandidates(ctx, conv2dGemm(g))];
}

/** The gradient for the input: the parities of a strided one are slices; for few channels as above. */
export function conv2dInputGradTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: { grad: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  if (inputGradRowsFit(g) && takesRows(ctx)) return conv2dInputGradRowsTiled(ctx, g, slots);
  const { grad, weight, out } = slots;
  return tiledGemm(ctx, conv2dInputGradGemm(g), { a: weight, b: grad, out });
}

/** The variants of {@linkcode conv2dInputGradTiled} for a geometry, by the guess from the best to the worst. */
export function conv2dInputGradTiledCandidates(ctx: KernelContext, g: Conv2dGeometry): string[] {
  return [
    ...inputGradRowsFit(g) ? [rowsVariant] : [],
    ...tiledCandidates(ctx, conv2dInputGradGemm(g)),
  ];
}

/** The gradient for the weight; of few output channels as above. */
export function conv2dWeightGradTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: { x: Slot; grad: Slot; out: Slot },
): Dispatch[] {
  if (weightGradRowsFit(g) && takesRows(ctx)) return conv2dWeightGradRowsTiled(ctx, g, slots);
  const { x, grad, out } = slots;
  return tiledGemm(ctx, conv2dWeightGradGemm(g), { a: grad, b: x, out });
}

/** The variants of {@linkcode conv2dWeightGradTiled} for a geometry, by the guess from the best to the worst. */
export function conv2dWeightGradTiledCandidates(ctx: KernelContext, g: Conv2dGeometry): string[] {
  return [
    ...weightGradRowsFit(g) ? [rowsVariant] : [],
    ...tiledCandidates(ctx, conv2dWeightGradGemm(g)),
  ];
}

const takesRows = ({ variant = "tiled" }: KernelContext): boolean =>
  variant === "tiled" || variant === rowsVariant;

/** The product that {@linkcode conv2dTiled} launches. */
export function conv2dGemm(geometry: Conv2dGeometry): TiledGemm {
  const g = flattened(geometry), plane = g.outputSize[0] * g.outputSize[1];
  return {
    ...described("conv2d", geometry),
    operands: forwardOperands,
    values: { ...conv2dValues(g), POSITIONS: g.outputSize[1] % 4 === 0 ? 1 : 4 },
    m: g.outChannels,
    n: g.batch * plane,
    k: g.inChannels * g.kernel[0] * g.kernel[1],
    slices: 1,
    aAlongK: true,
    bAlongK: false,
    quads: { a: false, b: pointwise(g) && plane % 4 === 0, result: plane % 4 === 0 },
  };
}

/** The product that {@linkcode conv2dInputGradTiled} launches. */
export function conv2dInputGradGemm(geometry: Conv2dGeometry): TiledGemm {
  const g = flattened(geometry), plane = g.inputSize[0] * g.inputSize[1];
  const vertical = conv2dPhases(g, 0), horizontal = conv2dPhases(g, 1);
  const slices = g.stride[0] * g.stride[1];
  return {
    ...described("conv2dInputGrad", geometry),
    operands: inputGradOperands,
    values: {
      ...conv2dValues(g),
      ...{ TAPS_H: vertical.taps, STEP_H: vertical.step, U_H: vertical.count },
      ...{ TAPS_W: horizontal.taps, STEP_W: horizontal.step, U_W: horizontal.count },
      POSITIONS: horizontal.count % 4 === 0 ? 1 : 4,
    },
    m: g.inChannels,
    n: g.batch * vertical.count * horizontal.count,
    k: g.outChannels * vertical.taps * horizontal.taps,
    slices,
    aAlongK: !pointwise(g),
    bAlongK: false,
    quads: {
      a: pointwise(g) && g.inChannels % 4 === 0,
      b: pointwise(g) && plane % 4 === 0,
      result: slices === 1 && plane % 4 === 0,
    },
  };
}

/** The product that {@linkcode conv2dWeightGradTiled} launches. */
export function conv2dWeightGradGemm(geometry: Conv2dGeometry): TiledGemm {
  const g = flattened(geometry), n = g.inChannels * g.kernel[0] * g.kernel[1];
  return {
    ...described("conv2dWeightGrad", geometry),
    operands: weightGradOperands,
    values: conv2dValues(g),
    m: g.outChannels,
    n,
    k: g.batch * g.outputSize[0] * g.outputSize[1],
    slices: 1,
    aAlongK: true,
    bAlongK: true,
    quads: { a: false, b: false, result: n % 4 === 0 },
  };
}

function described(kernel: string, g: Conv2dGeometry) {
  return { kernel, shape: describeConv2d(g), flops: conv2dFlops(g), implicit: !pointwise(g) };
}

/** Whether every output is of the one position below it. */
function pointwise({ kernel, stride, padding }: Conv2dGeometry): boolean {
  return [...kernel, ...stride].every((size) => size === 1) && padding.every((size) => size === 0);
}

/** A pointwise convolution sees one row of positions: it may be whole quads where rows are not. */
function flattened(g: Conv2dGeometry): Conv2dGeometry {
  if (!pointwise(g)) return g;
  const row = [1, g.inputSize[0] * g.inputSize[1]] as const;
  return { ...g, inputSize: row, outputSize: row };
}
