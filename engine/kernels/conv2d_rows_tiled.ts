// Launches shaders/conv2d_rows_tiled.wgsl: convolutions to a picture's few channels, for GPUs.

import code from "../../shaders/conv2d_rows_tiled.wgsl" with { type: "text" };
import {
  conv2dFlops,
  type Conv2dGeometry,
  conv2dValues,
  describeConv2d,
} from "./conv2d_geometry.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { foldGrid } from "./grid.ts";
import { resultsOf } from "./results.ts";
import { instantiate } from "./template.ts";

/** How `ctx.variant` names it. */
export const rowsVariant = "tiled rows";

const workgroup = 64, weightBytes = 8192;

/** Whether a convolution is one that this form can do. */
export function rowsFit(g: Conv2dGeometry): boolean {
  return g.outChannels <= 4 && g.groups === 1 && g.kernel[0] * g.kernel[1] * 16 <= weightBytes &&
    [...g.stride, ...g.dilation].every((step) => step === 1) &&
    g.inputSize[1] % 4 === 0 && g.outputSize[1] % 4 === 0;
}

/** The output of a convolution that {@linkcode rowsFit} accepts. */
export function conv2dRowsTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { x, weight, out }: { x: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const [kh, kw] = g.kernel, left = Math.ceil(g.padding[1] / 4);
  const quads = g.batch * g.outputSize[0] * g.outputSize[1] / 4;
  const workgroups = foldGrid(Math.ceil(quads / workgroup), ctx.limits);
  const chunk = Math.min(g.inChannels, Math.floor(weightBytes / (16 * kh * kw)));
  const operands = [
    { name: "x", slot: x, quads: true },
    { name: "weight", slot: weight, quads: false },
  ];
  const results = resultsOf(ctx, out, { operands, width: 4 });
  return [{
    kernel: "conv2d",
    variant: rowsVariant + results.label,
    shape: describeConv2d(g),
    code: results.code + instantiate(code, {
      ...conv2dValues(g),
      WORKGROUP: workgroup,
      ROW: workgroups[0],
      CHUNK: chunk,
      LEFT: left,
      // The last of four neighbours sees KW - 1 further than where it is, less the padding.
      QUADS: Math.ceil((4 * left - g.padding[1] + kw + 3) / 4),
      UNROLL: ctx.cpu ? 1 : kh,
    }),
    slots: results.slots,
    workgroups,
    flops: conv2dFlops(g),
  }];
}
