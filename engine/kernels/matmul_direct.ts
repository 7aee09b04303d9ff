// The plain form of the matrix product, one result a thread.

import code from "../../shaders/matmul_direct.wgsl" with { type: "text" };
import { declareSlots } from "./access.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { threadGrid } from "./gemm_grid.ts";
import {
  describeMatmul,
  matmulFlops,
  type MatmulGeometry,
  matmulValues,
} from "./matmul_geometry.ts";
import { instantiate } from "./template.ts";

/** `out[batch, m, n]`; see {@linkcode MatmulGeometry} for how a and b are stored. */
export function matmulDirect(
  ctx: KernelContext,
  g: MatmulGeometry,
  { a, b, out }: { a: Slot; b: Slot; out: Slot },
): Dispatch[] {
  const grid = threadGrid(ctx, { threads: g.batch * g.m * g.n, workgroup: 64 });
  const slots = [a, b, out], SLOTS = declareSlots(slots, { names: ["a", "b", "out"] });
  return [{
    kernel: "matmul",
    variant: "direct",
    shape: describeMatmul(g),
    code: instantiate(code, { ...grid.values, ...matmulValues(g), SLOTS }),
    slots,
    workgroups: grid.workgroups,
    flops: matmulFlops(g),
  }];
}
