// Launches shaders/gemm_tiled.wgsl: the matrix product of GPUs, with the operands that the text of a
// family's own shader looks up.

import code from "../../shaders/gemm_tiled.wgsl" with { type: "text" };
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { foldGrid } from "./grid.ts";
import { repack } from "./gemm_repack.ts";
import { instantiate, type TemplateValues } from "./template.ts";

/** A product whose operands are defined by WGSL functions; see shaders/gemm_tiled.wgsl. */
export interface TiledGemm {
  readonly kernel: string;
  readonly shape: string;
  readonly flops: number;
  /** WGSL of the bindings `a`, `b`, `result` and of the functions that look operands up. */
  readonly operands: string;
  /** What `operands` names with a dollar, besides `M`, `N` and `K`. */
  readonly values: TemplateValues;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  /** Independent products. */
  readonly slices: number;
  readonly aAlongK: boolean;
  readonly bAlongK: boolean;
}

/** A workgroup's tile; its threads own 4 x 4 of it each. */
interface Block {
  readonly m: number;
  readonly n: number;
}

const blocks: readonly Block[] = [{ m: 64, n: 64 }, { m: 32, n: 32 }, { m: 16, n: 64 }, {
  m: 64,
  n: 16,
}];
const blockK = 16;

// Below this many workgroups, large GPUs stand partly idle.
const enoughWorkgroups = 256;

/** The product, and where its depth is split, the sum of the parts. */
export function tiledGemm(
  ctx: KernelContext,
  gemm: TiledGemm,
  slots: { a: Slot; b: Slot; out: Slot },
): Dispatch[] {
  const { m, n, k, slices, kernel } = gemm;
  const block = chooseBlock(ctx, gemm);
  const mBlocks = Math.ceil(m / block.m), nBlocks = Math.ceil(n / block.n);
  const tiles = mBlocks * nBlocks * slices;
  const wanted = Math.max(1, Math.min(Math.ceil(enoughWorkgroups / tiles), Math.floor(k / 128)));
  const length = Math.ceil(k / wanted / blockK) * blockK;
  const splits = Math.ceil(k / length);
  const workgroups = foldGrid(tiles * splits, ctx.limits);
  const results = slots.out.bytes / 4;
  const result = splits === 1 ? slots.out : ctx.scratch(splits * slots.out.bytes);
  const product = {
    kernel,
    variant: `tiled ${block.m}x${block.n}${splits > 1 ? ` split ${splits}` : ""}`,
    shape: gemm.shape,
    code: instantiate(`${gemm.operands}\n${code}`, {
      ...gemm.values,
      ...{ M: m, N: n, K: k, SLICES: slices },
      BLOCK_M: block.m,
      BLOCK_N: block.n,
      BLOCK_K: blockK,
      // What a GPU wants unrolled, a CPU's compiler takes a second for.
      UNROLL: ctx.cpu ? 1 : blockK,
      THREADS: block.m * block.n / 16,
      M_BLOCKS: mBlocks,
      N_BLOCKS: nBlocks,
      BLOCKS: tiles * splits,
      ROW: workgroups[0],
      SPLIT_LENGTH: length,
      RESULTS: results,
      A_ALONG_K: Number(gemm.aAlongK),
      B_ALONG_K: Number(gemm.bAlongK),
    }),
    slots: [slots.a, slots.b, result],
    workgroups,
    flops: gemm.flops,
  };
  if (splits === 1) return [product];
  const axes = [{ size: results, stride: 1 }];
  const sum = { kernel, variant: "sum splits", axes, terms: splits, termStride: results };
  return [product, repack(ctx, sum, { source: result, result: slots.out })];
}

/**
 * The tile with the least work, where a multiplication counts with its share of the loads; small tiles
 * count for nothing more where large ones would be too few to fill the device.
 */
function chooseBlock(ctx: KernelContext, { m, n, slices }: TiledGemm): Block {
  let best = blocks[1], least = Infinity;
  for (const block of blocks) {
    if (block.m * block.n / 16 > ctx.limits.maxComputeInvocationsPerWorkgroup) continue;
    const tiles = Math.ceil(m / block.m) * Math.ceil(n / block.n) * slices;
    const work = Math.max(tiles, enoughWorkgroups) * block.m * block.n *
      (1 / 32 + 1 / block.m + 1 / block.n);
    if (work < least) {
      least = work;
      best = block;
    }
  }
  return best;
}
