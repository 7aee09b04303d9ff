// Convolutions and their gradients by Winograd's filtering, for GPUs: tiles are transformed into storage
// buffers, multiplied by the tiled product as n x n independent ones, and transformed back. The operands of
// the products lie as the source has its neighbours, so that all that threads read or write lies together:
//
//   tiles of the source      [slice, channel, tile]     tiles go along the rows of a picture
//   the weight               [slice, output channel, parity, input channel], for the input gradient, too: so that
//                            a plan that has both transforms weights once, and of a large layer they are most bytes
//   the products             [slice, row, tile]         or [slice, row, channel] for the weight gradient

import outputCode from "../../shaders/winograd_output_tiled.wgsl" with { type: "text" };
import tapsCode from "../../shaders/winograd_taps_tiled.wgsl" with { type: "text" };
import transformCode from "../../shaders/winograd_transform_tiled.wgsl" with { type: "text" };
import { conv2dFlops, type Conv2dGeometry, describeConv2d } from "./conv2d_geometry.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { threadGrid } from "./gemm_grid.ts";
import { tiledGemm } from "./gemm_tiled.ts";
import { type MatmulGeometry, matmulStrides } from "./matmul_geometry.ts";
import { matmulGemm, type PartsOfA } from "./matmul_tiled.ts";
import { type Operand, type Results, resultsOf } from "./results.ts";
import { instantiate, type TemplateValues } from "./template.ts";
import { type Filtering, inputGradFiltering, outputFiltering } from "./winograd_geometry.ts";
import { type Matrix, transpose, winogradMatrices } from "./winograd_matrices.ts";
import { sums, type TileAxis, visit } from "./winograd_transform.ts";

type Pair = readonly [number, number];

/** The output of a convolution. `ctx.variant` is the form of the products. */
export function conv2dWinogradTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { m, slots }: { m: number; slots: { x: Slot; weight: Slot; out: Slot } },
): Dispatch[] {
  return filter(ctx, outputFiltering(g, m), { ...slots, source: slots.x });
}

/** The gradient for the input. */
export function conv2dInputGradWinogradTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { m, slots }: { m: number; slots: { grad: Slot; weight: Slot; out: Slot } },
): Dispatch[] {
  return filter(ctx, inputGradFiltering(g, m), { ...slots, source: slots.grad });
}

/** The products of a filtering: slices are a tile's n x n, of each parity of the result. */
export function filteringProduct(f: Filtering): MatmulGeometry {
  const { kernel, geometry: { batch }, matrices: { m, n }, source, result } = f;
  const tiles = tileCounts(result.size, m * result.step);
  return {
    batch: result.step ** 2 * n * n,
    m: result.channels,
    // Whole quads: what is multiplied behind the last tile is read by nobody.
    n: Math.ceil(batch * tiles[0] * tiles[1] / 4) * 4,
    k: source.step ** 2 * source.channels,
    transposeA: kernel === "conv2dInputGrad",
    transposeB: false,
  };
}

function filter(
  ctx: KernelContext,
  f: Filtering,
  slots: { source: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const { kernel, geometry: g, matrices: { m, n, ...matrices }, source, result } = f;
  const product = filteringProduct(f), { b } = matmulStrides(product);
  const outStep = result.step;
  const tiles = tileCounts(result.size, m * outStep);
  const stage = { ctx, kernel, g, m };
  // A parity of the result may begin one later: see shaders/conv2d_input_grad_image.wgsl.
  const late = outStep > 1 && g.padding[0] % outStep > 0 ? 1 : 0;
  const parities = outStep > 1
    ? { count: outStep, shift: late, to: n * n * b.slice }
    : paritiesOf(source, b.step);

  const tilesOfSource = transformTiles(stage, {
    name: "source",
    bytes: 4 * product.batch * b.slice,
    matrix: matrices.input,
    axes: sourceAxes(source, { m, tiles, batch: g.batch, channel: b.step, parities }),
    slice: b.slice,
    ...{ from: source, parities },
  }, slots.source);
  const filters = transformFilters(stage, slots.weight);
  const { dispatches, products } = multiply(stage, product, {
    a: filters.tiles,
    b: tilesOfSource.tiles,
    parts: { count: outStep ** 2, reversed: late > 0 },
  });
  return [
    tilesOfSource.dispatch,
    filters.dispatch,
    ...dispatches,
    transformProducts(stage, f, { products, out: slots.out }),
  ];
}

/** The transformed weight, as it is an operand of the convolution, whosever it is. */
function transformFilters(stage: Stage, weight: Slot): { dispatch: Dispatch; tiles: Slot } {
  const f = outputFiltering(stage.g, stage.m), { source, weight: strides, result } = f;
  const { a } = matmulStrides(filteringProduct(f)), { filter, n } = f.matrices;
  const [k] = stage.g.kernel, parities = paritiesOf(source, a.step);
  return transformTiles(stage, {
    name: "weight",
    bytes: 4 * n * n * a.slice,
    matrix: filter,
    axes: [
      { size: source.channels, from: strides.channel, to: a.step },
      downOf(parities, k),
      { size: result.channels, from: strides.row, to: a.row },
    ],
    slice: a.slice,
    ...{ from: { size: [k, k], first: 0, step: source.step }, parities },
  }, weight);
}

/** The products of a weight gradient by filtering: their depth is tiles of all images. */
export function weightGradProduct(g: Conv2dGeometry, m: number): MatmulGeometry {
  const [s] = g.stride, { n } = winogradMatrices(m, g.kernel[0] / s);
  const tiles = tileCounts(g.outputSize, m);
  return {
    batch: n * n,
    m: g.outChannels,
    n: s * s * g.inChannels,
    k: g.batch * tiles[0] * tiles[1],
    transposeA: false,
    transposeB: true,
  };
}

/**
 * The gradient for the weight: what a tile of the output does to a convolution's result, it does here to its
 * gradient, and the taps come out.
 */
export function conv2dWeightGradWinogradTiled(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { m, slots }: { m: number; slots: { x: Slot; grad: Slot; out: Slot } },
): Dispatch[] {
  const [s] = g.stride, [k] = g.kernel;
  const { source, matrices } = outputFiltering(g, m);
  const product = weightGradProduct(g, m), { a, b } = matmulStrides(product);
  const tiles = tileCounts(g.outputSize, m);
  const stage = { ctx, kernel: "conv2dWeightGrad", g, m };
  const place = { m, tiles, batch: g.batch };
  const parities = paritiesOf(source, b.column);
  const x = transformTiles(stage, {
    name: "x",
    bytes: 4 * product.batch * b.slice,
    matrix: matrices.input,
    axes: sourceAxes(source, { ...place, channel: b.column, parities }),
    slice: b.slice,
    ...{ from: source, parities },
  }, slots.x);
  const from = { channels: g.outChannels, size: g.outputSize, first: 0, step: 1 };
  const none = paritiesOf(from, 0);
  const grad = transformTiles(stage, {
    name: "grad",
    bytes: 4 * product.batch * a.slice,
    matrix: transpose(matrices.output),
    axes: sourceAxes(from, { ...place, channel: a.row, parities: none }),
    slice: a.slice,
    ...{ from, parities: none },
  }, slots.grad);
  const { dispatches, products } = multiply(stage, product, { a: grad.tiles, b: x.tiles });
  return [
    x.dispatch,
    grad.dispatch,
    ...dispatches,
    transformTaps(stage, {
      matrix: transpose(matrices.filter),
      axes: [
        { size: s, from: g.inChannels, to: 1 },
        { size: s, from: s * g.inChannels, to: k },
        { size: g.inChannels, from: 1, to: k * k },
        { size: g.outChannels, from: product.n, to: g.inChannels * k * k },
      ],
      slice: product.m * product.n,
      distances: [s * k, s],
    }, { products, out: slots.out }),
  ];
}

/** Tiles along each axis, of `side` positions. */
const tileCounts = (size: Pair, side: number): Pair => [
  Math.ceil(size[0] / side),
  Math.ceil(size[1] / side),
];

/** So many tiles of a row, and as many rows of tiles, that begin `shift` apart and end up `to` apart. */
interface Parities {
  readonly count: number;
  readonly shift: number;
  readonly to: number;
}

/** Those of a source that are channels of their own, `channel` apart. */
const paritiesOf = (
  { step, channels }: Filtering["source"],
  channel: number,
): Parities => ({ count: step, shift: 1, to: channels * channel });

/** The axis of those down a plane of such width. */
const downOf = ({ count, shift, to }: Parities, width: number): TileAxis => ({
  ...{ size: count, from: shift * width, top: shift, to: count * to },
});

/**
 * The tiles of all images along the rows, then down, then those of the other parity and the other channels: what
 * tiles of both parities see is still near when it is read again.
 */
function sourceAxes(
  { channels, size: [h, w], step }: Filtering["source"],
  { m, tiles, batch, channel, parities }: {
    readonly m: number;
    readonly tiles: Pair;
    readonly batch: number;
    /** Distance of channels in what is written. */
    readonly channel: number;
    readonly parities: Parities;
  },
): TileAxis[] {
  return [
    { size: tiles[1], from: m * step, left: m * step, to: 1 },
    { size: tiles[0], from: m * step * w, top: m * step, to: tiles[1] },
    { size: batch, from: channels * h * w, to: tiles[0] * tiles[1] },
    downOf(parities, w),
    { size: channels, from: h * w, to: channel },
  ];
}

/** What the dispatches of a filtering have in common. */
interface Stage {
  readonly ctx: KernelContext;
  readonly kernel: string;
  readonly g: Conv2dGeometry;
  readonly m: number;
}

/** Tiles of a tensor as operands of products; threads are numbered by `axes`, the fastest first. */
function transformTiles(
  stage: Stage,
  transform: {
    readonly name: string;
    readonly bytes: number;
    readonly matrix: Matrix;
    readonly axes: readonly TileAxis[];
    readonly slice: number;
    /** The planes that tiles are cut from, which are zero outside. */
    readonly from: Omit<Filtering["source"], "channels">;
    readonly parities: Parities;
  },
  source: Slot,
): { dispatch: Dispatch; tiles: Slot } {
  const { name, matrix, slice, parities: { count, shift, to } } = transform;
  const { size: [height, width], first, step } = transform.from;
  const quads = width % 4 === 0 &&
    transform.axes.every(({ size, from = 0 }) => size === 1 || from % 4 === 0);
  const unit = quads ? 4 : 1, offset = (first % unit + unit) % unit;
  const axes = transform.axes.map((axis) => ({ ...axis, from: (axis.from ?? 0) / unit }));
  const tiles = stage.ctx.scratch(transform.bytes);
  const values = {
    ...{ HEIGHT: height, WIDTH: width, STEP: step, SLICE: slice },
    ...{ PARITIES: count, SHIFT: shift, NEXT: to },
    ...{ QUADS: Number(quads), TYPE: quads ? "vec4f" : "f32", OFFSET: offset },
    COLUMNS: (matrix[0].length - 1) * step + (count - 1) * shift + 1,
    // As u32, which wrap around.
    ...{ TOP: first >>> 0, LEFT: (first - offset) >>> 0 },
    ORIGIN: ((first * width + first - offset) / unit) >>> 0,
  };
  const slots = [source, tiles];
  const dispatch = launch(stage, { name, matrix, axes, code: transformCode, values, slots });
  return { dispatch: { ...dispatch, writes: [tiles] }, tiles };
}

/** The products of all slices. */
function multiply(
  { ctx: { cpu, images, limits, variant, scratch }, kernel, g, m }: Stage,
  product: MatmulGeometry,
  { a, b, parts }: { a: Slot; b: Slot; parts?: PartsOfA },
): { dispatches: Dispatch[]; products: Slot } {
  const products = scratch(4 * product.batch * product.m * product.n);
  const gemm = {
    ...matmulGemm(product, parts),
    ...{ kernel, shape: describeConv2d(g), flops: conv2dFlops(g) },
  };
  // Whatever else a context asks for is of the result: operands that are sums, some of them small differences,
  // are never rounded to f16.
  const context = { cpu, images, limits, variant, scratch };
  const dispatches = tiledGemm(context, gemm, { a, b, out: products })
    .map((dispatch) => ({ ...dispatch, variant: `winograd ${m} ${dispatch.variant}` }));
  return { dispatches, products };
}

/**
 * Products as the result of a filtering. Of parities of the result two tiles alternate in a row, and of neighbouring
 * channels where what follows puts their numbers side by side.
 */
function transformProducts(
  stage: Stage,
  f: Filtering,
  { products, out }: { products: Slot; out: Slot },
): Dispatch {
  const { geometry: { batch }, matrices: { m, n, output: matrix }, result } = f;
  const { size: [height], step } = result, product = filteringProduct(f);
  const slice = product.m * product.n, parity = n * n * slice;
  const tiles = tileCounts(result.size, m * step);
  const operands = [operandOf(products)];
  const quads = result.size[1] % 4 === 0 && m * step % 4 === 0;
  const inOrder = resultsOf(stage.ctx, out, { operands, width: quads ? 4 : 1 });
  const inPairs = inOrder.apart && step === 1 && result.channels % 2 === 0
    ? resultsOf(stage.ctx, out, { operands, width: 4, pairs: true })
    : inOrder;
  const pairs = inOrder.apart && !inPairs.apart;
  const across = pairs ? 2 : step, apart = pairs ? 2 : 1;
  const width = apart * result.size[1], channels = result.channels / apart;
  return launchResult(stage, {
    ...{ matrix, code: outputCode, results: pairs ? inPairs : inOrder },
    axes: [
      { size: quads ? m * across / 4 : 1, to: 4, left: 4 },
      { size: tiles[1], from: 1, to: m * across, left: m * across },
      { size: tiles[0], from: tiles[1], to: m * step * width, top: m * step },
      { size: batch, from: tiles[0] * tiles[1], to: channels * height * width },
      { size: step, from: step * parity, to: width, top: 1 },
      { size: channels, from: apart * product.n, to: height * width },
    ],
    values: {
      ...{ HEIGHT: height, WIDTH: width, STEP: step, SLICE: slice },
      ...{ TILES: across, NEXT: pairs ? product.n : parity, QUADS: Number(quads) },
      WHOLE: Number(height % (m * step) === 0 && width % (m * across) === 0),
    },
  });
}

/** Products as a weight; the threads of a filter, one for each parity, follow each other. */
function transformTaps(
  stage: Stage,
  transform: {
    readonly matrix: Matrix;
    readonly axes: readonly TileAxis[];
    readonly slice: number;
    /** Distances of a tile's rows and columns in the weight. */
    readonly distances: Pair;
  },
  { products, out }: { products: Slot; out: Slot },
): Dispatch {
  const { matrix, axes, slice, distances: [down, across] } = transform;
  const taps = out.bytes / 4, width = taps % 4 === 0 ? 4 : 1;
  const results = resultsOf(stage.ctx, out, { operands: [operandOf(products)], width });
  const values = { DOWN: down, ACROSS: across, SLICE: slice, TAPS: taps, WIDTH: width };
  return launchResult(stage, { matrix, axes, code: tapsCode, values, results });
}

const operandOf = (products: Slot): Operand => ({ name: "products", slot: products, quads: false });

/** A transform of products, and what is to be done with its results. */
function launchResult(
  stage: Stage,
  { results, ...transform }: Omit<Launch, "name" | "slots"> & { readonly results: Results },
): Dispatch {
  const { code, slots, label } = results;
  const dispatch = launch(stage, { ...transform, name: "result", slots });
  return { ...dispatch, code: code + dispatch.code, variant: dispatch.variant + label };
}

/** A transform as its shader wants it. */
interface Launch {
  readonly name: string;
  readonly code: string;
  readonly matrix: Matrix;
  readonly axes: readonly TileAxis[];
  readonly values: TemplateValues;
  readonly slots: readonly Slot[];
}

function launch(
  { ctx, kernel, g, m }: Stage,
  { name, code, matrix, axes, values, slots }: Launch,
): Dispatch {
  const threads = axes.reduce((product, { size }) => product * size, 1);
  const grid = threadGrid(ctx, { threads, workgroup: 64 });
  return {
    kernel,
    variant: `winograd ${m} tiled ${name}`,
    shape: describeConv2d(g),
    code: instantiate(code, {
      ...values,
      ...grid.values,
      ...{ SIDE: matrix.length, PATCH: matrix[0].length },
      AXES: axes.filter(({ size }) => size > 1).map(visit).join("\n"),
      SUMS: sums(matrix),
    }),
    slots,
    workgroups: grid.workgroups,
    flops: 0,
  };
}
