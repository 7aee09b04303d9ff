// Convolutions and their gradients for CPU adapters where a picture's few channels are on one side. There, a number of
// the side with many channels is used so seldom that to pack it would cost as much as the product: so that side is read
// and stored in place, number by number. See shaders/conv2d_to_few.wgsl and shaders/conv2d_from_few.wgsl.

import fromFewCode from "../../shaders/conv2d_from_few.wgsl" with { type: "text" };
import toFewCode from "../../shaders/conv2d_to_few.wgsl" with { type: "text" };
import { image as declareImage, numbers } from "./access.ts";
import { conv2dFlops, type Conv2dGeometry, describeConv2d } from "./conv2d_geometry.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { MOST_ROUNDS, threadGrid } from "./gemm_grid.ts";
import { packImage } from "./pack_image.ts";
import { type Operand, resultsOf } from "./results.ts";
import { ComputedSlot, loadsOf, type Source, sourceOf, type Step } from "./sources.ts";
import { instantiate, type TemplateValues } from "./template.ts";

/** How `ctx.variant` names it. */
export const fewVariant = "few";

/** As many channels as pictures have. */
const FEW = 4;

/** Whether a convolution without groups has a picture's few channels on a side. */
export function hasFewChannels({ inChannels, outChannels, kernel }: Conv2dGeometry): boolean {
  return Math.min(inChannels, outChannels) <= FEW &&
    Math.max(inChannels, outChannels) * kernel[0] <= MOST_ROUNDS;
}

/** The output of a convolution with few channels on a side. */
export function conv2dFew(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { x, weight, out }: { x: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const taps = g.kernel[0] * g.kernel[1];
  return launch(ctx, {
    ...{ kernel: "conv2d", geometry: g },
    axes: bothAxes((axis) => ({
      ...{ results: g.outputSize[axis], sources: g.inputSize[axis], taps: g.kernel[axis] },
      ...{ a: g.stride[axis], b: g.dilation[axis], c: -g.padding[axis], d: 1 },
    })),
    from: { channels: g.inChannels, stride: taps },
    to: { channels: g.outChannels, stride: g.inChannels * taps },
  }, { source: x, weight, out });
}

/** The gradient for the input of such a convolution. */
export function conv2dInputGradFew(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { grad, weight, out }: { grad: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const taps = g.kernel[0] * g.kernel[1];
  return launch(ctx, {
    ...{ kernel: "conv2dInputGrad", geometry: g },
    axes: bothAxes((axis) => ({
      ...{ results: g.inputSize[axis], sources: g.outputSize[axis], taps: g.kernel[axis] },
      ...{ a: 1, b: -g.dilation[axis], c: g.padding[axis], d: g.stride[axis] },
    })),
    from: { channels: g.outChannels, stride: g.inChannels * taps },
    to: { channels: g.inChannels, stride: taps },
  }, { source: grad, weight, out });
}

/** Sizes along an axis: tap `k` of result `i` reads `(i a + k b + c) / d` of the source, where that is whole. */
interface Axis {
  readonly results: number;
  readonly sources: number;
  readonly taps: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly d: number;
}

/** A convolution, or the gradient of one for its input: both gather results from a source. */
interface Gather {
  readonly kernel: string;
  readonly geometry: Conv2dGeometry;
  readonly axes: readonly [Axis, Axis];
  /** Channels, and how far apart in the weight they lie. */
  readonly from: { readonly channels: number; readonly stride: number };
  readonly to: { readonly channels: number; readonly stride: number };
}

function bothAxes(axis: (axis: 0 | 1) => Axis): readonly [Axis, Axis] {
  return [axis(0), axis(1)];
}

/** What a thread's results see of the source along an axis, by some taps: numbers from `first` on. */
interface Window {
  readonly first: number;
  readonly size: number;
}

function windowOf({ a, b, c, d }: Axis, { tile, taps }: { tile: number; taps: number }): Window {
  const seen: number[] = [];
  for (let i = 0; i < tile; i++) {
    for (let k = 0; k < taps; k++) {
      if ((i * a + k * b + c) % d === 0) seen.push((i * a + k * b + c) / d);
    }
  }
  const first = Math.min(...seen, seen.length === 0 ? 0 : Infinity);
  return { first, size: Math.max(...seen, first) - first + 1 };
}

/** How a gathering product is cut. */
interface Cut {
  /** Results of a thread, down and across, in each channel it makes at once. */
  readonly tile: readonly [number, number];
  /** Rows of the kernel that are taken together. */
  readonly rows: number;
}

// Measured on lavapipe, in nanoseconds of 8 lanes: a load of four weights, a multiplication and addition, what a sum
// costs a round of the loop, a store; and a load of a number, which costs the more the further apart the lanes read.
const costs = { weights: 13, multiply: 0.4, sum: 2.6, store: 48 };
const loadCost = (apart: number): number => 7 + Math.min(apart, 16);
/** What a store costs more where the lanes do not fill a row. */
const strayStore = 1.2;
// What compiling costs, and how many runs should pay for it.
const compileCosts = { load: 3e6, multiply: 0.5e6, store: 4e6 }, runs = 1000;
const cores = 2, lanes = 8;
// A block of more instructions takes a driver longer than in proportion.
const mostMultiplies = 900, mostLoads = { toFew: 64, fromFew: 200 };

/** The cut that takes the least time. */
function cutOf(gather: Gather): Cut {
  const [down, across] = gather.axes;
  let best: Cut = { tile: [down.d, across.d], rows: down.taps }, least = Infinity;
  // Where parities meet different rows of the kernel, all of these have to be there.
  const someRows = isToFew(gather) && down.d === 1 ? [down.taps, 1] : [down.taps];
  for (const rows of someRows) {
    for (let high = down.d; high <= 8 * down.d; high *= 2) {
      for (let wide = across.d; wide <= 16 * across.d; wide *= 2) {
        const cut: Cut = { tile: [high, wide], rows }, cost = costOf(gather, cut);
        if (cost >= least) continue;
        best = cut;
        least = cost;
      }
    }
  }
  return best;
}

/** Nanoseconds of compiling and running. */
function costOf(gather: Gather, { tile: [high, wide], rows }: Cut): number {
  const { geometry: { batch }, axes: [down, across], from, to } = gather, toFew = isToFew(gather);
  const few = toFew ? to.channels : from.channels, results = high * wide;
  const seen = windowOf(down, { tile: high, taps: rows }).size *
    windowOf(across, { tile: wide, taps: across.taps }).size;
  const multiplies = few * results * rows / down.d * across.taps / across.d;
  const products = costs.multiply * multiplies +
    costs.weights * few * rows * Math.ceil(across.taps / 4);
  const loads = toFew ? seen : seen * few;
  if (multiplies > mostMultiplies || loads > mostLoads[toFew ? "toFew" : "fromFew"]) {
    return Infinity;
  }
  const read = loads * loadCost(wide * across.a / across.d);
  const store = costs.store * (lanes * wide === across.results ? 1 : strayStore);
  const thread = toFew
    ? from.channels * down.taps / rows * (read + products + costs.sum * few * results) +
      store * few * results
    : read + to.channels * (products + store * results);
  const threads = batch * Math.ceil(down.results / high) * Math.ceil(across.results / wide);
  return runs * threads / lanes / cores * thread + compileCosts.multiply * multiplies +
    compileCosts.load * loads +
    compileCosts.store * results * (toFew ? few : 1);
}

/** Whether the results are the side with few channels. */
const isToFew = ({ to }: Gather): boolean => to.channels <= FEW;

function launch(
  ctx: KernelContext,
  gather: Gather,
  { source, weight, out }: { source: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const { kernel, geometry: g, axes: [down, across], from, to } = gather;
  const toFew = isToFew(gather), { tile: [high, wide], rows } = cutOf(gather);
  const blocks = down.taps / rows, quads = Math.ceil(across.taps / 4);
  const [outer, inner] = toFew ? [from, to] : [to, from];
  const packed = packImage(ctx, {
    kernel,
    variant: "pack weight",
    axes: [
      { size: outer.channels, stride: outer.stride },
      { size: down.taps, stride: across.taps },
      { size: inner.channels, stride: inner.stride },
      { size: 4 * quads, stride: 1, limit: across.taps },
    ],
  }, weight);
  const rowsOfTiles = Math.ceil(down.results / high);
  const columnsOfTiles = Math.ceil(across.results / wide);
  const threads = g.batch * rowsOfTiles * columnsOfTiles;
  const grid = threadGrid(ctx, { threads, workgroup: 8 });
  const seenDown = windowOf(down, { tile: high, taps: rows });
  const seenAcross = windowOf(across, { tile: wide, taps: across.taps });
  const window = readWindow(gather, { down: seenDown, across: seenAcross, toFew });
  const weights: Operand = { name: "weight", slot: packed.image, quads: false };
  const wanted = { places: window.places, threads: threads * (toFew ? from.channels * blocks : 1) };
  // Of few channels the window is large beside what it is computed from, so that a prologue would be code without end.
  const ends = toFew && source instanceof ComputedSlot && ctx.epilogue === undefined
    ? computed(sourceOf(source, { ...wanted, operands: [weights, resultOf(out)] }), out)
    : loaded(ctx, out, {
      source,
      weights,
      read: loadsOf(source, { ...wanted, operands: [weights] }),
    });
  const values: TemplateValues = {
    ...grid.values,
    ...{ FROM: from.channels, TO: to.channels, KH: down.taps, KW: across.taps, QUADS: quads },
    ...{ OH: down.results, OW: across.results, TH: high, TW: wide, U: rows, BLOCKS: blocks },
    ...{ ROWS: rowsOfTiles, COLUMNS: columnsOfTiles, HIGH: seenDown.size, WIDE: seenAcross.size },
    ...{ AH: down.a, BH: down.b, CH: down.c - seenDown.first * down.d, DH: down.d },
    ...{ AW: across.a, BW: across.b, CW: across.c - seenAcross.first * across.d, DW: across.d },
  };
  const step = rows * down.b;
  return [packed.dispatch, {
    kernel,
    variant: `${fewVariant} ${high}x${wide}${ends.label}`,
    shape: describeConv2d(g),
    code: instantiate(toFew ? toFewCode : fromFewCode, {
      ...values,
      SLOTS: [ends.code, ...declareImage("weight", { at: 0, written: false })].join("\n"),
      COLUMN_PLACES: Array.from(
        { length: seenAcross.size },
        (_, i) =>
          `  let w${i} = column * ${wide * across.a / across.d}u + ${u32(seenAcross.first + i)};`,
      ).join("\n"),
      ROW_PLACES: Array.from(
        { length: seenDown.size },
        (_, i) =>
          `  let h${i} = row * ${high * down.a / down.d}u + block * ${u32(step)} + ${
            u32(seenDown.first + i)
          };`,
      ).join("\n"),
      WINDOW: [
        ...ends.statements,
        ...ends.values.map((value, at) =>
          `let x${at} = select(0.0, ${value}, ${window.inside[at]});`
        ),
      ].map((line) => `  ${line}`).join("\n"),
    }),
    slots: ends.slots,
    ...(ends.writes && { writes: ends.writes }),
    workgroups: grid.workgroups,
    flops: conv2dFlops(g),
  }];
}

/** Both ends of a kernel: how it comes by its source, and what becomes of its results. */
interface Ends extends Source {
  readonly writes?: readonly Slot[];
}

const resultOf = (slot: Slot): Operand => ({ name: "result", slot, quads: false });

/** A source that is computed: both ends would be written into one kernel without knowing of each other. */
function computed(source: Source, out: Slot): Ends {
  const store = "fn finish(at: u32, value: f32) { store_result(at, value); }";
  const code = [source.code, ...numbers("result", out, { at: 1 }), store].join("\n");
  return { ...source, code };
}

/** A source that lies in memory. */
function loaded(
  ctx: KernelContext,
  out: Slot,
  { source, weights, read }: { source: Slot; weights: Operand; read: Source },
): Ends {
  const operands = [weights, { name: "source", slot: source, quads: false }];
  const { code, label, slots, writes } = resultsOf(ctx, out, { operands, width: 1 });
  const declared = numbers("source", source, { at: 1 }).join("\n");
  return { ...read, code: `${declared}\n${code}`, label, slots, writes };
}

/** Where the numbers of a window lie, of one channel or of all, and what holds where they are inside of the source. */
function readWindow(
  { geometry: { batch }, axes: [down, across], from }: Gather,
  seen: { readonly down: Window; readonly across: Window; readonly toFew: boolean },
): { places: (readonly Step[])[]; inside: string[] } {
  const places: (readonly Step[])[] = [], inside: string[] = [];
  const plane = down.sources * across.sources;
  const channels = seen.toFew
    ? ["channel"]
    : Array.from({ length: from.channels }, (_, i) => `${i}u`);
  for (const at of channels) {
    for (let h = 0; h < seen.down.size; h++) {
      for (let w = 0; w < seen.across.size; w++) {
        places.push([
          { at: "image", stride: from.channels * plane, size: batch },
          { at, stride: plane, size: from.channels },
          { at: `h${h}`, stride: across.sources, size: down.sources },
          { at: `w${w}`, stride: 1, size: across.sources },
        ]);
        inside.push(`(h${h} < ${down.sources}u) & (w${w} < ${across.sources}u)`);
      }
    }
  }
  return { places, inside };
}

/** A whole number, below zero as what wraps around to it. */
const u32 = (x: number): string => `${x >>> 0}u`;
