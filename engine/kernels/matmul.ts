// Launchers of the batched matrix product. The variants compute the same:
//
//   direct     one result a thread: the reference
//   image      operands packed into storage textures, for CPU adapters
//   tiled ...  tiles in workgroup memory, for GPUs; see gemm_tiled_forms.ts

import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { tiledCandidates } from "./gemm_tiled_forms.ts";
import { matmulDirect } from "./matmul_direct.ts";
import { describeMatmul, matmulFlops, type MatmulGeometry } from "./matmul_geometry.ts";
import { matmulImage } from "./matmul_image.ts";
import { matmulGemm, matmulTiled } from "./matmul_tiled.ts";
import { chooseVariant, FEW_FLOPS } from "./variant.ts";

export type { MatmulGeometry } from "./matmul_geometry.ts";

/** The forms a matrix product comes in; `ctx.variant` forces one. */
export const matmulVariants = ["direct", "image", "tiled"] as const;

/** `out[batch, m, n] = a[batch, m, k] b[batch, k, n]`, each operand stored as the geometry says. */
export function matmul(
  ctx: KernelContext,
  geometry: MatmulGeometry,
  slots: { a: Slot; b: Slot; out: Slot },
): Dispatch[] {
  const { variant: forced = "" } = ctx;
  const variant = chooseVariant(ctx, {
    family: "matmul",
    shape: describeMatmul(geometry),
    candidates: matmulCandidates(ctx, geometry),
    others: [...matmulVariants, ...(forced.startsWith("tiled") ? [forced] : [])],
  });
  if (variant === "image") return matmulImage(ctx, geometry, slots);
  if (variant.startsWith("tiled")) return matmulTiled({ ...ctx, variant }, geometry, slots);
  return matmulDirect(ctx, geometry, slots);
}

/** The forms of {@linkcode matmul} that can run, the best guess first. */
export function matmulCandidates(ctx: KernelContext, geometry: MatmulGeometry): string[] {
  if (!ctx.cpu || !ctx.images) return [...tiledCandidates(ctx, matmulGemm(geometry)), "direct"];
  return matmulFlops(geometry) <= FEW_FLOPS ? ["image", "direct"] : ["image"];
}
