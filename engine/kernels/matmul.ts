// Launchers of the batched matrix product. The variants compute the same:
//
//   direct     one result a thread: the reference
//   image      operands packed into storage textures, for CPU adapters
//   tiled      tiles in workgroup memory, for GPUs

import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { matmulDirect } from "./matmul_direct.ts";
import type { MatmulGeometry } from "./matmul_geometry.ts";
import { matmulImage } from "./matmul_image.ts";
import { matmulTiled } from "./matmul_tiled.ts";

export type { MatmulGeometry } from "./matmul_geometry.ts";

/** The forms a matrix product comes in; `ctx.variant` forces one. */
export const matmulVariants = ["direct", "image", "tiled"] as const;

/** `out[batch, m, n] = a[batch, m, k] b[batch, k, n]`, each operand stored as the geometry says. */
export function matmul(
  ctx: KernelContext,
  geometry: MatmulGeometry,
  slots: { a: Slot; b: Slot; out: Slot },
): Dispatch[] {
  const variant = ctx.variant ?? (ctx.cpu && ctx.images ? "image" : "tiled");
  if (variant === "image") return matmulImage(ctx, geometry, slots);
  if (variant === "tiled") return matmulTiled(ctx, geometry, slots);
  return matmulDirect(ctx, geometry, slots);
}
