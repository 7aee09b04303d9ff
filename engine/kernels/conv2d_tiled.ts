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
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { type TiledGemm, tiledGemm } from "./gemm_tiled.ts";

type Kind = Pick<TiledGemm, "kernel" | "operands" | "m" | "n" | "k" | "aAlongK" | "bAlongK">;

/** The output of a convolution. */
export function conv2dTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { x, weight, out }: { x: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const gemm = product(g, {
    kernel: "conv2d",
    operands: forwardOperands,
    m: g.outChannels,
    n: g.batch * g.outputSize[0] * g.outputSize[1],
    k: g.inChannels * g.kernel[0] * g.kernel[1],
    aAlongK: true,
    bAlongK: false,
  });
  return tiledGemm(ctx, gemm, { a: weight, b: x, out });
}

/** The gradient for the input: the parities of a strided one are slices. */
export function conv2dInputGradTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { grad, weight, out }: { grad: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const vertical = conv2dPhases(g, 0), horizontal = conv2dPhases(g, 1);
  const gemm = product(g, {
    kernel: "conv2dInputGrad",
    operands: inputGradOperands,
    m: g.inChannels,
    n: g.batch * vertical.count * horizontal.count,
    k: g.outChannels * vertical.taps * horizontal.taps,
    aAlongK: true,
    bAlongK: false,
  });
  const values = {
    ...gemm.values,
    ...{ TAPS_H: vertical.taps, STEP_H: vertical.step, U_H: vertical.count },
    ...{ TAPS_W: horizontal.taps, STEP_W: horizontal.step, U_W: horizontal.count },
  };
  const slices = g.stride[0] * g.stride[1];
  return tiledGemm(ctx, { ...gemm, values, slices }, { a: weight, b: grad, out });
}

/** The gradient for the weight. */
export function conv2dWeightGradTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { x, grad, out }: { x: Slot; grad: Slot; out: Slot },
): Dispatch[] {
  const gemm = product(g, {
    kernel: "conv2dWeightGrad",
    operands: weightGradOperands,
    m: g.outChannels,
    n: g.inChannels * g.kernel[0] * g.kernel[1],
    k: g.batch * g.outputSize[0] * g.outputSize[1],
    aAlongK: true,
    bAlongK: true,
  });
  return tiledGemm(ctx, gemm, { a: grad, b: x, out });
}

function product(g: Conv2dGeometry, kind: Kind): TiledGemm {
  return {
    ...kind,
    shape: describeConv2d(g),
    flops: conv2dFlops(g),
    values: conv2dValues(g),
    slices: 1,
  };
}
