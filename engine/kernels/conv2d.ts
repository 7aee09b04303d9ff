// Launchers of a convolution and both of its gradients. Each family has variants that compute the same:
//
//   direct     one result a thread, any geometry: the reference, and the form for groups
//   registers  implicit GEMM with register tiles and no workgroup memory, for CPU adapters
//   tiled      implicit GEMM with tiles in workgroup memory, for GPUs

import { conv2dDirect, conv2dInputGradDirect, conv2dWeightGradDirect } from "./conv2d_direct.ts";
import type { Conv2dGeometry } from "./conv2d_geometry.ts";
import {
  conv2dInputGradRegisters,
  conv2dRegisters,
  conv2dWeightGradRegisters,
  registersSuit,
} from "./conv2d_registers.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";

export type { Conv2dGeometry } from "./conv2d_geometry.ts";

/** The forms a convolution's three products come in. */
export const conv2dVariants = ["direct", "registers"] as const;

/**
 * The cross-correlation of x `[batch, inChannels, h, w]` with weight
 * `[outChannels, inChannels / groups, kh, kw]`, zero padded, without bias; dense NCHW float32.
 */
export function conv2d(
  ctx: KernelContext,
  geometry: Conv2dGeometry,
  slots: { x: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  if (chooseVariant(ctx, geometry) === "registers") return conv2dRegisters(ctx, geometry, slots);
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
  if (chooseVariant(ctx, geometry) === "registers") {
    return conv2dInputGradRegisters(ctx, geometry, slots);
  }
  return conv2dInputGradDirect(ctx, geometry, [slots.grad, slots.weight, slots.out]);
}

/** The gradient of a convolution for its weight, shaped like the weight. */
export function conv2dWeightGrad(
  ctx: KernelContext,
  geometry: Conv2dGeometry,
  slots: { x: Slot; grad: Slot; out: Slot },
): Dispatch[] {
  if (chooseVariant(ctx, geometry) === "registers") {
    return conv2dWeightGradRegisters(ctx, geometry, slots);
  }
  return conv2dWeightGradDirect(ctx, geometry, [slots.x, slots.grad, slots.out]);
}

/** A static guess by adapter, overruled by `ctx.variant`; what a variant cannot do goes to direct. */
function chooseVariant(ctx: KernelContext, g: Conv2dGeometry): string {
  const wanted = ctx.variant ?? "registers";
  return wanted === "registers" && !registersSuit(g) ? "direct" : wanted;
}
