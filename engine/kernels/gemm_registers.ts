// Launches shaders/gemm_registers.wgsl: the matrix product of CPU adapters, that convolutions, their
// gradients and matmul bring their operands to.

import code from "../../shaders/gemm_registers.wgsl" with { type: "text" };
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { MOST_ROUNDS, threadGrid } from "./gemm_grid.ts";
import { instantiate } from "./template.ts";

type Pair = readonly [number, number];
type Triple = readonly [number, number, number];

/** A thread's tile in vec4s: 4 `m` rows by `n` groups of four columns. */
export interface RegisterTile {
  readonly m: number;
  readonly n: number;
  /** `m` vec4s of the operand, rounded up to whole tiles: what it must be padded to. */
  readonly rows: number;
}

/** A product in the layout of shaders/gemm_registers.wgsl; strides count vec4s. */
export interface RegisterGemm {
  readonly kernel: string;
  readonly shape: string;
  readonly flops: number;
  readonly tile: RegisterTile;
  readonly splits: number;
  /** Sizes of the three loops over k, the outermost first. */
  readonly loops: Triple;
  /** Sizes of the three axes that a group of four columns is numbered by. */
  readonly groups: Triple;
  /** Independent products, numbered by two axes; one unless given. */
  readonly slices?: Pair;
  /** How far the slices of A are turned against the others. */
  readonly turns?: Pair;
  readonly a: { readonly loops: Triple; readonly slices?: Pair };
  readonly b: {
    readonly loops: Triple;
    readonly slice?: number;
    /** Added for the slices that do not pass the turn, by axis. */
    readonly turns?: Pair;
    readonly groups: Triple;
  };
}

// Measured on lavapipe, in cycles: what a load and a multiplication cost a SIMD group, and what it
// costs to compile a tile of n accumulators, which grows with n squared.
const loadCycles = 27, multiplyCycles = 1.3, compileCycles = 4000;

// How many runs a compilation should pay for itself in; drivers keep the result on disk besides.
const runs = 300;

// The accumulators of a larger tile leave the first-level cache.
const tileSides = { m: 6, n: 7 }, largestTile = 36;

/** The tile that computes `rows` by `groups` vec4s, `depth` deep, in the fewest cycles. */
export function chooseRegisterTile(rows: number, groups: number, { depth }: {
  readonly depth: number;
}): RegisterTile {
  let best: RegisterTile | undefined, least = Infinity;
  for (let m = 1; m <= tileSides.m; m++) {
    for (let n = 1; n <= tileSides.n && m * n <= largestTile; n++) {
      const accumulators = 16 * m * n;
      const step = loadCycles * 4 * (m + n) + multiplyCycles * accumulators;
      const tiles = Math.ceil(rows / m) * Math.ceil(groups / n);
      const cycles = runs * tiles / 8 * depth * step + compileCycles * accumulators ** 2;
      if (cycles < least) {
        least = cycles;
        best = { m, n, rows: Math.ceil(rows / m) * m };
      }
    }
  }
  return best!;
}

/**
 * How many parts to cut the outermost of `loops` into so that some hundreds of threads run, which
 * keep every core and lane busy, yet each adds up no fewer than `64` products; and so that no thread
 * goes more rounds than the adapter allows.
 */
export function chooseSplits(tile: RegisterTile, groups: number, options: {
  readonly loops: Triple;
  readonly slices: number;
}): number {
  const [outer, ...inner] = options.loops;
  const depth = outer * inner[0] * inner[1];
  const threads = tile.rows / tile.m * Math.ceil(groups / tile.n) * options.slices;
  const rounds = outer * (1 + inner[0] * (1 + inner[1]));
  const busy = Math.min(Math.ceil(256 / threads), Math.floor(depth / 64));
  const wanted = Math.min(Math.max(busy, Math.ceil(rounds / MOST_ROUNDS)), outer);
  return wanted <= 1 ? 1 : Math.ceil(outer / Math.ceil(outer / wanted));
}

/** The dispatch that computes `gemm` into `[split][slice][4 rows][group]` vec4s. */
export function registerGemm(
  ctx: KernelContext,
  gemm: RegisterGemm,
  slots: { a: Slot; b: Slot; result: Slot },
): Dispatch {
  const { tile, splits, loops, groups, a, b, slices = [1, 1], turns = [0, 0] } = gemm;
  const { slices: aSlices = [0, 0] } = a, { slice: bSlice = 0, turns: bTurns = [0, 0] } = b;
  const groupCount = groups[0] * groups[1] * groups[2];
  const mTiles = tile.rows / tile.m, nTiles = Math.ceil(groupCount / tile.n);
  const sliceCount = slices[0] * slices[1];
  const grid = threadGrid(ctx, { threads: mTiles * nTiles * sliceCount * splits, workgroup: 8 });
  return {
    kernel: gemm.kernel,
    variant: `registers ${4 * tile.m}x${4 * tile.n}${splits > 1 ? ` split ${splits}` : ""}`,
    shape: gemm.shape,
    code: instantiate(code, {
      ...grid.values,
      TM: tile.m,
      TN: tile.n,
      M: 4 * tile.rows,
      M_TILES: mTiles,
      N_TILES: nTiles,
      SPLITS: splits,
      SPLIT_LENGTH: Math.ceil(loops[0] / splits),
      SLICES: sliceCount,
      ...{ SLICES0: slices[0], SLICES1: slices[1] },
      ...{ TURN0: turns[0], TURN1: turns[1] },
      GROUPS: groupCount,
      G1: groups[1],
      G2: groups[2],
      ...{ L0: loops[0], L1: loops[1], L2: loops[2] },
      ...{ A_L0: a.loops[0], A_L1: a.loops[1], A_L2: a.loops[2] },
      ...{ B_L0: b.loops[0], B_L1: b.loops[1], B_L2: b.loops[2] },
      ...{ A_SLICE0: aSlices[0], A_SLICE1: aSlices[1] },
      B_SLICE: bSlice,
      ...{ B_TURN0: `${bTurns[0]}u`, B_TURN1: `${bTurns[1]}u` },
      ...{ B_G0: b.groups[0], B_G1: b.groups[1], B_G2: b.groups[2] },
    }),
    slots: [slots.a, slots.b, slots.result],
    workgroups: grid.workgroups,
    flops: gemm.flops,
  };
}
