// The matrix product for GPUs: tiles in workgroup memory.

import operands from "../../shaders/matmul_tiled.wgsl" with { type: "text" };
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { type TiledGemm, tiledGemm } from "./gemm_tiled.ts";
import {
  describeMatmul,
  matmulFlops,
  type MatmulGeometry,
  matmulStrides,
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

/**
 * A transposed `a` that is stored `[batch / count, k, count, m]`: the batch has the first of these parts in all
 * matrices, then the next; or where `reversed`, the last comes first.
 */
export interface PartsOfA {
  readonly count: number;
  readonly reversed: boolean;
}

/** The product that {@linkcode matmulTiled} launches, or that of parts. */
export function matmulGemm(
  g: MatmulGeometry,
  parts: PartsOfA = { count: 1, reversed: false },
): TiledGemm {
  const mQuads = g.m % 4 === 0, nQuads = g.n % 4 === 0;
  const { a } = matmulStrides(g), { count } = parts;
  return {
    kernel: "matmul",
    shape: describeMatmul(g),
    flops: matmulFlops(g),
    operands,
    values: {
      ...matmulValues(g),
      ...{ A_SLICE: count * a.slice, A_STEP: count * a.step },
      ...{ A_PARTS: count, A_MATRICES: g.batch / count, A_REVERSED: Number(parts.reversed) },
    },
    m: g.m,
    n: g.n,
    k: g.k,
    slices: g.batch,
    aAlongK: !g.transposeA,
    bAlongK: g.transposeB,
    quads: { a: g.transposeA && mQuads, b: !g.transposeB && nQuads, result: nQuads },
  };
}
