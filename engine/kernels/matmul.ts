// Launchers of the batched matrix product. The variants compute the same:
//
//   direct     one result a thread: the reference
//   registers  register tiles and no workgroup memory, for CPU adapters
//   tiled      tiles in workgroup memory, for GPUs

import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { matmulDirect } from "./matmul_direct.ts";
import { describeMatmul, matmulFlops, type MatmulGeometry } from "./matmul_geometry.ts";
import { matmulRegisters } from "./matmul_registers.ts";
import { matmulTiled } from "./matmul_tiled.ts";
import { chooseVariant, FEW_FLOPS } from "./variant.ts";

export type { MatmulGeometry } from "./matmul_geometry.ts";

/** The forms a matrix product comes in; `ctx.variant` forces one. */
export const matmulVariants = ["direct", "registers", "tiled"] as const;

/** `out[batch, m, n] = a[batch, m, k] b[batch, k, n]`, each operand stored as the geometry says. */
export function matmul(
  ctx: KernelContext,
  geometry: MatmulGeometry,
  slots: { a: Slot; b: Slot; out: Slot },
): Dispatch[] {
  const variant = chooseVariant(ctx, {
    family: "matmul",
    shape: describeMatmul(geometry),
    candidates: matmulCandidates(ctx, geometry),
    others: matmulVariants,
  });
  if (variant === "registers") return matmulRegisters(ctx, geometry, slots);
  if (variant === "tiled") return matmulTiled(ctx, geometry, slots);
  return matmulDirect(ctx, geometry, slots);
}

/** The forms of {@linkcode matmul} that can run, the best guess first. */
export function matmulCandidates(ctx: KernelContext, geometry: MatmulGeometry): string[] {
  if (!ctx.cpu) return ["tiled", "registers", "direct"];
  return matmulFlops(geometry) <= FEW_FLOPS ? ["registers", "direct"] : ["registers"];
}
