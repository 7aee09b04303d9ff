// Launches the resampling of pictures by a matrix each, and its transpose.

import code from "../../shaders/warp_affine.wgsl" with { type: "text" };
import { beginInstance, declareNamed } from "./access.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
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
const WORKGROUP = 64;

/** Warps `x` by `matrix`, `[batch, 2, 3]`. */
export function warpAffine(
  ctx: KernelContext,
  { batch, channels, size, result, transposed }: WarpGeometry,
  { x, matrix, out }: { x: Slot; matrix: Slot; out: Slot },
): Dispatch[] {
  const [height, width] = size, [resultHeight, resultWidth] = result;
  const [rows, columns] = transposed ? size : result;
  const each = [4, 3, 2, 1].find((count) => channels % count === 0)!;
  const operands = [
    { name: "x", slot: x, quads: false },
    { name: "matrix", slot: matrix, quads: false },
  ];
  const results = resultsOf(ctx, out, { operands, width: 1 });
  const values = {
    WORKGROUP,
    CHANNELS: channels,
    EACH: each,
    HEIGHT: height,
    WIDTH: width,
    RESULT_HEIGHT: resultHeight,
    RESULT_WIDTH: resultWidth,
    TRANSPOSED: Number(transposed),
    SLOTS: declareNamed([x, matrix], { names: ["x", "matrix"] }),
    BEGIN: beginInstance(results.slots, "group.z"),
  };
  const shape = `${batch}x${channels} ${height}x${width} ${transposed ? "<-" : "->"} ` +
    `${resultHeight}x${resultWidth}`;
  return [{
    kernel: "warpAffine",
    variant: `${transposed ? "transposed" : "direct"}${results.label}`,
    shape,
    code: results.code + instantiate(code, values),
    slots: results.slots,
    workgroups: [Math.ceil(rows * columns / WORKGROUP), batch * channels / each, 1],
    flops: FLOPS * batch * channels * resultHeight * resultWidth,
  }];
}
