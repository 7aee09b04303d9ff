// Launchers of a convolution and both of its gradients. The variants compute the same:
//
//   direct     one result a thread, any geometry: the reference, and the form for groups
//   image      implicit GEMM of operands packed into storage textures, for CPU adapters
//   tiled      implicit GEMM with tiles in workgroup memory, for GPUs

import { conv2dDirect, conv2dInputGradDirect, conv2dWeightGradDirect } from "./conv2d_direct.ts";
import type { Conv2dGeometry } from "./conv2d_geometry.ts";
import { conv2dImage, conv2dInputGradImage, conv2dWeightGradImage } from "./conv2d_image.ts";
import { conv2dInputGradTiled, conv2dTiled, conv2dWeightGradTiled } from "./conv2d_tiled.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";

import {
  canFilter,
  conv2dInputGradWinograd,
  conv2dWeightGradWinograd,
  conv2dWinograd,
} from "./winograd_image.ts";

export type { Conv2dGeometry } from "./conv2d_geometry.ts";

/** The forms a convolution's three products come in; `ctx.variant` forces one. */
export const conv2dVariants = ["direct", "image", "winograd 2", "winograd 4", "tiled"] as const;

/**
 * The cross-correlation of x `[batch, inChannels, h, w]` with weight
 * `[outChannels, inChannels / groups, kh, kw]`, zero padded, without bias; dense NCHW float32.
 */
export function conv2d(
  ctx: KernelContext,
  geometry: Conv2dGeometry,
  slots: { x: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const variant = chooseVariant(ctx, geometry);
  const m = winogradTile(variant);
  if (m) return conv2dWinograd(ctx, geometry, { m, slots });
  if (variant === "image") return conv2dImage(ctx, geometry, slots);
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
  const variant = chooseVariant(ctx, geometry);
  const m = winogradTile(variant);
  if (m) return conv2dInputGradWinograd(ctx, geometry, { m, slots });
  if (variant === "image") return conv2dInputGradImage(ctx, geometry, slots);
  if (variant === "tiled") return conv2dInputGradTiled(ctx, geometry, slots);
  return conv2dInputGradDirect(ctx, geometry, [slots.grad, slots.weight, slots.out]);
}

/** The gradient of a convolution for its weight, shaped like the weight. */
export function conv2dWeightGrad(
  ctx: KernelContext,
  geometry: Conv2dGeometry,
  slots: { x: Slot; grad: Slot; out: Slot },
): Dispatch[] {
  const variant = chooseVariant(ctx, geometry);
  const m = winogradTile(variant);
  if (m) return conv2dWeightGradWinograd(ctx, geometry, { m, slots });
  if (variant === "image") return conv2dWeightGradImage(ctx, geometry, slots);
  if (variant === "tiled") return conv2dWeightGradTiled(ctx, geometry, slots);
  return conv2dWeightGradDirect(ctx, geometry, [slots.x, slots.grad, slots.out]);
}

/**
 * A static guess by adapter, overruled by `ctx.variant`. The implicit GEMMs do neither groups nor an
 * axis that is both strided and dilated: those are left to the plain form.
 */
function chooseVariant(ctx: KernelContext, g: Conv2dGeometry): string {
  const odd = g.groups > 1 ||
    [0, 1].some((axis) => g.stride[axis] > 1 && g.dilation[axis] > 1);
  if (odd) return "direct";
  const wanted = ctx.variant ?? (ctx.cpu && ctx.images ? "image" : "tiled");
  const m = winogradTile(wanted);
  return m !== undefined && !canFilter(g, m) ? "image" : wanted;
}

/** Outputs of a tile along an axis, where the variant is Winograd's. */
function winogradTile(variant: string): number | undefined {
  const match = variant.match(/^winograd (\d)$/);
  return match ? Number(match[1]) : undefined;
}
