// Launches the resampling of pictures by a matrix each, and its transpose.

import code from "../../shaders/warp_affine.wgsl" with { type: "text" };
import { declareSlots } from "./access.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { threadGrid } from "./gemm_grid.ts";
import { resultsOf } from "./results.ts";
import { instantiate } from "./template.ts";

/** The shapes of a warp: pictures `[batch, channels, ...size]` become `[batch, channels, ...result]`. */
export interface WarpGeometry {
  readonly batch: number;
  readonly channels: number;
  /** Height and width of the pictures. */
  readonly size: readonly [number, number];
  /** Height and width of what is made of them. */
  readonly result: readonly [number, number];
  /** Whether gradients for the result are brought back to the pictures instead. */
  readonly transposed: boolean;
}

/** A multiply-add for each of the four neighbours of a pixel. */
const FLOPS = 8;

/** Warps `x` by `matrix`, `[batch, 2, 3]`. */
export function warpAffine(
  ctx: KernelContext,
  { batch, channels, size, result, transposed }: WarpGeometry,
  { x, matrix, out }: { x: Slot; matrix: Slot; out: Slot },
): Dispatch[] {
  const [height, width] = size, [resultHeight, resultWidth] = result;
  const threads = batch * (transposed ? channels * height * width : resultHeight * resultWidth);
  const grid = threadGrid(ctx, { threads, workgroup: 64 });
  const operands = [
    { name: "x", slot: x, quads: false },
    { name: "matrix", slot: matrix, quads: false },
  ];
  const results = resultsOf(ctx, out, { operands, width: 1 });
  const values = {
    ...grid.values,
    CHANNELS: channels,
    HEIGHT: height,
    WIDTH: width,
    RESULT_HEIGHT: resultHeight,
    RESULT_WIDTH: resultWidth,
    TRANSPOSED: Number(transposed),
    SLOTS: declareSlots(results.slots, { names: ["x", "matrix"] }),
  };
  const shape = `${batch}x${channels} ${height}x${width} ${transposed ? "from" : "to"} ` +
    `${resultHeight}x${resultWidth}`;
  return [{
    kernel: "warpAffine",
    variant: `${transposed ? "transposed" : "direct"}${results.label}`,
    shape,
    code: results.code + instantiate(code, values),
    slots: results.slots,
    workgroups: grid.workgroups,
    flops: FLOPS * batch * channels * resultHeight * resultWidth,
  }];
}
