// The matrix product for CPU adapters, of images that are packed from its operands.

import operands from "../../shaders/matmul_image.wgsl" with { type: "text" };
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { chooseImageTile, imageGemm, paddedRows } from "./gemm_image.ts";
import {
  describeMatmul,
  matmulFlops,
  type MatmulGeometry,
  matmulStrides,
} from "./matmul_geometry.ts";
import { packImage } from "./pack_image.ts";

/** Steps of the depth that go together. */
const UNROLL = 4;

/** `out[batch, m, n]`; see {@linkcode MatmulGeometry} for how a and b are stored. */
export function matmulImage(
  ctx: KernelContext,
  g: MatmulGeometry,
  slots: { a: Slot; b: Slot; out: Slot },
): Dispatch[] {
  const kernel = "matmul";
  const columns = Math.ceil(g.n / 4), strides = matmulStrides(g);
  // The depth in steps that the loop takes together, the last one filled up with zeros.
  const steps = Math.ceil(g.k / UNROLL), depth = UNROLL * steps;
  const loops = [steps, 1, UNROLL] as const;
  const product = { rows: Math.ceil(g.m / 4), groups: columns, loops, slices: g.batch };
  const tile = chooseImageTile(product), rows = paddedRows(tile, product.rows);
  const block = tile.lanes.m * tile.m;
  const slicesOfA = g.sharedA ? 1 : g.batch;
  const a = packImage(ctx, {
    kernel,
    variant: "pack a",
    axes: [
      { size: slicesOfA, stride: strides.a.slice },
      { size: depth, stride: strides.a.step, limit: g.k },
      { size: 4 * rows, stride: strides.a.row, limit: g.m, block: 4 * block },
    ],
  }, slots.a);
  const b = packImage(ctx, {
    kernel,
    variant: "pack b",
    axes: [
      { size: g.sharedB ? 1 : g.batch, stride: strides.b.slice },
      { size: depth, stride: strides.b.step, limit: g.k },
      { size: 4 * columns, stride: strides.b.column, limit: g.n },
    ],
  }, slots.b);
  return [
    a.dispatch,
    b.dispatch,
    ...imageGemm(ctx, {
      kernel,
      shape: describeMatmul(g),
      flops: matmulFlops(g),
      tile,
      loops,
      groups: [1, 1, columns],
      rows,
      slices: g.batch,
      quads: g.n % 4 === 0,
      a: {
        slot: a.image,
        block: slicesOfA * depth * block,
        loops: [UNROLL * block, 0, block],
      },
      b: { slot: b.image, groups: [0, 0, 1], loops: [UNROLL * columns, 0, columns] },
      operands,
      values: {
        ROWS: g.m,
        COLUMNS: g.n,
        A_SLICE: g.sharedA ? 0 : depth * block,
        B_SLICE: g.sharedB ? 0 : depth * columns,
      },
    }, slots.out),
  ];
}
