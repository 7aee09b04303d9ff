// The gradient for the weight of a convolution with a picture's few channels on a side, for CPU adapters: the side
// with many channels is read in place. See shaders/conv2d_weight_grad_few.wgsl.

import code from "../../shaders/conv2d_weight_grad_few.wgsl" with { type: "text" };
import sumOperands from "../../shaders/conv2d_weight_grad_few_sum.wgsl" with { type: "text" };
import sumCode from "../../shaders/gemm_image_sum.wgsl" with { type: "text" };
import { declareNamed, image as declareImage } from "./access.ts";
import { fewVariant } from "./conv2d_few.ts";
import { conv2dFlops, type Conv2dGeometry, describeConv2d } from "./conv2d_geometry.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { MOST_ROUNDS, threadGrid } from "./gemm_grid.ts";
import { foldGrid } from "./grid.ts";
import { ImageSlot } from "./image.ts";
import { packImage } from "./pack_image.ts";
import { resultsOf } from "./results.ts";
import { sourceOf } from "./sources.ts";
import { instantiate } from "./template.ts";

/** Threads of a workgroup: the lanes of a CPU's vectors. */
const LANES = 8;
/** Positions of a round: whole texels of the few channels, whatever the stride. */
const POSITIONS = 4;
// Sums of a thread: more would take a driver long to compile.
const mostSums = 128;
// Fewer workgroups than this leave cores without work.
const enoughBlocks = 16;

/** Whether the gradient is one that this form can do: the larger operand has to be read in steps of one. */
export function weightGradFewFits(g: Conv2dGeometry): boolean {
  return manyAreOutputs(g) || g.stride.every((step) => step === 1);
}

const manyAreOutputs = (g: Conv2dGeometry): boolean => g.outChannels >= g.inChannels;

/** The gradient for the weight of a convolution that {@linkcode weightGradFewFits} accepts. */
export function conv2dWeightGradFew(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { x, grad, out }: { x: Slot; grad: Slot; out: Slot },
): Dispatch[] {
  const kernel = "conv2dWeightGrad", [kh, kw] = g.kernel, taps = kh * kw;
  // Position p of many channels meets p step + k dilation of the few: of the input, padded, or of the padded gradient,
  // where taps count from the far end.
  const outputs = manyAreOutputs(g);
  const [many, few] = outputs ? [g.outChannels, g.inChannels] : [g.inChannels, g.outChannels];
  const [manySize, fewSize] = outputs ? [g.outputSize, g.inputSize] : [g.inputSize, g.outputSize];
  const firsts = [0, 1].map((axis) =>
    outputs ? -g.padding[axis] : g.padding[axis] - (g.kernel[axis] - 1) * g.dilation[axis]
  );
  const { rows, blocks: rowBlocks, channels } = cutOf(g, { many, few });
  const sums = few * rows * kw, groups = rowBlocks * Math.ceil(sums / 4);
  const manyBlocks = Math.ceil(many / (LANES * channels)), m = manyBlocks * LANES * channels;
  const lines = g.batch * manySize[0], chunks = Math.ceil(manySize[1] / POSITIONS);
  const parts = Math.min(
    lines,
    Math.max(
      Math.ceil(enoughBlocks / (manyBlocks * rowBlocks)),
      Math.ceil(lines * (1 + chunks) / MOST_ROUNDS),
    ),
  );
  const perPart = Math.ceil(lines / parts), splits = Math.ceil(lines / perPart);
  const texels = Math.ceil(((POSITIONS - 1) * g.stride[1] + (kw - 1) * g.dilation[1] + 1) / 4);
  const wide = (chunks - 1) * POSITIONS / 4 * g.stride[1] + texels;
  const high = (manySize[0] - 1) * g.stride[0] + (kh - 1) * g.dilation[0] + 1;
  const packed = packImage(ctx, {
    kernel,
    variant: outputs ? "pack x" : "pack grad",
    axes: [
      { size: g.batch, stride: few * fewSize[0] * fewSize[1] },
      { size: high, stride: fewSize[1], shift: firsts[0], limit: fewSize[0] },
      { size: few, stride: fewSize[0] * fewSize[1] },
      { size: 4 * wide, stride: 1, shift: firsts[1], limit: fewSize[1] },
    ],
  }, outputs ? x : grad);
  const partsImage = new ImageSlot(splits * m * groups);
  const plane = manySize[0] * manySize[1];
  const places = Array.from({ length: POSITIONS * channels }, (_, i) => [
    { at: "image", stride: many * plane, size: g.batch },
    { at: `channel${Math.floor(i / POSITIONS)}`, stride: plane, size: many },
    { at: "row", stride: manySize[1], size: manySize[0] },
    { at: `column${i % POSITIONS}`, stride: 1, size: manySize[1] },
  ]);
  const read = sourceOf(outputs ? grad : x, {
    operands: [
      { name: "few", slot: packed.image, quads: false },
      { name: "result", slot: partsImage, quads: false },
    ],
    places,
    threads: lines * chunks * rowBlocks * manyBlocks * LANES,
  });
  const blocks = manyBlocks * rowBlocks * splits, workgroups = foldGrid(blocks, ctx.limits);
  const inside = manySize[1] % POSITIONS === 0
    ? () => undefined
    : (i: number) => `column${i % POSITIONS} < ${manySize[1]}u`;
  const values = {
    ...{ SUMS: sums, U: rows, KH: kh, KW: kw, M: m, GROUPS: groups, SLICES: 1, SPLITS: splits },
    ...{ MANY: many, FLIPPED: Number(!outputs) },
    ...{ MANY_STRIDE: outputs ? few * taps : taps, FEW_STRIDE: outputs ? taps : many * taps },
  };
  const grid = threadGrid(ctx, { threads: m * groups, workgroup: LANES });
  const shape = describeConv2d(g);
  const end = resultsOf(ctx, out, {
    operands: [{ name: "parts", slot: partsImage, quads: false }],
    width: 1,
  });
  return [packed.dispatch, {
    kernel,
    variant: `${fewVariant} ${LANES * channels}x${sums} split ${splits}${read.label}`,
    shape,
    code: instantiate(code, {
      ...values,
      SLOTS: [
        read.code,
        ...declareImage("few", { at: 0, written: false }),
        ...declareImage("result", { at: 1, written: true }),
      ].join("\n"),
      NUMBERS: [
        ...read.statements,
        ...read.values.map((value, i) => {
          const bound = inside(i);
          return `let x${i} = ${bound ? `select(0.0, ${value}, ${bound})` : value};`;
        }),
      ].map((line) => `      ${line}`).join("\n"),
      ...{ ROW: workgroups[0], BLOCKS: blocks, MANY_BLOCKS: manyBlocks, ROW_BLOCKS: rowBlocks },
      ...{ LB: channels, LINES: perPart, BATCH: g.batch, MANY_H: manySize[0], CHUNKS: chunks },
      ...{ P: POSITIONS, FEW: few, HIGH: high, WIDE: wide, TEXELS: texels },
      ...{ AH: g.stride[0], AW: g.stride[1], DH: g.dilation[0], DW: g.dilation[1] },
    }),
    slots: read.slots,
    writes: [partsImage],
    workgroups,
    flops: conv2dFlops(g),
  }, {
    kernel,
    variant: `sum of ${splits}${end.label}`,
    shape,
    code: end.code + instantiate(`${sumOperands}\n${sumCode}`, {
      ...values,
      ...grid.values,
      QUADS: 0,
      SLOTS: declareNamed(end.slots, { names: ["parts"] }),
    }),
    slots: end.slots,
    writes: end.writes,
    workgroups: grid.workgroups,
    flops: 0,
  }];
}

/** Rows of the kernel and channels of a thread, so that its sums are many, but not too many. */
function cutOf(
  { kernel: [kh, kw] }: Conv2dGeometry,
  { many, few }: { many: number; few: number },
): { rows: number; blocks: number; channels: number } {
  let rows = kh;
  while (rows > 1 && (kh % rows !== 0 || few * rows * kw > mostSums)) rows--;
  const wanted = Math.ceil(many / LANES), most = Math.floor(mostSums / (few * rows * kw));
  return { rows, blocks: kh / rows, channels: Math.max(1, Math.min(4, wanted, most)) };
}
