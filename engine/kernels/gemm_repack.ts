// Launches shaders/gemm_repack.wgsl: copies into the layouts that register-tiled products read, and
// back out of those they write.

import code from "../../shaders/gemm_repack.wgsl" with { type: "text" };
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { threadGrid } from "./gemm_grid.ts";
import { instantiate } from "./template.ts";

/**
 * One axis of the result. Its element `i` reads coordinate `t = ±i + shift` of the source, zero where
 * `t` is outside `[0, limit)`, else at `floor(t / split) * stride + t % split * remainder` elements.
 */
export interface RepackAxis {
  readonly size: number;
  readonly stride: number;
  readonly reversed?: boolean;
  readonly shift?: number;
  readonly limit?: number;
  readonly split?: number;
  readonly remainder?: number;
}

/** A copy into another layout; the axes are the result's, the innermost last. */
export interface Repack {
  readonly kernel: string;
  readonly variant: string;
  readonly axes: readonly RepackAxis[];
  /** The source's index where every coordinate is zero. */
  readonly base?: number;
  /** How many sources, `termStride` elements apart, are added up. */
  readonly terms?: number;
  readonly termStride?: number;
}

/** The dispatch that fills `result` from `source`. */
export function repack(
  ctx: KernelContext,
  copy: Repack,
  slots: { source: Slot; result: Slot },
): Dispatch {
  const axes = copy.axes.filter((axis) => axis.size > 1 || axis.shift || axis.limit === 0);
  const elements = copy.axes.reduce((product, axis) => product * axis.size, 1);
  const width = elements % 4 === 0 ? 4 : 1;
  const grid = threadGrid(ctx, { threads: elements / width, workgroup: 64 });
  return {
    kernel: copy.kernel,
    variant: copy.variant,
    shape: copy.axes.map((axis) => axis.size).join("x"),
    code: instantiate(code, {
      ...grid.values,
      WIDTH: width,
      BASE: copy.base ?? 0,
      TERMS: copy.terms ?? 1,
      TERM_STRIDE: copy.termStride ?? 0,
      COORDINATES: axes.reverse().map(coordinate).join("\n"),
    }),
    slots: [slots.source, slots.result],
    workgroups: grid.workgroups,
    flops: 0,
  };
}

function coordinate(axis: RepackAxis, position: number): string {
  const { size, stride, reversed, shift = 0, limit, split = 1, remainder = 0 } = axis;
  const t = `t${position}`;
  const lines = [
    `  let ${t} = ${reversed ? "-" : ""}i32(rest % ${size}u) + ${shift};`,
    `  rest /= ${size}u;`,
  ];
  if (limit !== undefined) lines.push(`  inside = inside && ${t} >= 0 && ${t} < ${limit};`);
  if (split === 1) lines.push(`  index += ${t} * ${stride};`);
  else lines.push(`  index += ${t} / ${split} * ${stride} + ${t} % ${split} * ${remainder};`);
  return lines.join("\n");
}
