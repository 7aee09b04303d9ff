// Where Winograd's transforms on CPU adapters read the tiles of their operands: in the operand itself, where it
// lies in texels, whose loads are cheap, or in a copy of it with zeros around.

import type { Conv2dGeometry } from "./conv2d_geometry.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { packImage } from "./pack_image.ts";
import { TexelSlot } from "./texels.ts";
import type { Filtering } from "./winograd_geometry.ts";
import type { TileAxis, TilesInMemory, TileTransform } from "./winograd_transform.ts";

/** Where tiles of an operand are read from, four images or four channels at a time. */
export interface TiledSource {
  readonly slot: Slot;
  readonly dispatches: readonly Dispatch[];
  /** To the next images, and to the next channels. */
  readonly images: Partial<TileAxis>;
  readonly channels: Partial<TileAxis>;
  /** To what lies so many rows or columns on. */
  down(rows: number): Partial<TileAxis>;
  across(columns: number): Partial<TileAxis>;
  readonly reads: Pick<TileTransform, "down" | "across"> & Partial<TilesInMemory>;
}

/**
 * The source itself where its loads are cheap: a tile loads numbers one by one then, up to 2.25 times each, which
 * is less than to store them once. Else a copy with zeros around it, of vectors.
 */
export function tilesOfSource(
  ctx: KernelContext,
  { kernel, geometry: g, matrices: { m, r }, source }: Filtering,
  { late, images, tiles, slot }: {
    late: number;
    images: number;
    tiles: readonly number[];
    slot: Slot;
  },
): TiledSource {
  const { channels, size, first, step } = source, [h, w] = size, plane = h * w;
  if (slot instanceof TexelSlot) {
    return {
      slot,
      dispatches: [],
      images: { from: 4 * channels * plane, vector: 4 },
      channels: { from: plane },
      ...inPlace({ vector: channels * plane, limit: g.batch }, { size, first, step }),
    };
  }
  const [high, wide] = tiles.map((count) => step * (count * m + r - 1) + late);
  const { dispatch, image } = packImage(ctx, {
    kernel,
    variant: "pack",
    axes: [
      { size: high, stride: w, shift: first, limit: h },
      { size: images, stride: 4 * channels * plane },
      { size: channels, stride: plane },
      { size: wide, stride: 1, shift: first, limit: w },
      { size: 4, stride: channels * plane },
    ],
  }, slot);
  const line = channels * wide, row = images * line;
  return {
    slot: image,
    dispatches: [dispatch],
    images: { from: line },
    channels: { from: wide },
    down: (rows) => ({ from: rows * row }),
    across: (columns) => ({ from: columns }),
    reads: { down: step * row, across: step },
  };
}

/** The same for the input as an operand of the weight's gradient, whose tiles are of four channels. */
export function tilesOfInput(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { n, m, tiles, slot }: { n: number; m: number; tiles: readonly number[]; slot: Slot },
): TiledSource {
  const { inputSize: size, stride: [step], inChannels } = g, [h, w] = size, plane = h * w;
  const first = -g.padding[0];
  if (slot instanceof TexelSlot) {
    return {
      slot,
      dispatches: [],
      images: { from: inChannels * plane },
      channels: { from: 4 * plane, vector: 4 },
      ...inPlace({ vector: plane, limit: inChannels }, { size, first, step }),
    };
  }
  const channels = Math.ceil(inChannels / 4);
  const [high, wide] = tiles.map((count) => step * (count * m + n - m));
  const { dispatch, image } = packImage(ctx, {
    kernel: "conv2dWeightGrad",
    variant: "pack x",
    axes: [
      { size: g.batch, stride: inChannels * plane },
      { size: high, stride: w, shift: first, limit: h },
      { size: wide, stride: 1, shift: first, limit: w },
      { size: 4 * channels, stride: plane, limit: inChannels },
    ],
  }, slot);
  const row = wide * channels;
  return {
    slot: image,
    dispatches: [dispatch],
    images: { from: high * row },
    channels: { from: 1 },
    down: (rows) => ({ from: rows * row }),
    across: (columns) => ({ from: columns * channels }),
    reads: { down: step * row, across: step * channels },
  };
}

/** Tiles that are read from a tensor itself. */
const inPlace = (
  memory: TilesInMemory["memory"],
  padded: TilesInMemory["padded"],
): Pick<TiledSource, "down" | "across" | "reads"> => ({
  down: (rows) => ({ top: rows }),
  across: (columns) => ({ left: columns }),
  reads: { down: 0, across: 0, memory, padded },
});

/** The same for the gradient: itself where tiles divide it, for then they read nothing outside. */
export function tilesOfGrad(
  ctx: KernelContext,
  g: Conv2dGeometry,
  { m, tiles, rows, slot }: { m: number; tiles: readonly number[]; rows: number; slot: Slot },
): TiledSource {
  const [oh, ow] = g.outputSize, plane = oh * ow;
  if (oh % m === 0 && ow % m === 0) {
    return {
      slot,
      dispatches: [],
      images: { from: g.outChannels * plane },
      channels: { from: 4 * plane, vector: 4 },
      down: (rows) => ({ from: rows * ow }),
      across: (columns) => ({ from: columns }),
      reads: { down: ow, across: 1, memory: { vector: plane, limit: g.outChannels } },
    };
  }
  const [high, wide] = [tiles[0] * m, tiles[1] * m], line = wide * rows;
  const { dispatch, image } = packImage(ctx, {
    kernel: "conv2dWeightGrad",
    variant: "pack grad",
    axes: [
      { size: g.batch, stride: g.outChannels * plane },
      { size: high, stride: ow, limit: oh },
      { size: wide, stride: 1, limit: ow },
      { size: 4 * rows, stride: plane, limit: g.outChannels },
    ],
  }, slot);
  return {
    slot: image,
    dispatches: [dispatch],
    images: { from: high * line },
    channels: { from: 1 },
    down: (count) => ({ from: count * line }),
    across: (columns) => ({ from: columns * rows }),
    reads: { down: line, across: rows },
  };
}
