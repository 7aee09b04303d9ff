// Launches shaders/conv2d_rows_tiled.wgsl, conv2d_input_grad_rows_tiled.wgsl and conv2d_weight_grad_rows_tiled.wgsl:
// convolutions to a picture's few channels, the gradient for a picture's few channels, and the one for the weight of
// a convolution to few channels, for GPUs.

import code from "../../shaders/conv2d_rows_tiled.wgsl" with { type: "text" };
import inputGradCode from "../../shaders/conv2d_input_grad_rows_tiled.wgsl" with { type: "text" };
import weightGradCode from "../../shaders/conv2d_weight_grad_rows_tiled.wgsl" with { type: "text" };
import {
  conv2dFlops,
  type Conv2dGeometry,
  conv2dValues,
  describeConv2d,
} from "./conv2d_geometry.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { MOST_ROUNDS } from "./gemm_grid.ts";
import { sumParts } from "./gemm_tiled.ts";
import { foldGrid } from "./grid.ts";
import { resultsOf } from "./results.ts";
import { instantiate } from "./template.ts";

/** How `ctx.variant` names it. */
export const rowsVariant = "tiled rows";

// The memory of a workgroup that every device has, as vec4f.
const workgroupQuads = 1024;

// Rows of a thread of a convolution, one below the other, and threads of a workgroup, whose memory holds their sums.
const threadRows = 2, rowsWorkgroup = 128;

// Quads that such a thread reads ahead. With those that it works on, and the sums, they take half of the 255 registers
// that it could have, so that 16 warps find place on a multiprocessor.
const mostAhead = 12;

// Threads that fill a large GPU with so many registers.
const enoughThreads = 65536;

/**
 * Whether a convolution is one that this form can do: to at most 4 channels, no stride or dilation, rows of whole quads
 * on both sides, of taps that fit a workgroup's memory, and not so wide that a thread cannot read ahead.
 */
export function rowsFit(g: Conv2dGeometry): boolean {
  return g.outChannels <= 4 && isDense(g) && g.kernel[0] * tapQuads(g) <= workgroupQuads &&
    threadRows * seenQuads(g).QUADS <= mostAhead && g.inChannels * tapsOf(g) <= MOST_ROUNDS;
}

/** The numbers of a row of the kernel for all output channels, in quads. */
const tapQuads = (g: Conv2dGeometry): number => Math.ceil(g.outChannels * g.kernel[1] / 4);

/** Whether neighbours see neighbours, besides. */
function isDense(g: Conv2dGeometry): boolean {
  return g.stride.every((step) => step === 1) && isWhole(g);
}

/** Whether rows are of whole quads, and taps are neighbours, in one group. */
function isWhole(g: Conv2dGeometry): boolean {
  return g.groups === 1 && g.dilation.every((step) => step === 1) &&
    g.inputSize[1] % 4 === 0 && g.outputSize[1] % 4 === 0;
}

/** The output of a convolution that {@linkcode rowsFit} accepts. */
export function conv2dRowsTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { x, weight, out }: { x: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const cut = cutOutput(g), { chunk, taps } = cut, [kh] = g.kernel;
  const unroll = ctx.cpu ? 1 : cut.unroll;
  const workgroups = foldGrid(cut.workgroups, ctx.limits);
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
      ...seenQuads(g),
      ...{ PLACES: cut.places, SPLITS: cut.splits, ROW: workgroups[0], ROWS: threadRows },
      ...{ CHUNK: chunk, TAPS: taps, UNROLL: unroll, BLOCKS: kh / unroll },
      MEMORY: Math.max(chunk * kh * taps, rowsWorkgroup * threadRows * g.outChannels),
    }),
    slots: results.slots,
    workgroups,
    flops: conv2dFlops(g),
  }];
}

/** What threads make of the output, and of what. */
function cutOutput(g: Conv2dGeometry) {
  const [kh] = g.kernel, [oh, ow] = g.outputSize, taps = tapQuads(g);
  const total = g.batch * Math.ceil(oh / threadRows) * ow / 4;
  const shares = total * 4 <= enoughThreads ? 4 : 2, places = rowsWorkgroup / shares;
  const ahead = Math.floor(mostAhead / seenQuads(g).QUADS) - (threadRows - 1);
  let unroll = Math.min(kh, ahead);
  while (kh % unroll !== 0) unroll--;
  return {
    /** Places of a workgroup, threads that share the channels of one, and workgroups that make all. */
    ...{ places, splits: shares, workgroups: Math.ceil(total / places) },
    /** Input channels whose taps fit a workgroup's memory, and the quads of a kernel's row of them. */
    ...{ chunk: Math.min(g.inChannels, Math.floor(workgroupQuads / (kh * taps))), taps },
    /** Rows of the kernel that a thread reads ahead for. */
    unroll,
  };
}

/** What four neighbours of a row see of a row of x, in quads, and how many of these begin further left. */
function seenQuads({ kernel, padding }: Conv2dGeometry): { LEFT: number; QUADS: number } {
  const left = Math.ceil(padding[1] / 4);
  // The last of them sees KW - 1 further than where it is, less the padding.
  return { LEFT: left, QUADS: Math.ceil((4 * left - padding[1] + kernel[1] + 3) / 4) };
}

// Threads that share the output channels of a position, and positions of a workgroup.
const splits = 4, places = 32;

// Sums of a thread, as vec4f, that leave it registers for what it reads.
const mostQuadSums = 8;

/**
 * Whether the gradient for the input is one that this form can do: at most 4 input channels, at most 8 of them times
 * the horizontal stride, no dilation, rows of whole quads on both sides, taps that fit a workgroup's memory.
 */
export function inputGradRowsFit(g: Conv2dGeometry): boolean {
  return g.inChannels <= 4 && g.inChannels * g.stride[1] <= mostQuadSums && isWhole(g) &&
    tapsOf(g) <= workgroupQuads && g.outChannels * tapsOf(g) <= MOST_ROUNDS;
}

/** The gradient for the input of a convolution that {@linkcode inputGradRowsFit} accepts. */
export function conv2dInputGradRowsTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { grad, weight, out }: { grad: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const [sh, sw] = g.stride, [h, w] = g.inputSize;
  const sums = g.inChannels * sw, taps = Math.ceil(g.kernel[0] / sh);
  const columns = Math.ceil(w / (4 * sw));
  const workgroups = foldGrid(Math.ceil(g.batch * h * columns / places), ctx.limits);
  const chunk = Math.min(g.outChannels, Math.floor(workgroupQuads / tapsOf(g)));
  const operands = [
    { name: "grad", slot: grad, quads: true },
    { name: "weight", slot: weight, quads: false },
  ];
  const results = resultsOf(ctx, out, { operands, width: 4 });
  return [{
    kernel: "conv2dInputGrad",
    variant: rowsVariant + results.label,
    shape: describeConv2d(g),
    code: results.code + instantiate(inputGradCode, {
      ...conv2dValues(g),
      ...{ PLACES: places, SPLITS: splits, ROW: workgroups[0], COLUMNS: columns },
      ...{ SUMS: sums, TAPS: taps, UNROLL: ctx.cpu ? 1 : taps, CHUNK: chunk },
      MEMORY: Math.max(chunk * tapsOf(g), (splits - 1) * places * sums),
      ...reachedQuads(g),
    }),
    slots: results.slots,
    workgroups,
    flops: conv2dFlops(g),
  }];
}

/**
 * What reaches a thread's neighbours of a row of the input from a row of grad, in quads, and how many of these begin
 * further left. Tap `kw` reaches four, `sw` apart, from four of grad; these begin `(pw - kw) / sw`, rounded up,
 * further than the thread's own.
 */
function reachedQuads(
  { kernel: [, kw], stride: [, sw], padding: [, pw] }: Conv2dGeometry,
): { LEFT: number; QUADS: number } {
  const left = Math.ceil(Math.max(0, Math.floor((kw - 1 - pw) / sw)) / 4);
  return { LEFT: left, QUADS: left + Math.floor((Math.ceil(pw / sw) + 3) / 4) + 1 };
}

/** Taps of an output channel, with rows that pad the kernel to a multiple of the stride. */
function tapsOf({ kernel: [kh, kw], stride: [sh] }: Conv2dGeometry): number {
  return Math.ceil(kh / sh) * sh * kw;
}

// Threads that each go down a strip.
const workgroup = 64;

// Sums of a thread that leave it half of a GPU's 255 registers for what it reads, and fit a workgroup's memory.
const mostSums = 54;

// Workgroups that keep a large GPU busy, and rows of a strip that are worth adding its sums to others.
const enoughWorkgroups = 1024, fewestRows = 4;

/**
 * Whether the gradient for the weight is one that this form can do: at most 4 output channels, at most 54 of them times
 * the kernel's width, no stride or dilation, rows of whole quads on both sides.
 */
export function weightGradRowsFit(g: Conv2dGeometry): boolean {
  return g.outChannels <= 4 && g.outChannels * g.kernel[1] <= mostSums && isDense(g);
}

/** The gradient for the weight of a convolution that {@linkcode weightGradRowsFit} accepts. */
export function conv2dWeightGradRowsTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { x, grad, out }: { x: Slot; grad: Slot; out: Slot },
): Dispatch[] {
  const cut = cutWeightGrad(g), { groups, parts, channels } = cut, elements = out.bytes / 4;
  const workgroups = foldGrid(groups * parts * g.inChannels / channels, ctx.limits);
  const operands = [
    { name: "x", slot: x, quads: true },
    { name: "grad", slot: grad, quads: true },
  ];
  // Sums of workgroups are stored as they are; what they add up to is the result.
  const sums = groups === 1 ? undefined : ctx.scratch(groups * out.bytes);
  const results = resultsOf(
    sums ? { ...ctx, epilogue: undefined } : ctx,
    sums ?? out,
    { operands, width: 1 },
  );
  const product = {
    kernel: "conv2dWeightGrad",
    variant: rowsVariant + results.label,
    shape: describeConv2d(g),
    code: results.code + instantiate(weightGradCode, {
      ...conv2dValues(g),
      ...seenQuads(g),
      ...{ WORKGROUP: workgroup, ROW: workgroups[0], GROUPS: groups, RESULTS: elements },
      ...{ ROWS: cut.rows, PARTS: parts, CHANNELS: channels, BAND: cut.band, BANDS: cut.bands },
      SUMS: g.outChannels * cut.rows * g.kernel[1] * channels,
    }),
    slots: results.slots,
    workgroups,
    flops: conv2dFlops(g),
  };
  return sums ? [product, sumParts(ctx, product, { parts: sums, splits: groups, out })] : [product];
}

/** What of the weight a thread sums up, and what of the output. */
function cutWeightGrad(g: Conv2dGeometry) {
  const [kh, kw] = g.kernel, [oh, ow] = g.outputSize;
  const parts = Math.ceil(kh / Math.floor(mostSums / (g.outChannels * kw)));
  const rows = Math.ceil(kh / parts), sums = g.outChannels * rows * kw;
  const channels = [4, 2].find((some) => g.inChannels % some === 0 && some * sums <= mostSums) ?? 1;
  const groupsOf = (bands: number): number => Math.ceil(g.batch * bands * ow / 4 / workgroup);
  const fewest = groupsOf(1) * parts * g.inChannels / channels;
  const band = Math.max(fewestRows, Math.ceil(oh / Math.ceil(enoughWorkgroups / fewest)));
  const bands = Math.ceil(oh / band);
  return {
    /** Kernel rows of a thread, and of how many threads come those of a kernel. */
    ...{ rows, parts },
    /** Input channels of a thread. */
    channels,
    /** Output rows of a strip, and how many strips make a column. */
    ...{ band, bands },
    /** Workgroups that the strips of all columns fill. */
    groups: groupsOf(bands),
  };
}
