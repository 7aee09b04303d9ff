// A convolution and its gradients for CPU adapters, as products of images that are packed from their
// operands. Padding becomes zeros of the image, so that no load needs a mask, and a tap is one offset for a
// whole tile.

import forward from "../../shaders/conv2d_image.wgsl" with { type: "text" };
import inputGrad from "../../shaders/conv2d_input_grad_image.wgsl" with { type: "text" };
import weightGrad from "../../shaders/conv2d_weight_grad_image.wgsl" with { type: "text" };
import {
  conv2dFlops,
  type Conv2dGeometry,
  type Conv2dPhases,
  conv2dPhases,
  conv2dValues,
  describeConv2d,
} from "./conv2d_geometry.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { chooseImageTile, imageGemm, type ImageProduct, paddedRows } from "./gemm_image.ts";
import { packImage } from "./pack_image.ts";

type Triple = readonly [number, number, number];

/**
 * The output of a convolution. Rows are output channels, columns are positions of four images each: so a
 * texel of x stays aligned whatever the tap. The depth is taps, then channels.
 */
export function conv2dImage(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: { x: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const kernel = "conv2d";
  const [h, w] = g.inputSize, [oh, ow] = g.outputSize, [kh, kw] = g.kernel;
  const [sh, sw] = g.stride, [dh, dw] = g.dilation;
  const channels = g.inChannels, images = Math.ceil(g.batch / 4);
  const height = (oh - 1) * sh + (kh - 1) * dh + 1, width = (ow - 1) * sw + (kw - 1) * dw + 1;
  const loops: Triple = [kh, kw, channels];
  const product: ImageProduct = {
    rows: Math.ceil(g.outChannels / 4),
    groups: oh * images * ow,
    loops,
  };
  const tile = chooseImageTile(product), rows = paddedRows(tile, product.rows);
  const block = tile.lanes.m * tile.m;
  const b = packImage(ctx, {
    kernel,
    variant: "pack x",
    axes: [
      { size: height, stride: w, shift: -g.padding[0], limit: h },
      { size: images, stride: 4 * channels * h * w },
      { size: channels, stride: h * w },
      { size: width, stride: 1, shift: -g.padding[1], limit: w },
      { size: 4, stride: channels * h * w },
    ],
  }, slots.x);
  const a = packImage(ctx, {
    kernel,
    variant: "pack weight",
    axes: [
      { size: kh, stride: kw },
      { size: kw, stride: 1 },
      { size: channels, stride: kh * kw },
      { size: 4 * rows, stride: channels * kh * kw, limit: g.outChannels, block: 4 * block },
    ],
  }, slots.weight);
  const line = channels * width;
  return [
    b.dispatch,
    a.dispatch,
    ...imageGemm(ctx, {
      kernel,
      shape: describeConv2d(g),
      flops: conv2dFlops(g),
      tile,
      loops,
      groups: [oh, images, ow],
      rows,
      a: {
        slot: a.image,
        block: kh * kw * channels * block,
        loops: [kw * channels * block, channels * block, block],
      },
      b: {
        slot: b.image,
        groups: [sh * images * line, line, sw],
        loops: [dh * images * line, dw, width],
      },
      operands: forward,
      values: { ...conv2dValues(g), IMAGES: images },
    }, slots.out),
  ];
}

/** The gradient for the input; see shaders/conv2d_input_grad_image.wgsl. */
export function conv2dInputGradImage(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: { grad: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const kernel = "conv2dInputGrad";
  const [oh, ow] = g.outputSize, [kh, kw] = g.kernel, [sh, sw] = g.stride;
  const channels = g.outChannels, images = Math.ceil(g.batch / 4);
  const down = paddedPhases(g, 0), across = paddedPhases(g, 1);
  const loops: Triple = [down.taps, across.taps, channels];
  const product: ImageProduct = {
    rows: Math.ceil(g.inChannels / 4),
    groups: down.count * images * across.count,
    loops,
    slices: sh * sw,
  };
  const tile = chooseImageTile(product), rows = paddedRows(tile, product.rows);
  const block = tile.lanes.m * tile.m;
  const b = packImage(ctx, {
    kernel,
    variant: "pack grad",
    axes: [
      { size: down.size, stride: ow, shift: down.first, limit: oh },
      { size: images, stride: 4 * channels * oh * ow },
      { size: channels, stride: oh * ow },
      { size: across.size, stride: 1, shift: across.first, limit: ow },
      { size: 4, stride: channels * oh * ow },
    ],
  }, slots.grad);
  const high = down.taps * sh, wide = across.taps * sw;
  const a = packImage(ctx, {
    kernel,
    variant: "pack weight",
    axes: [
      { size: high, stride: kw, reversed: true, shift: high - 1, limit: kh },
      { size: wide, stride: 1, reversed: true, shift: wide - 1, limit: kw },
      { size: channels, stride: g.inChannels * kh * kw },
      { size: 4 * rows, stride: kh * kw, limit: g.inChannels, block: 4 * block },
    ],
  }, slots.weight);
  const tap = channels * block, line = channels * across.size;
  return [
    b.dispatch,
    a.dispatch,
    ...imageGemm(ctx, {
      kernel,
      shape: describeConv2d(g),
      flops: conv2dFlops(g),
      tile,
      loops,
      groups: [down.count, images, across.count],
      rows,
      slices: sh * sw,
      a: { slot: a.image, block: high * wide * tap, loops: [sh * wide * tap, sw * tap, block] },
      b: {
        slot: b.image,
        groups: [images * line, line, 1],
        loops: [down.step * images * line, across.step, across.size],
      },
      operands: inputGrad,
      values: {
        ...conv2dValues(g),
        IMAGES: images,
        U_W: across.count,
        ...{ A_SLICE_H: wide * tap, A_SLICE_W: tap },
        ...{ B_SLICE_H: images * line, B_SLICE_W: 1 },
      },
    }, slots.out),
  ];
}

interface PaddedPhases extends Conv2dPhases {
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
    first: Math.floor(padding / stride) - reach,
    size: phases.count + Number(padding % stride > 0) + reach,
  };
}

/**
 * The gradient for the weight. Rows are output channels, columns are taps and, innermost, four input
 * channels; the depth is every position of every image, usually far more than there are tiles, so
 * it is split.
 */
export function conv2dWeightGradImage(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: { x: Slot; grad: Slot; out: Slot },
): Dispatch[] {
  const kernel = "conv2dWeightGrad";
  const [h, w] = g.inputSize, [oh, ow] = g.outputSize, [kh, kw] = g.kernel;
  const [sh, sw] = g.stride, [dh, dw] = g.dilation;
  const channels = Math.ceil(g.inChannels / 4);
  const height = (oh - 1) * sh + (kh - 1) * dh + 1, width = (ow - 1) * sw + (kw - 1) * dw + 1;
  // The outermost loop is the one that is split, so it is the longer one.
  const order = (image: number, row: number, column: number): Triple =>
    g.batch >= oh ? [image, row, column] : [row, image, column];
  const loops = order(g.batch, oh, ow);
  const product = {
    rows: Math.ceil(g.outChannels / 4),
    groups: kh * kw * channels,
    loops,
  };
  const tile = chooseImageTile(product), rows = paddedRows(tile, product.rows);
  const block = tile.lanes.m * tile.m;
  const a = packImage(ctx, {
    kernel,
    variant: "pack grad",
    axes: [
      { size: g.batch, stride: g.outChannels * oh * ow },
      { size: oh, stride: ow },
      { size: ow, stride: 1 },
      { size: 4 * rows, stride: oh * ow, limit: g.outChannels, block: 4 * block },
    ],
  }, slots.grad);
  const b = packImage(ctx, {
    kernel,
    variant: "pack x",
    axes: [
      { size: g.batch, stride: g.inChannels * h * w },
      { size: height, stride: w, shift: -g.padding[0], limit: h },
      { size: width, stride: 1, shift: -g.padding[1], limit: w },
      { size: 4 * channels, stride: h * w, limit: g.inChannels },
    ],
  }, slots.x);
  return [
    a.dispatch,
    b.dispatch,
    ...imageGemm(ctx, {
      kernel,
      shape: describeConv2d(g),
      flops: conv2dFlops(g),
      tile,
      loops,
      groups: [kh, kw, channels],
      rows,
      a: {
        slot: a.image,
        block: g.batch * oh * ow * block,
        loops: order(oh * ow * block, ow * block, block),
      },
      b: {
        slot: b.image,
        groups: [dh * width * channels, dw * channels, 1],
        loops: order(height * width * channels, sh * width * channels, sw * channels),
      },
      operands: weightGrad,
      values: { ...conv2dValues(g), CHANNELS: channels },
    }, slots.out),
  ];
}
