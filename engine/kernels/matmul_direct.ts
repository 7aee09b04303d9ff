// The plain form of the matrix product, one result a thread.

import code from "../../shaders/matmul_direct.wgsl" with { type: "text" };
import { beginInstance, declareNamed } from "./access.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { threadGrid } from "./gemm_grid.ts";
import {
  describeMatmul,
  matmulFlops,
  type MatmulGeometry,
  matmulValues,
} from "./matmul_geometry.ts";
import { resultsOf } from "./results.ts";
import { instantiate } from "./template.ts";

/** `out[batch, m, n]`; see {@linkcode MatmulGeometry} for how a and b are stored. */
export function matmulDirect(
  ctx: KernelContext,
  g: MatmulGeometry,
  { a, b, out }: { a: Slot; b: Slot; out: Slot },
): Dispatch[] {
  const grid = threadGrid(ctx, { threads: g.batch * g.m * g.n, workgroup: 64 });
  const operands = [{ name: "a", slot: a, quads: false }, { name: "b", slot: b, quads: false }];
  const results = resultsOf(ctx, out, { operands, width: 1 });
  const access = {
    SLOTS: declareNamed([a, b], { names: ["a", "b"] }),
    BEGIN: beginInstance(results.slots, "id.z"),
  };
  return [{
    kernel: "matmul",
    variant: `direct${results.label}`,
    shape: describeMatmul(g),
    code: results.code + instantiate(code, { ...grid.values, ...matmulValues(g), ...access }),
    slots: results.slots,
    workgroups: grid.workgroups,
    flops: matmulFlops(g),
  }];
}
