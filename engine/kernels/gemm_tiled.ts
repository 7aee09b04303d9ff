// Launches shaders/gemm_tiled.wgsl: the matrix product of GPUs, with the operands that the text of a
// family's own shader looks up.

import code from "../../shaders/gemm_tiled.wgsl" with { type: "text" };
import sumCode from "../../shaders/gemm_tiled_sum.wgsl" with { type: "text" };
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { threadGrid } from "./gemm_grid.ts";
import {
  chooseTiledForm,
  type ProductSize,
  tiledName,
  type TileShape,
} from "./gemm_tiled_forms.ts";
import { foldGrid } from "./grid.ts";
import { resultsOf } from "./results.ts";
import { instantiate, type TemplateValues } from "./template.ts";

/** A product whose operands are defined by WGSL functions; see shaders/gemm_tiled.wgsl. */
export interface TiledGemm extends ProductSize {
  readonly kernel: string;
  readonly shape: string;
  readonly flops: number;
  /** WGSL of the functions that look operands up. */
  readonly operands: string;
  /** What `operands` names with a dollar, besides `M`, `N`, `K` and whether quads lie together. */
  readonly values: TemplateValues;
  readonly aAlongK: boolean;
  readonly bAlongK: boolean;
  /** What has its quads together in memory, aligned: bound as vec4f. */
  readonly quads: { readonly a: boolean; readonly b: boolean; readonly result: boolean };
}

/** The product, and where its depth is split, the sum of the parts. */
export function tiledGemm(
  ctx: KernelContext,
  gemm: TiledGemm,
  slots: { a: Slot; b: Slot; out: Slot },
): Dispatch[] {
  const { m, n, k, slices, kernel, quads } = gemm;
  const half = ctx.precision === "f16";
  const form = chooseTiledForm(ctx, gemm), { tile, splits } = form;
  const mBlocks = Math.ceil(m / tile.m), nBlocks = Math.ceil(n / tile.n);
  const blocks = mBlocks * nBlocks * slices * splits;
  const workgroups = foldGrid(blocks, ctx.limits);
  const typeOf = (quad: boolean) => quad ? "vec4f" : "f32";
  const operands = [
    { name: "a", slot: slots.a, quads: quads.a },
    { name: "b", slot: slots.b, quads: quads.b },
  ];
  // Parts are stored as they are; their sum is the result.
  const parts = splits === 1 ? undefined : ctx.scratch(splits * slots.out.bytes);
  const results = resultsOf(
    parts ? { ...ctx, epilogue: undefined } : ctx,
    parts ?? slots.out,
    { operands, width: quads.result ? 4 : 1 },
  );
  const product = {
    kernel,
    variant: tiledName(form) + (half ? ", f16 operands" : "") + results.label,
    shape: gemm.shape,
    code: (half ? "enable f16;\n" : "") + results.code + instantiate(`${gemm.operands}\n${code}`, {
      ...gemm.values,
      ...tileValues(tile),
      ...{ M: m, N: n, K: k, SLICES: slices },
      WHOLE_M: String(m % tile.m === 0),
      WHOLE_N: String(n % tile.n === 0),
      WHOLE_K: String(k % tile.k === 0),
      ...{ M_BLOCKS: mBlocks, N_BLOCKS: nBlocks, BLOCKS: blocks, ROW: workgroups[0] },
      ...{ SPLIT_LENGTH: form.length, RESULTS: slots.out.bytes / 4 },
      ...{ A_ALONG_K: Number(gemm.aAlongK), B_ALONG_K: Number(gemm.bAlongK) },
      ...{ A_QUADS: Number(quads.a), B_QUADS: Number(quads.b), RESULT_QUADS: Number(quads.result) },
      A_TYPE: typeOf(quads.a),
      B_TYPE: typeOf(quads.b),
      SLAB: half ? "vec4h" : "vec4f",
      PREFETCH: Number(form.prefetch),
      // What a GPU wants unrolled, a CPU's compiler takes seconds for.
      UNROLL: ctx.cpu ? 1 : tile.k,
    }),
    slots: results.slots,
    workgroups,
    flops: gemm.flops,
  };
  return parts ? [product, sumParts(ctx, product, { parts, splits, out: slots.out })] : [product];
}

function tileValues({ m, n, k, thread, threads }: TileShape): TemplateValues {
  const rows = m / thread.m, columns = n / thread.n;
  const aThreads = Math.min(threads, m * k / 4), bThreads = Math.min(threads, n * k / 4);
  return {
    ...{ BLOCK_M: m, BLOCK_N: n, BLOCK_K: k, THREAD_M: thread.m, THREAD_N: thread.n },
    ...{ THREADS: threads, ROWS: rows, COLUMNS: columns },
    ...{ A_THREADS: aThreads, A_LOADS: m * k / 4 / aThreads, B_LOADS: n * k / 4 / bThreads },
    // As square as the tile lets a patch of 32 threads be.
    PATCH_N: Math.max(Math.min(8, columns), 32 / rows),
  };
}

/** The second pass of a split product, whose first pass wrote `splits` results side by side. */
export function sumParts(
  ctx: KernelContext,
  product: Dispatch,
  { parts, splits, out }: { parts: Slot; splits: number; out: Slot },
): Dispatch {
  const elements = out.bytes / 4, width = elements % 4 === 0 ? 4 : 1;
  const grid = threadGrid(ctx, { threads: elements / width, workgroup: 64 });
  const operands = [{ name: "parts", slot: parts, quads: width === 4 }];
  const results = resultsOf(ctx, out, { operands, width });
  return {
    kernel: product.kernel,
    variant: `sum splits${results.label}`,
    shape: `${splits}x${elements}`,
    code: results.code + instantiate(sumCode, {
      ...grid.values,
      TYPE: width === 4 ? "vec4f" : "f32",
      TERMS: splits,
      DISTANCE: elements / width,
    }),
    slots: results.slots,
    workgroups: grid.workgroups,
    flops: 0,
  };
}
