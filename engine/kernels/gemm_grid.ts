// How much work a thread may do, and how threads are spread over a grid that may have to be folded.

import type { KernelContext } from "./dispatch.ts";
import { foldGrid } from "./grid.ts";

/** llvmpipe ends a thread's loops, without a word, after 65,535 rounds of all of them together. */
export const MOST_ROUNDS = 60_000;

/** How threads are spread over workgroups, and what their shader needs to number them. */
export interface ThreadGrid {
  readonly workgroups: readonly [number, number, number];
  /** A thread is number `id.y * ROW + id.x`, and has no work from `COUNT` on. */
  readonly values: { readonly COUNT: string; readonly ROW: string; readonly WORKGROUP: number };
}

/** Spreads `threads` over workgroups of size `workgroup`, folded where they pass the limit. */
export function threadGrid(
  ctx: KernelContext,
  { threads, workgroup }: { threads: number; workgroup: number },
): ThreadGrid {
  const workgroups = foldGrid(Math.max(1, Math.ceil(threads / workgroup)), ctx.limits);
  return {
    workgroups,
    values: {
      COUNT: `${threads}u`,
      ROW: `${workgroups[0] * workgroup}u`,
      WORKGROUP: workgroup,
    },
  };
}
