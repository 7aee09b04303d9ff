// Convolutions and their gradients by Winograd's filtering, for CPU adapters: tiles of the operands are
// transformed, multiplied as n x n independent matrix products, and transformed back. F(4, 3) needs 36
// multiplications where the direct form needs 144.

import operands from "../../shaders/winograd_image.wgsl" with { type: "text" };
import { conv2dFlops, type Conv2dGeometry, describeConv2d } from "./conv2d_geometry.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import {
  chooseImageTile,
  imageGemm,
  type ImageProduct,
  type ImageTile,
  paddedRows,
  resultImage,
  type RowsOfA,
  type TransposedA,
} from "./gemm_image.ts";
import type { ImageSlot } from "./image.ts";
import type { TemplateValues } from "./template.ts";
import { type Filtering, inputGradFiltering, outputFiltering } from "./winograd_geometry.ts";
import { transpose, winogradMatrices } from "./winograd_matrices.ts";
import { tilesOfGrad, tilesOfInput, tilesOfSource } from "./winograd_sources.ts";
import { outputTiles, transformTiles } from "./winograd_transform.ts";

const parities = (count: number, step: { from?: number; to?: number; reversed?: boolean }) => ({
  size: count,
  ...step,
});

/** The output of a convolution. */
export function conv2dWinograd(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { m, slots }: { m: number; slots: { x: Slot; weight: Slot; out: Slot } },
): Dispatch[] {
  return filter(ctx, outputFiltering(g, m), { ...slots, source: slots.x });
}

/** The gradient for the input. */
export function conv2dInputGradWinograd(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { m, slots }: { m: number; slots: { grad: Slot; weight: Slot; out: Slot } },
): Dispatch[] {
  return filter(ctx, inputGradFiltering(g, m), { ...slots, source: slots.grad });
}

function filter(
  ctx: KernelContext,
  f: Filtering,
  slots: { source: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const { kernel, geometry: g, matrices: { m, n, ...matrices }, source, result } = f;
  const shape = describeConv2d(g), variant = `winograd ${m}`;
  const [height, width] = result.size;
  const inStep = source.step, outStep = result.step;
  const { images, tiles, product } = productOfFiltering(f), { depth, slices } = product;
  // A parity of the result may begin one later: see shaders/conv2d_input_grad_image.wgsl.
  const late = outStep > 1 && g.padding[0] % outStep > 0 ? 1 : 0;

  const tile = tilesOfSource(ctx, f, { late, images, tiles, slot: slots.source });
  const b = transformTiles(ctx, {
    kernel,
    variant: `${variant} source`,
    shape,
    matrix: matrices.input,
    axes: [
      {
        axes: [
          { size: tiles[1], ...tile.across(inStep * m) },
          { size: images, ...tile.images },
          { size: tiles[0], ...tile.down(inStep * m) },
        ],
        length: product.width,
        to: slices * depth * product.width,
      },
      { size: source.channels, ...tile.channels, to: product.width },
      parities(inStep, { ...tile.across(1), to: source.channels * product.width }),
      parities(inStep, { ...tile.down(1), to: inStep * source.channels * product.width }),
      parities(outStep, { ...tile.across(late), to: n * n * depth * product.width }),
      parities(outStep, { ...tile.down(late), to: outStep * n * n * depth * product.width }),
    ],
    ...tile.reads,
    slice: depth * product.width,
    texels: product.columnBlocks * slices * depth * product.width,
  }, tile.slot);
  const a = transformFilters(ctx, f, { product, late, slot: slots.weight });
  const { dispatch, image } = multiply(ctx, { kernel, variant, shape, flops: conv2dFlops(g) }, {
    product,
    a: a.operand,
    values: a.values,
    b: b.image,
  });
  const plane = height * width, slice = 4 * product.rows * product.groups;
  return [
    ...tile.dispatches,
    b.dispatch,
    a.dispatch,
    dispatch,
    outputTiles(ctx, {
      kernel,
      variant: `${variant} result`,
      shape,
      matrix: matrices.output,
      axes: [
        { size: tiles[1], from: 1, to: m * outStep, left: m * outStep },
        { size: images, from: tiles[1], to: 4 * result.channels * plane, vector: 4 },
        { size: tiles[0], from: images * tiles[1], to: m * outStep * width, top: m * outStep },
        { size: result.channels, from: product.groups, to: plane },
        { size: outStep, from: n * n * slice, to: 1, left: 1 },
        { size: outStep, from: outStep * n * n * slice, to: width, top: 1 },
      ],
      slice,
      down: outStep * width,
      across: outStep,
      vector: result.channels * plane,
      limit: g.batch,
      height,
      width,
      step: [outStep, outStep],
    }, { products: image, out: slots.out }),
  ];
}

/** The tiles of a filtering along both axes, four images at a time, and their products. */
function productOfFiltering(
  { geometry: { batch }, matrices: { m, n }, source, result }: Filtering,
): { images: number; tiles: readonly number[]; product: TileProduct } {
  const images = Math.ceil(batch / 4);
  const tiles = result.size.map((size) => Math.ceil(Math.ceil(size / result.step) / m));
  const product = productOf({
    rows: Math.ceil(result.channels / 4),
    columns: tiles[0] * images * tiles[1],
    depth: source.step ** 2 * source.channels,
    slices: result.step ** 2 * n * n,
  });
  return { images, tiles, product };
}

/**
 * The transformed weight. An input gradient reads what its convolution reads, where texels of that hold no
 * channels past the last: so that a plan that has both transforms weights once, and of a large layer they are
 * most of the bytes.
 */
function transformFilters(
  ctx: KernelContext,
  f: Filtering,
  { product, late, slot }: { product: TileProduct; late: number; slot: Slot },
): { dispatch: Dispatch; operand: RowsOfA | TransposedA; values: TemplateValues } {
  const { geometry: g, matrices: { m, n } } = f;
  if (f.kernel === "conv2dInputGrad") {
    const forward = outputFiltering(g, m), { product: other } = productOfFiltering(forward);
    if (g.outChannels % (4 * other.block) === 0) {
      const { dispatch, image } = tilesOfFilters(ctx, forward, { product: other, late: 0, slot });
      const { slices, depth, block } = other;
      return {
        dispatch,
        operand: { slot: image, row: block, length: block, block: slices * depth * block },
        values: {
          ...{ FILTERS: n * n, A_SLICE: depth * block, A_PARITY: g.inChannels * block },
          ...{ PARITIES: f.result.step ** 2, REVERSED: late },
        },
      };
    }
  }
  const { dispatch, image } = tilesOfFilters(ctx, f, { product, late, slot });
  const { a, values } = rowsOfA(product, image);
  return { dispatch, operand: a, values };
}

/** The weight's tiles as the rows of a filtering's products. */
function tilesOfFilters(
  ctx: KernelContext,
  f: Filtering,
  { product, late, slot }: { product: TileProduct; late: number; slot: Slot },
): { dispatch: Dispatch; image: ImageSlot } {
  const { kernel, geometry: g, matrices: { m, n, filter }, source, weight, result } = f;
  const { depth, slices, block } = product;
  const inStep = source.step, outStep = result.step, reversed = late > 0;
  return transformTiles(ctx, {
    kernel,
    variant: `winograd ${m} weight`,
    shape: describeConv2d(g),
    matrix: filter,
    axes: [
      { size: source.channels, from: weight.channel, to: block },
      parities(inStep, { from: weight.parity[1], to: source.channels * block }),
      parities(inStep, { from: weight.parity[0], to: inStep * source.channels * block }),
      parities(outStep, { from: weight.parity[1], to: n * n * depth * block, reversed }),
      parities(outStep, { from: weight.parity[0], to: outStep * n * n * depth * block, reversed }),
      {
        axes: [{ size: product.rows, from: 4 * weight.row, vector: 4 }],
        length: block,
        to: slices * depth * block,
      },
    ],
    down: weight.tap[0],
    across: weight.tap[1],
    slice: depth * block,
    texels: product.rows * slices * depth,
    memory: { vector: weight.row, limit: result.channels },
  }, slot);
}

/** An operand that was laid out for these products. */
function rowsOfA(
  { loops, slices, depth, block }: TileProduct,
  slot: ImageSlot,
): { a: RowsOfA; values: TemplateValues } {
  return {
    a: { slot, block: slices * depth * block, loops: [loops[2] * block, 0, block] },
    values: {
      ...{ FILTERS: slices, A_SLICE: depth * block, A_PARITY: 0, PARITIES: 1, REVERSED: 0 },
    },
  };
}

/**
 * The gradient for the weight: the products' depth is tiles of images, their rows and columns are
 * channels; what a tile of the output does to a convolution's result, it does here to its gradient, and
 * the taps come out.
 */
export function conv2dWeightGradWinograd(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { m, slots }: { m: number; slots: { x: Slot; grad: Slot; out: Slot } },
): Dispatch[] {
  const kernel = "conv2dWeightGrad", shape = describeConv2d(g), variant = `winograd ${m}`;
  const [s] = g.stride, [k] = g.kernel, [oh, ow] = g.outputSize;
  const { n, ...matrices } = winogradMatrices(m, k / s);
  const channels = Math.ceil(g.inChannels / 4);
  const tiles = [Math.ceil(oh / m), Math.ceil(ow / m)];
  const depth = g.batch * tiles[0] * tiles[1];
  const product = productOf({
    rows: Math.ceil(g.outChannels / 4),
    columns: s * s * channels,
    depth,
    slices: n * n,
  });
  const x = tilesOfInput(ctx, g, { n, m, tiles, slot: slots.x });
  const b = transformTiles(ctx, {
    kernel,
    variant: `${variant} x`,
    shape,
    matrix: matrices.input,
    axes: [
      {
        axes: [
          { size: channels, ...x.channels },
          { size: s, ...x.across(1) },
          { size: s, ...x.down(1) },
        ],
        length: product.width,
        to: n * n * depth * product.width,
      },
      { size: tiles[1], ...x.across(s * m), to: product.width },
      { size: tiles[0], ...x.down(s * m), to: tiles[1] * product.width },
      { size: g.batch, ...x.images, to: tiles[0] * tiles[1] * product.width },
    ],
    ...x.reads,
    slice: depth * product.width,
    texels: product.columnBlocks * n * n * depth * product.width,
  }, x.slot);
  const grad = tilesOfGrad(ctx, g, { m, tiles, rows: product.rows, slot: slots.grad });
  const a = transformTiles(ctx, {
    kernel,
    variant: `${variant} grad`,
    shape,
    matrix: transpose(matrices.output),
    axes: [
      { size: tiles[1], ...grad.across(m), to: product.block },
      { size: tiles[0], ...grad.down(m), to: tiles[1] * product.block },
      { size: g.batch, ...grad.images, to: tiles[0] * tiles[1] * product.block },
      {
        axes: [{ size: product.rows, ...grad.channels }],
        length: product.block,
        to: n * n * depth * product.block,
      },
    ],
    ...grad.reads,
    slice: depth * product.block,
    texels: product.rows * n * n * depth,
  }, grad.slot);
  const { dispatch, image } = multiply(ctx, { kernel, variant, shape, flops: conv2dFlops(g) }, {
    product,
    ...rowsOfA(product, a.image),
    b: b.image,
  });
  const kernelSize = k * k;
  return [
    ...x.dispatches,
    b.dispatch,
    ...grad.dispatches,
    a.dispatch,
    dispatch,
    outputTiles(ctx, {
      kernel,
      variant: `${variant} result`,
      shape,
      matrix: transpose(matrices.filter),
      axes: [
        { size: channels, from: 1, to: 4 * kernelSize, vector: 4 },
        { size: s, from: channels, to: 1, left: 1 },
        { size: s, from: s * channels, to: k, top: 1 },
        { size: g.outChannels, from: product.groups, to: g.inChannels * kernelSize },
      ],
      slice: 4 * product.rows * product.groups,
      down: s * k,
      across: s,
      vector: kernelSize,
      limit: g.inChannels,
      height: k,
      width: k,
      step: [s, s],
      quads: s === 1 && g.inChannels % 4 === 0,
    }, { products: image, out: slots.out }),
  ];
}

/** How the n x n products are cut. */
interface TileProduct {
  readonly tile: ImageTile;
  readonly loops: readonly [number, number, number];
  /** Texels of rows, padded to whole blocks, and of a block. */
  readonly rows: number;
  readonly block: number;
  /** Columns, padded to whole blocks of `width`. */
  readonly groups: number;
  readonly width: number;
  readonly columnBlocks: number;
  readonly depth: number;
  readonly slices: number;
}

function productOf(
  { rows, columns, depth, slices }: {
    rows: number;
    columns: number;
    depth: number;
    slices: number;
  },
): TileProduct {
  const step = [4, 3, 2].find((step) => depth % step === 0) ?? 1;
  const loops = [depth / step, 1, step] as const;
  const product: ImageProduct = { rows, groups: columns, loops, slices, storeImage: true };
  const tile = chooseImageTile(product);
  const width = tile.lanes.n * tile.n, columnBlocks = Math.ceil(columns / width);
  return {
    ...{ tile, loops, width, columnBlocks, depth, slices },
    rows: paddedRows(tile, rows),
    block: tile.lanes.m * tile.m,
    groups: columnBlocks * width,
  };
}

function multiply(
  ctx: KernelContext,
  what: { kernel: string; variant: string; shape: string; flops: number },
  { product, a, values, b }: {
    product: TileProduct;
    a: RowsOfA | TransposedA;
    values: TemplateValues;
    b: ImageSlot;
  },
): { dispatch: Dispatch; image: ImageSlot } {
  const { tile, loops, rows, width, columnBlocks, depth, slices } = product;
  const groups = [columnBlocks, 1, width] as const;
  const image = resultImage({ rows, groups, slices });
  const [dispatch] = imageGemm(ctx, {
    ...what,
    ...{ tile, loops, groups, rows, slices },
    a,
    b: {
      slot: b,
      groups: [slices * depth * width, 0, 1],
      loops: [loops[2] * width, 0, width],
    },
    operands,
    values: { ...values, B_SLICE: depth * width },
  }, image);
  return { dispatch: { ...dispatch, variant: `${what.variant}, ${dispatch.variant}` }, image };
}
