// The matrix product for GPUs: tiles in workgroup memory.

import operands from "../../shaders/matmul_tiled.wgsl" with { type: "text" };
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { type TiledGemm, tiledGemm } from "./gemm_tiled.ts";
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
  return tiledGemm(ctx, matmulGemm(g), slots);
}

/** The product that {@linkcode matmulTiled} launches. */
export function matmulGemm(g: MatmulGeometry): TiledGemm {
  const mQuads = g.m % 4 === 0, nQuads = g.n % 4 === 0;
  return {
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
    quads: { a: g.transposeA && mQuads, b: !g.transposeB && nQuads, result: nQuads },
  };
}
