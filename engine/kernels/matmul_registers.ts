// The matrix product for CPU adapters. Operands that already lie as vec4s along their free side are
// read in place; others are copied so first, which costs little beside the product.

import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { repack } from "./gemm_repack.ts";
import { chooseRegisterTile, chooseSplits, registerGemm } from "./gemm_registers.ts";
import {
  describeMatmul,
  matmulFlops,
  type MatmulGeometry,
  matmulStrides,
} from "./matmul_geometry.ts";

/** `out[batch, m, n]`; see {@linkcode MatmulGeometry} for how a and b are stored. */
export function matmulRegisters(
  ctx: KernelContext,
  g: MatmulGeometry,
  slots: { a: Slot; b: Slot; out: Slot },
): Dispatch[] {
  const kernel = "matmul";
  const columns = Math.ceil(g.n / 4);
  const tile = chooseRegisterTile(Math.ceil(g.m / 4), columns, { depth: g.k * g.batch });
  const loops = [g.k, 1, 1] as const;
  const splits = chooseSplits(tile, columns, { loops, slices: g.batch });
  const strides = matmulStrides(g);
  const dispatches: Dispatch[] = [];

  let a = slots.a;
  if (!g.transposeA || g.m !== 4 * tile.rows) {
    const slices = g.sharedA ? 1 : g.batch;
    const axes = [
      { size: slices, stride: strides.a.slice },
      { size: g.k, stride: strides.a.step },
      { size: 4 * tile.rows, stride: strides.a.row, limit: g.m },
    ];
    a = ctx.scratch(16 * slices * g.k * tile.rows);
    dispatches.push(
      repack(ctx, { kernel, variant: "pack a", axes }, { source: slots.a, result: a }),
    );
  }
  let b = slots.b;
  if (g.transposeB || g.n % 4 !== 0) {
    const slices = g.sharedB ? 1 : g.batch;
    const axes = [
      { size: slices, stride: strides.b.slice },
      { size: g.k, stride: strides.b.step },
      { size: 4 * columns, stride: strides.b.column, limit: g.n },
    ];
    b = ctx.scratch(16 * slices * g.k * columns);
    dispatches.push(
      repack(ctx, { kernel, variant: "pack b", axes }, { source: slots.b, result: b }),
    );
  }

  const inPlace = splits === 1 && g.n % 4 === 0 && g.m === 4 * tile.rows;
  const slice = 16 * tile.rows * columns;
  const result = inPlace ? slots.out : ctx.scratch(4 * splits * g.batch * slice);
  dispatches.push(registerGemm(ctx, {
    kernel,
    shape: describeMatmul(g),
    flops: matmulFlops(g),
    tile,
    splits,
    loops,
    groups: [1, 1, columns],
    slices: [1, g.batch],
    a: { loops: [tile.rows, 0, 0], slices: [0, g.sharedA ? 0 : g.k * tile.rows] },
    b: {
      loops: [columns, 0, 0],
      slice: g.sharedB ? 0 : g.k * columns,
      groups: [0, 0, 1],
    },
  }, { a, b, result }));
  if (!inPlace) {
    const axes = [
      { size: g.batch, stride: slice },
      { size: g.m, stride: 4 * columns },
      { size: g.n, stride: 1 },
    ];
    const copy = {
      kernel,
      variant: "unpack",
      axes,
      terms: splits,
      termStride: g.batch * slice,
    };
    dispatches.push(repack(ctx, copy, { source: result, result: slots.out }));
  }
  return dispatches;
}
