// The matrix product for GPUs: tiles in workgroup memory.

import operands from "../../shaders/matmul_tiled.wgsl" with { type: "text" };
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { tiledGemm } from "./gemm_tiled.ts";
import {
  describeMatmul,
  matmulFlops,
  type MatmulGeometry,
  matmulValues,
} from "./matmul_geometry.ts";

/** `out[batch, m, n]`; see {@linkcode MatmulGeometry} for how a and b are stored. */
export function matmulTiled(
  ctx: KernelContext,
  g: MatmulGeometry,
  slots: { a: Slot; b: Slot; out: Slot },
): Dispatch[] {
  const gemm = {
    kernel: "matmul",
    shape: describeMatmul(g),
    flops: matmulFlops(g),
    operands,
    values: matmulValues(g),
    m: g.m,
    n: g.n,
    k: g.k,
    slices: g.batch,
    aAlongK: !g.transposeA,
    bAlongK: g.transposeB,
  };
  return tiledGemm(ctx, gemm, slots);
}
