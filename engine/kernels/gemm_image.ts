// Launches shaders/gemm_image.wgsl: the matrix product of CPU adapters, that convolutions, their
// gradients and matmul bring their operands to.

import code from "../../shaders/gemm_image.wgsl" with { type: "text" };
import sumCode from "../../shaders/gemm_image_sum.wgsl" with { type: "text" };
import { declareNamed } from "./access.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { MOST_ROUNDS, threadGrid } from "./gemm_grid.ts";
import { foldGrid } from "./grid.ts";
import { ImageSlot } from "./image.ts";
import { imageResults, type Operand, resultsOf } from "./results.ts";
import { instantiate, type TemplateValues } from "./template.ts";

type Triple = readonly [number, number, number];

/** Threads of a workgroup: the lanes of a CPU's vectors. */
const LANES = 8;

/** How a product is cut, in texels: a thread owns 4 `m` rows by `n` groups of four columns. */
export interface ImageTile {
  readonly m: number;
  readonly n: number;
  /** Threads of a workgroup down and across; together they are `LANES`. */
  readonly lanes: { readonly m: number; readonly n: number };
  /** Steps of the innermost loop that are taken together; a divisor of its size. */
  readonly unroll: number;
  /** Parts that the outermost loop is cut into. */
  readonly splits: number;
}

/** A product to be cut: texels of rows, groups of columns, loops over k, the outermost first. */
export interface ImageProduct {
  readonly rows: number;
  readonly groups: number;
  readonly loops: Triple;
  /** Independent products; one unless given. */
  readonly slices?: number;
  /** Results are stored in an image. */
  readonly storeImage?: boolean;
}

// Measured on lavapipe, in instructions a SIMD group: a load of a texel, a multiplication and an addition, what
// an accumulator costs a round of the loop, and the stores of four results.
const loadCost = 50, multiplyCost = 2, roundCost = 3;
const storeCost = { scalars: 500, texel: 465 };
// What compiling an instruction of the loop costs, and how many runs should pay for it.
const compileCost = 400_000, runs = 1000;
const mostTexels = 8, mostUnrolled = 4;
// Fewer workgroups than this leave cores without work.
const enoughBlocks = 16;

/** Texels of rows that an operand is padded to: whole blocks. */
export function paddedRows(tile: ImageTile, rows: number): number {
  const block = tile.lanes.m * tile.m;
  return Math.ceil(rows / block) * block;
}

/** The tile that computes a product in the fewest instructions. */
export function chooseImageTile(product: ImageProduct): ImageTile {
  const { rows, groups, loops, slices = 1, storeImage = false } = product;
  const depth = loops[0] * loops[1] * loops[2];
  let best: ImageTile | undefined, least = Infinity;
  for (let m = 1; m <= 5; m++) {
    for (let n = 1; n <= 8 && m * n <= mostTexels; n++) {
      const unroll = largestDivisor(loops[2], mostUnrolled);
      const step = loadCost * (m + n) + 16 * m * n * (multiplyCost + roundCost / unroll);
      for (let lanesM = 1; lanesM <= LANES; lanesM *= 2) {
        const lanes = { m: lanesM, n: LANES / lanesM };
        const blocks = Math.ceil(rows / (lanes.m * m)) * Math.ceil(groups / (lanes.n * n)) * slices;
        const splits = storeImage ? 1 : chooseSplits(blocks, { loops, unroll });
        const stores = storeImage
          ? storeCost.texel
          : splits > 1
          ? storeCost.texel + storeCost.scalars
          : storeCost.scalars;
        const work = blocks * (depth * step + splits * stores * 4 * m * n);
        // Rounds of whole cores: a core that waits for the other costs as much as one that works.
        const busy = Math.min(1, blocks * splits / enoughBlocks);
        const cost = runs * work / (0.5 + busy / 2) + compileCost * step * unroll;
        if (cost < least) {
          least = cost;
          best = { m, n, lanes, unroll, splits };
        }
      }
    }
  }
  return best!;
}

function largestDivisor(of: number, most: number): number {
  for (let divisor = Math.min(of, most); divisor > 1; divisor--) {
    if (of % divisor === 0) return divisor;
  }
  return 1;
}

/**
 * How many parts to cut the outermost of `loops` into so that there are blocks for every core, yet each adds
 * up no fewer than 64 products; and so that no thread goes more rounds than the adapter allows.
 */
export function chooseSplits(
  blocks: number,
  { loops, unroll }: { readonly loops: Triple; readonly unroll: number },
): number {
  const [outer, ...inner] = loops;
  const depth = outer * inner[0] * inner[1];
  const rounds = outer * (1 + inner[0] * (1 + inner[1] / unroll));
  const busy = Math.min(Math.ceil(enoughBlocks / blocks), Math.floor(depth / 64));
  const wanted = Math.min(Math.max(busy, Math.ceil(rounds / MOST_ROUNDS)), outer);
  return wanted <= 1 ? 1 : Math.ceil(outer / Math.ceil(outer / wanted));
}

/** An operand whose texels are four rows of one step. */
export interface RowsOfA {
  readonly slot: ImageSlot;
  /** How far apart blocks of rows lie. */
  readonly block: number;
  readonly loops: Triple;
}

/** An operand whose texels are four steps of one row; then loops are `[depth / 4, 1, 4]`. */
export interface TransposedA {
  readonly slot: ImageSlot;
  /** How far apart rows lie. */
  readonly row: number;
  /** Texels of steps that lie side by side, and how far apart such blocks of them lie. */
  readonly length: number;
  readonly block: number;
}

/** A product in the layout of shaders/gemm_image.wgsl; strides count texels. */
export interface ImageGemm {
  readonly kernel: string;
  readonly shape: string;
  readonly flops: number;
  readonly tile: ImageTile;
  readonly loops: Triple;
  /** Sizes of the three axes that a group of four columns is numbered by. */
  readonly groups: Triple;
  readonly slices?: number;
  /** Texels of rows, padded. */
  readonly rows: number;
  readonly a: RowsOfA | TransposedA;
  readonly b: { readonly slot: ImageSlot; readonly loops: Triple; readonly groups: Triple };
  /** Whether the four results of a group lie side by side in the tensor, at a multiple of four. */
  readonly quads?: boolean;
  /** WGSL of what the shader leaves open, and what it names with a dollar. */
  readonly operands: string;
  readonly values: TemplateValues;
}

/** The image of a product's results, `[slice][m][group]`. */
export function resultImage(gemm: Pick<ImageGemm, "rows" | "groups" | "slices">): ImageSlot {
  const { rows, groups, slices = 1 } = gemm;
  return new ImageSlot(slices * 4 * rows * groups[0] * groups[1] * groups[2]);
}

/** The product, and where its depth is split, the sum of the parts. */
export function imageGemm(ctx: KernelContext, gemm: ImageGemm, out: Slot): Dispatch[] {
  const { kernel, shape, tile, loops, groups, rows, a, b, slices = 1, quads = false } = gemm;
  const width = quads ? 4 : 1;
  const { lanes, splits } = tile;
  const groupCount = groups[0] * groups[1] * groups[2];
  const mBlocks = rows / (lanes.m * tile.m);
  const nBlocks = Math.ceil(groupCount / (lanes.n * tile.n));
  const blocks = mBlocks * nBlocks * slices * splits;
  const workgroups = foldGrid(blocks, ctx.limits);
  const storeImage = splits > 1 || out instanceof ImageSlot;
  const result = splits > 1 ? resultImage({ rows, groups, slices: splits * slices }) : out;
  const values = {
    ...gemm.values,
    SPLITS: splits,
    SLICES: slices,
    GROUPS: groupCount,
    M: 4 * rows,
    QUADS: Number(quads),
  };
  const operands = [operandOf("a", a.slot), operandOf("b", b.slot)];
  const end = storeImage
    ? imageResults(result, operands)
    : resultsOf(ctx, out, { operands, width });
  const product = {
    kernel,
    variant: `image ${4 * tile.m}x${4 * tile.n}` + (splits > 1 ? ` split ${splits}` : "") +
      end.label,
    shape,
    code: end.code + instantiate(`${gemm.operands}\n${code}`, {
      ...values,
      ROW: workgroups[0],
      BLOCKS: blocks,
      STORE_IMAGE: Number(storeImage),
      SLOTS: declareNamed(end.slots, {
        names: ["a", "b", storeImage ? "result" : undefined],
        writes: end.writes,
      }),
      TM: tile.m,
      TN: tile.n,
      LANES_M: lanes.m,
      LANES_N: lanes.n,
      M_BLOCKS: mBlocks,
      N_BLOCKS: nBlocks,
      SPLIT_LENGTH: Math.ceil(loops[0] / splits),
      UNROLL: tile.unroll,
      G1: groups[1],
      G2: groups[2],
      A_BLOCK: a.block,
      TRANSPOSED: Number("row" in a),
      ...("row" in a ? { A_ROW: a.row, A_LENGTH: a.length } : {
        ...{ A_L0: a.loops[0], A_L1: a.loops[1], A_L2: a.loops[2] },
      }),
      ...{ L0: loops[0], L1: loops[1], L2: loops[2] },
      ...{ B_L0: b.loops[0], B_L1: b.loops[1], B_L2: b.loops[2] },
      ...{ B_G0: b.groups[0], B_G1: b.groups[1], B_G2: b.groups[2] },
    }),
    slots: end.slots,
    writes: end.writes,
    workgroups,
    flops: gemm.flops,
  };
  if (splits === 1) return [product];
  const grid = threadGrid(ctx, { threads: slices * 4 * rows * groupCount, workgroup: 8 });
  const sum = resultsOf(ctx, out, { operands: [operandOf("parts", result)], width });
  const SLOTS = declareNamed(sum.slots, { names: ["parts"] });
  return [product, {
    kernel,
    variant: `sum of ${splits}${sum.label}`,
    shape,
    code: sum.code +
      instantiate(`${gemm.operands}\n${sumCode}`, { ...values, ...grid.values, SLOTS }),
    slots: sum.slots,
    writes: sum.writes,
    workgroups: grid.workgroups,
    flops: 0,
  }];
}

const operandOf = (name: string, slot: Slot): Operand => ({ name, slot, quads: false });
