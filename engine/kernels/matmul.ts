// Launchers of the batched matrix product, in the variants `direct`, `registers` (CPU adapters) and
// `tiled` (GPUs); see conv2d.ts.

import directCode from "../../shaders/matmul_direct.wgsl" with { type: "text" };
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { threadGrid } from "./gemm_grid.ts";
import { matmulRegisters } from "./matmul_registers.ts";
import {
  describeMatmul,
  matmulFlops,
  type MatmulGeometry,
  matmulStrides,
} from "./matmul_geometry.ts";
import { instantiate } from "./template.ts";

export type { MatmulGeometry } from "./matmul_geometry.ts";

/** The forms a matrix product comes in. */
export const matmulVariants = ["direct", "registers"] as const;

/** `out[batch, m, n] = a[batch, m, k] b[batch, k, n]`, each operand stored as the geometry says. */
export function matmul(
  ctx: KernelContext,
  geometry: MatmulGeometry,
  slots: { a: Slot; b: Slot; out: Slot },
): Dispatch[] {
  const variant = ctx.variant ?? "registers";
  if (variant === "registers") return matmulRegisters(ctx, geometry, slots);
  return [matmulDirect(ctx, geometry, slots)];
}

function matmulDirect(
  ctx: KernelContext,
  geometry: MatmulGeometry,
  slots: { a: Slot; b: Slot; out: Slot },
): Dispatch {
  const { batch, m, n, k } = geometry;
  const grid = threadGrid(ctx, { threads: batch * m * n, workgroup: 64 });
  const { a, b } = matmulStrides(geometry);
  return {
    kernel: "matmul",
    variant: "direct",
    shape: describeMatmul(geometry),
    code: instantiate(directCode, {
      ...grid.values,
      ...{ M: m, N: n, K: k },
      ...{ A_SLICE: a.slice, A_ROW: a.row, A_STEP: a.step },
      ...{ B_SLICE: b.slice, B_COLUMN: b.column, B_STEP: b.step },
    }),
    slots: [slots.a, slots.b, slots.out],
    workgroups: grid.workgroups,
    flops: matmulFlops(geometry),
  };
}
