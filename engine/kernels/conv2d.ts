// Launchers of a convolution and both of its gradients. The variants compute the same:
//
//   direct     one result a thread, any geometry: the reference, and the form for groups
//   registers  implicit GEMM with register tiles and no workgroup memory, for CPU adapters
//   tiled      implicit GEMM with tiles in workgroup memory, for GPUs

import { conv2dDirect, conv2dInputGradDirect, conv2dWeightGradDirect } from "./conv2d_direct.ts";
import { conv2dFlops, type Conv2dGeometry, describeConv2d } from "./conv2d_geometry.ts";
import {
  conv2dInputGradRegisters,
  conv2dRegisters,
  conv2dWeightGradRegisters,
} from "./conv2d_registers.ts";
import { conv2dInputGradTiled, conv2dTiled, conv2dWeightGradTiled } from "./conv2d_tiled.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { chooseVariant, FEW_FLOPS } from "./variant.ts";

export type { Conv2dGeometry } from "./conv2d_geometry.ts";

/** The forms a convolution's three products come in; `ctx.variant` forces one. */
export const conv2dVariants = ["direct", "registers", "tiled"] as const;

/**
 * The cross-correlation of x `[batch, inChannels, h, w]` with weight
 * `[outChannels, inChannels / groups, kh, kw]`, zero padded, without bias; dense NCHW float32.
 */
export function conv2d(
  ctx: KernelContext,
  geometry: Conv2dGeometry,
  slots: { x: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const variant = choose(ctx, geometry, { family: "conv2d", candidates: conv2dCandidates });
  if (variant === "registers") return conv2dRegisters(ctx, geometry, slots);
  if (variant === "tiled") return conv2dTiled(ctx, geometry, slots);
  return conv2dDirect(ctx, geometry, [slots.x, slots.weight, slots.out]);
}

/**
 * The gradient of a convolution for its input, shaped like the input: also the transposed convolution
 * of `grad`. Input positions that no window reaches get zero.
 */
export function conv2dInputGrad(
  ctx: KernelContext,
  geometry: Conv2dGeometry,
  slots: { grad: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const variant = choose(ctx, geometry, {
    family: "conv2dInputGrad",
    candidates: conv2dInputGradCandidates,
  });
  if (variant === "registers") return conv2dInputGradRegisters(ctx, geometry, slots);
  if (variant === "tiled") return conv2dInputGradTiled(ctx, geometry, slots);
  return conv2dInputGradDirect(ctx, geometry, [slots.grad, slots.weight, slots.out]);
}

/** The gradient of a convolution for its weight, shaped like the weight. */
export function conv2dWeightGrad(
  ctx: KernelContext,
  geometry: Conv2dGeometry,
  slots: { x: Slot; grad: Slot; out: Slot },
): Dispatch[] {
  const variant = choose(ctx, geometry, {
    family: "conv2dWeightGrad",
    candidates: conv2dWeightGradCandidates,
  });
  if (variant === "registers") return conv2dWeightGradRegisters(ctx, geometry, slots);
  if (variant === "tiled") return conv2dWeightGradTiled(ctx, geometry, slots);
  return conv2dWeightGradDirect(ctx, geometry, [slots.x, slots.grad, slots.out]);
}

/** The forms of {@linkcode conv2d} that can run, the best guess first. */
export function conv2dCandidates(ctx: KernelContext, geometry: Conv2dGeometry): string[] {
  return implicitGemmCandidates(ctx, geometry);
}

/** The forms of {@linkcode conv2dInputGrad} that can run, the best guess first. */
export function conv2dInputGradCandidates(ctx: KernelContext, geometry: Conv2dGeometry): string[] {
  return implicitGemmCandidates(ctx, geometry);
}

/** The forms of {@linkcode conv2dWeightGrad} that can run, the best guess first. */
export function conv2dWeightGradCandidates(ctx: KernelContext, geometry: Conv2dGeometry): string[] {
  return implicitGemmCandidates(ctx, geometry);
}

/** On a CPU the plain form wins, if at all, where there is little to do, and tiles never do. */
function implicitGemmCandidates(ctx: KernelContext, g: Conv2dGeometry): string[] {
  if (isOdd(g)) return ["direct"];
  if (!ctx.cpu) return ["tiled", "registers", "direct"];
  return conv2dFlops(g) <= FEW_FLOPS ? ["registers", "direct"] : ["registers"];
}

/**
 * The implicit GEMMs do neither groups nor an axis that is both strided and dilated: those are left to
 * the plain form.
 */
function isOdd(g: Conv2dGeometry): boolean {
  return g.groups > 1 || [0, 1].some((axis) => g.stride[axis] > 1 && g.dilation[axis] > 1);
}

function choose(ctx: KernelContext, g: Conv2dGeometry, of: {
  readonly family: string;
  readonly candidates: (ctx: KernelContext, g: Conv2dGeometry) => string[];
}): string {
  return chooseVariant(ctx, {
    family: of.family,
    shape: describeConv2d(g),
    candidates: of.candidates(ctx, g),
    others: isOdd(g) ? [] : conv2dVariants,
  });
}
