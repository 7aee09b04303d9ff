// Launches the transforms of Winograd's filtering, shaders/winograd_transform.wgsl and
// shaders/winograd_output.wgsl: a thread a tile, numbered by axes that the callers lay out.

import outputCode from "../../shaders/winograd_output.wgsl" with { type: "text" };
import transformCode from "../../shaders/winograd_transform.wgsl" with { type: "text" };
import { declareNamed } from "./access.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { threadGrid } from "./gemm_grid.ts";
import { ImageSlot } from "./image.ts";
import { imageResults, type Results, resultsOf } from "./results.ts";
import { instantiate, type TemplateValues } from "./template.ts";
import type { Matrix } from "./winograd_matrices.ts";

/** One axis that threads are numbered by, and what each step along it adds. */
export interface TileAxis {
  readonly size: number;
  /** To where the tile is read. */
  readonly from?: number;
  /** To where it is written. */
  readonly to?: number;
  /** To the coordinate of the first of a texel's four numbers. */
  readonly vector?: number;
  /** To the tile's row and column in the tensor that is written. */
  readonly top?: number;
  readonly left?: number;
  /** The tile is read from the far end of this axis. */
  readonly reversed?: boolean;
}

/** Axes that together number one axis of the result, which is cut into blocks, `to` apart. */
export interface BlockedAxis {
  readonly axes: readonly TileAxis[];
  readonly length: number;
  readonly to: number;
}

/** A transform of tiles. Axes are given the fastest first. */
export interface TileTransform {
  readonly kernel: string;
  readonly variant: string;
  readonly shape: string;
  /** `[side, patch]`. */
  readonly matrix: Matrix;
  readonly axes: readonly (TileAxis | BlockedAxis)[];
  /** Distances in the source, or for outputs in the result, of a tile's rows and columns. */
  readonly down: number;
  readonly across: number;
  /** Distance of the products' slices in their image. */
  readonly slice: number;
}

/** How tiles are read from a tensor. */
export interface TilesInMemory {
  /** How far apart a texel's four numbers lie, and how many there are. */
  readonly memory: { readonly vector: number; readonly limit: number };
  /**
   * Where tiles reach beyond the tensor: its sides, the row and column that the first tile begins with, and the
   * distance of neighbours. Axes say by `top` and `left` where a tile is, and by `from` no more than its plane.
   */
  readonly padded?: {
    readonly size: readonly [number, number];
    readonly first: number;
    readonly step: number;
  };
}

/** Transforms the tiles of a tensor or an image into an image of `texels`. */
export function transformTiles(
  ctx: KernelContext,
  transform: TileTransform & Partial<TilesInMemory> & { readonly texels: number },
  source: Slot,
): { dispatch: Dispatch; image: ImageSlot } {
  const { memory, padded } = transform;
  const image = new ImageSlot(transform.texels);
  const values = {
    MEMORY: Number(memory !== undefined),
    VECTOR: memory?.vector ?? 0,
    LIMIT: memory?.limit ?? 0,
    BASE: 0,
    PADDED: Number(padded !== undefined),
    ...(padded && {
      ...{ HEIGHT: padded.size[0], WIDTH: padded.size[1], STEP: padded.step },
      ...{ TOP: padded.first >>> 0, LEFT: padded.first >>> 0 },
    }),
  };
  const names = ["source", "result"], end = imageResults(image, [{ slot: source }]);
  return {
    dispatch: dispatch(ctx, transform, { code: transformCode, values, end, names }),
    image,
  };
}

/** Transforms products into a tensor. */
export function outputTiles(
  ctx: KernelContext,
  transform: TileTransform & {
    readonly vector: number;
    readonly limit: number;
    /** The tensor's sides, and the distance of a tile's rows and columns along them. */
    readonly height: number;
    readonly width: number;
    readonly step: readonly [number, number];
    /** Whether what a thread stores follows each other, from a multiple of four on. */
    readonly quads?: boolean;
  },
  { products, out }: { products: ImageSlot; out: Slot },
): Dispatch {
  const { quads = false } = transform;
  const values = {
    VECTOR: transform.vector,
    LIMIT: transform.limit,
    HEIGHT: transform.height,
    WIDTH: transform.width,
    STEP_H: transform.step[0],
    STEP_W: transform.step[1],
    QUADS: Number(quads),
  };
  const names = ["products"], operands = [{ name: names[0], slot: products, quads: false }];
  const end = resultsOf(ctx, out, { operands, width: quads ? 4 : 1 });
  return dispatch(ctx, transform, { code: outputCode, values, end, names });
}

function dispatch(
  ctx: KernelContext,
  transform: TileTransform,
  launch: {
    code: string;
    values: TemplateValues;
    end: Results;
    /** Of those slots that the end does not declare. */
    names: readonly string[];
  },
): Dispatch {
  const { matrix, axes } = transform, { code, values, end, names } = launch;
  const { slots, writes } = end;
  const threads = axes.reduce((product, axis) => product * sizeOf(axis), 1);
  const grid = threadGrid(ctx, { threads, workgroup: 8 });
  return {
    kernel: transform.kernel,
    variant: transform.variant + end.label,
    shape: transform.shape,
    code: end.code + instantiate(code, {
      ...values,
      ...grid.values,
      SLOTS: declareNamed(slots, { names, writes }),
      SIDE: matrix.length,
      PATCH: matrix[0].length,
      DOWN: transform.down,
      ACROSS: transform.across,
      SLICE: transform.slice,
      AXES: axes.map(visit).join("\n"),
      SUMS: sums(matrix),
    }),
    slots,
    writes,
    workgroups: grid.workgroups,
    flops: 0,
  };
}

const axesOf = (axis: TileAxis | BlockedAxis): readonly TileAxis[] =>
  "axes" in axis ? axis.axes : [axis];

const sizeOf = (axis: TileAxis | BlockedAxis): number =>
  axesOf(axis).reduce((product, { size }) => product * size, 1);

/** WGSL that takes the coordinates of an axis off `rest` and adds what they stand for. */
export function visit(axis: TileAxis | BlockedAxis, position: number): string {
  const size = sizeOf(axis), whole = `at${position}`;
  const lines = [`  let ${whole} = rest % ${size}u;`, `  rest /= ${size}u;`];
  let below = 1;
  for (const part of axesOf(axis)) {
    const at = `${whole} / ${below}u % ${part.size}u`;
    below *= part.size;
    const { from = 0, to = 0, vector = 0, top = 0, left = 0 } = part;
    for (const [name, step] of Object.entries({ origin: from, place: to, vector, top, left })) {
      const coordinate = part.reversed && name === "origin" ? `(${part.size - 1}u - ${at})` : at;
      if (step !== 0) lines.push(`  ${name} += ${coordinate} * ${step}u;`);
    }
  }
  if ("length" in axis) {
    lines.push(`  place += ${whole} / ${axis.length}u * ${axis.to}u + ${whole} % ${axis.length}u;`);
  }
  return lines.join("\n");
}

/** WGSL of M T M': the sums along rows, then along columns. */
export function sums(matrix: Matrix): string {
  const lines: string[] = [];
  const patch = matrix[0].length;
  for (let i = 0; i < matrix.length; i++) {
    for (let j = 0; j < patch; j++) {
      lines.push(`  let u${i}_${j} = ${sum(matrix[i], (k) => `t${k}_${j}`)};`);
    }
  }
  for (let i = 0; i < matrix.length; i++) {
    for (let j = 0; j < matrix.length; j++) {
      lines.push(`  var m${i}_${j} = ${sum(matrix[j], (k) => `u${i}_${k}`)};`);
    }
  }
  return lines.join("\n");
}

function sum(coefficients: readonly number[], name: (k: number) => string): string {
  const terms = coefficients.flatMap((c, k) =>
    c === 0 ? [] : c === 1 ? [name(k)] : c === -1 ? [`-${name(k)}`] : [`${literal(c)} * ${name(k)}`]
  );
  return terms.join(" + ");
}

/** A float32 in WGSL, to the bit. */
const literal = (x: number): string => `${Math.fround(x)}f`;
