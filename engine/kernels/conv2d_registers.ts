// A convolution and its gradients for CPU adapters, as register-tiled matrix products of copies whose
// innermost axis is what the vec4 loads run along. Padding becomes zeros of the copy, so that no load
// needs a mask, and a tap is one offset for a whole tile.

import {
  conv2dFlops,
  type Conv2dGeometry,
  type Conv2dPhases,
  conv2dPhases,
  describeConv2d,
} from "./conv2d_geometry.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { type Repack, repack } from "./gemm_repack.ts";
import {
  chooseRegisterTile,
  chooseSplits,
  type RegisterGemm,
  registerGemm,
} from "./gemm_registers.ts";

type Triple = readonly [number, number, number];

/**
 * The output of a convolution. Rows are output channels, columns are positions and, innermost, four
 * images: so a vec4 of x stays aligned whatever the tap. The depth is taps, then channels.
 */
export function conv2dRegisters(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: { x: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const [h, w] = g.inputSize, [oh, ow] = g.outputSize, [kh, kw] = g.kernel;
  const [sh, sw] = g.stride, [dh, dw] = g.dilation;
  const channels = g.inChannels, images = Math.ceil(g.batch / 4);
  const height = (oh - 1) * sh + (kh - 1) * dh + 1, width = (ow - 1) * sw + (kw - 1) * dw + 1;
  const groups: Triple = [oh, ow, images], loops: Triple = [kh, kw, channels];
  const tile = chooseRegisterTile(Math.ceil(g.outChannels / 4), oh * ow * images, {
    depth: kh * kw * channels,
  });
  const splits = chooseSplits(tile, oh * ow * images, { loops, slices: 1 });

  const launch = new Launch(ctx, "conv2d");
  const b = launch.pack("pack x", slots.x, [
    { size: height, stride: w, shift: -g.padding[0], limit: h },
    { size: width, stride: 1, shift: -g.padding[1], limit: w },
    { size: channels, stride: h * w },
    { size: 4 * images, stride: channels * h * w, limit: g.batch },
  ]);
  const a = launch.pack("pack weight", slots.weight, [
    { size: kh, stride: kw },
    { size: kw, stride: 1 },
    { size: channels, stride: kh * kw },
    { size: 4 * tile.rows, stride: channels * kh * kw, limit: g.outChannels },
  ]);
  const position = channels * images;
  const result = launch.multiply(g, { tile, splits, loops, groups }, {
    a: {
      slot: a,
      loops: [kw * channels * tile.rows, channels * tile.rows, tile.rows],
    },
    b: {
      slot: b,
      groups: [sh * width * position, sw * position, 1],
      loops: [dh * width * position, dw * position, images],
    },
  });
  const row = 16 * oh * ow * images;
  launch.unpack(result, slots.out, {
    axes: [
      { size: g.batch, stride: 1 },
      { size: g.outChannels, stride: row / 4 },
      { size: oh, stride: 4 * ow * images },
      { size: ow, stride: 4 * images },
    ],
    terms: splits,
    termStride: tile.rows * row,
  });
  return launch.dispatches;
}

/**
 * The gradient for the input. With stride s, the positions s u + p of one parity p are reached only by
 * taps s a + r, where r = (p + padding) % s, from output u + floor((p + padding) / s) - a. So each
 * parity (a slice) is a convolution of stride 1 with its own taps, and none multiplies by the zeros in
 * between. Taps are stored in reverse, so that offsets grow with them, and parities are numbered so,
 * too. With stride 1, tap a stands at distance a times the dilation.
 */
export function conv2dInputGradRegisters(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: { grad: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const [h, w] = g.inputSize, [oh, ow] = g.outputSize, [kh, kw] = g.kernel, [sh, sw] = g.stride;
  const channels = g.outChannels, images = Math.ceil(g.batch / 4);
  const vertical = paddedPhases(g, 0), horizontal = paddedPhases(g, 1);
  const height = vertical.size, width = horizontal.size;
  const groups: Triple = [vertical.count, horizontal.count, images];
  const loops: Triple = [vertical.taps, horizontal.taps, channels];
  const groupCount = vertical.count * horizontal.count * images;
  const tile = chooseRegisterTile(Math.ceil(g.inChannels / 4), groupCount, {
    depth: sh * sw * vertical.taps * horizontal.taps * channels,
  });
  const splits = chooseSplits(tile, groupCount, { loops, slices: sh * sw });

  const launch = new Launch(ctx, "conv2dInputGrad");
  const b = launch.pack("pack grad", slots.grad, [
    { size: height, stride: ow, shift: vertical.first, limit: oh },
    { size: width, stride: 1, shift: horizontal.first, limit: ow },
    { size: channels, stride: oh * ow },
    { size: 4 * images, stride: channels * oh * ow, limit: g.batch },
  ]);
  const rows = vertical.taps * sh, columns = horizontal.taps * sw;
  const a = launch.pack("pack weight", slots.weight, [
    { size: rows, stride: kw, reversed: true, shift: rows - 1, limit: kh },
    { size: columns, stride: 1, reversed: true, shift: columns - 1, limit: kw },
    { size: channels, stride: g.inChannels * kh * kw },
    { size: 4 * tile.rows, stride: kh * kw, limit: g.inChannels },
  ]);
  const tap = channels * tile.rows, position = channels * images;
  const result = launch.multiply(g, {
    tile,
    splits,
    loops,
    groups,
    slices: g.stride,
    turns: [vertical.turn, horizontal.turn],
  }, {
    a: {
      slot: a,
      slices: [columns * tap, tap],
      loops: [sh * columns * tap, sw * tap, tile.rows],
    },
    b: {
      slot: b,
      turns: [width * position, position],
      groups: [width * position, position, 1],
      loops: [vertical.step * width * position, horizontal.step * position, images],
    },
  });
  const row = 4 * groupCount, slice = 4 * tile.rows * row;
  launch.unpack(result, slots.out, {
    axes: [
      { size: g.batch, stride: 1 },
      { size: g.inChannels, stride: row },
      { size: h, stride: 4 * horizontal.count * images, split: sh, remainder: -sw * slice },
      { size: w, stride: 4 * images, split: sw, remainder: -slice },
    ],
    base: (sh * sw - 1) * slice,
    terms: splits,
    termStride: sh * sw * slice,
  });
  return launch.dispatches;
}

interface PaddedPhases extends Conv2dPhases {
  /** Turns a parity, numbered in reverse, into its taps', likewise; see RegisterGemm. */
  readonly turn: number;
  /** The output that the padded gradient begins with, and its length. */
  readonly first: number;
  readonly size: number;
}

function paddedPhases(g: Conv2dGeometry, axis: 0 | 1): PaddedPhases {
  const phases = conv2dPhases(g, axis);
  const stride = g.stride[axis], padding = g.padding[axis];
  const reach = (phases.taps - 1) * phases.step;
  return {
    ...phases,
    turn: stride - padding % stride,
    first: Math.floor(padding / stride) - reach,
    size: phases.count + Number(padding % stride > 0) + reach,
  };
}

/**
 * The gradient for the weight. Rows are output channels, columns are taps and, innermost, four input
 * channels; the depth is every position of every image, usually far more than there are tiles, so
 * it is split.
 */
export function conv2dWeightGradRegisters(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: { x: Slot; grad: Slot; out: Slot },
): Dispatch[] {
  const [h, w] = g.inputSize, [oh, ow] = g.outputSize, [kh, kw] = g.kernel;
  const [sh, sw] = g.stride, [dh, dw] = g.dilation;
  const channels = Math.ceil(g.inChannels / 4);
  const height = (oh - 1) * sh + (kh - 1) * dh + 1, width = (ow - 1) * sw + (kw - 1) * dw + 1;
  const groups: Triple = [kh, kw, channels];
  const tile = chooseRegisterTile(Math.ceil(g.outChannels / 4), kh * kw * channels, {
    depth: g.batch * oh * ow,
  });

  const launch = new Launch(ctx, "conv2dWeightGrad");
  const a = launch.pack("pack grad", slots.grad, [
    { size: g.batch, stride: g.outChannels * oh * ow },
    { size: oh, stride: ow },
    { size: ow, stride: 1 },
    { size: 4 * tile.rows, stride: oh * ow, limit: g.outChannels },
  ]);
  const b = launch.pack("pack x", slots.x, [
    { size: g.batch, stride: g.inChannels * h * w },
    { size: height, stride: w, shift: -g.padding[0], limit: h },
    { size: width, stride: 1, shift: -g.padding[1], limit: w },
    { size: 4 * channels, stride: h * w, limit: g.inChannels },
  ]);
  // The outermost loop is the one that is split, so it is the longer one.
  const order = (image: number, row: number, column: number): Triple =>
    g.batch >= oh ? [image, row, column] : [row, image, column];
  const loops = order(g.batch, oh, ow);
  const splits = chooseSplits(tile, kh * kw * channels, { loops, slices: 1 });
  const result = launch.multiply(g, { tile, splits, loops, groups }, {
    a: { slot: a, loops: order(oh * ow * tile.rows, ow * tile.rows, tile.rows) },
    b: {
      slot: b,
      groups: [dh * width * channels, dw * channels, 1],
      loops: order(height * width * channels, sh * width * channels, sw * channels),
    },
  });
  const row = 4 * kh * kw * channels;
  launch.unpack(result, slots.out, {
    axes: [
      { size: g.outChannels, stride: row },
      { size: g.inChannels, stride: 1 },
      { size: kh, stride: 4 * kw * channels },
      { size: kw, stride: 4 * channels },
    ],
    terms: splits,
    termStride: 4 * tile.rows * row,
  });
  return launch.dispatches;
}

type Product = Omit<RegisterGemm, "kernel" | "shape" | "flops" | "a" | "b">;

interface Operands {
  readonly a: { readonly slot: Slot } & RegisterGemm["a"];
  readonly b: { readonly slot: Slot } & RegisterGemm["b"];
}

/** The dispatches of one launch: copies in, the product, and the copy out. */
class Launch {
  readonly dispatches: Dispatch[] = [];
  readonly #ctx: KernelContext;
  readonly #kernel: string;

  constructor(ctx: KernelContext, kernel: string) {
    this.#ctx = ctx;
    this.#kernel = kernel;
  }

  pack(variant: string, source: Slot, axes: Repack["axes"]): Slot {
    const result = this.#ctx.scratch(4 * axes.reduce((size, axis) => size * axis.size, 1));
    this.dispatches.push(
      repack(this.#ctx, { kernel: this.#kernel, variant, axes }, { source, result }),
    );
    return result;
  }

  multiply(g: Conv2dGeometry, product: Product, { a, b }: Operands): Slot {
    const { tile, splits, groups, slices = [1, 1] } = product;
    const vectors = splits * slices[0] * slices[1] * 4 * tile.rows *
      groups[0] * groups[1] * groups[2];
    const result = this.#ctx.scratch(16 * vectors);
    const gemm = {
      ...product,
      kernel: this.#kernel,
      shape: describeConv2d(g),
      flops: conv2dFlops(g),
      a,
      b,
    };
    this.dispatches.push(registerGemm(this.#ctx, gemm, { a: a.slot, b: b.slot, result }));
    return result;
  }

  unpack(source: Slot, result: Slot, copy: Omit<Repack, "kernel" | "variant">): void {
    this.dispatches.push(
      repack(this.#ctx, { ...copy, kernel: this.#kernel, variant: "unpack" }, { source, result }),
    );
  }
}
