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
  const elements = copy.axes.reduce((product, axis) => product * axis.size, 1);
  const innermost = copy.axes.at(-1)!;
  const width = innermost.size % 4 === 0 ? 4 : 1;
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
      INNERMOST: locate(innermost, "i"),
      OUTER: visitingOrder(copy.axes).map(({ axis, place }, position) =>
        axis === innermost ? stepInnermost(axis.size, width) : [
          `  let i${position} = i32(rest % ${axis.size}u);`,
          `  place += rest % ${axis.size}u * ${place / width}u;`,
          `  rest /= ${axis.size}u;`,
          locate(axis, `i${position}`),
        ].join("\n")
      ).join("\n"),
    }),
    slots: [slots.source, slots.result],
    workgroups: grid.workgroups,
    flops: 0,
  };
}

/** An axis, and the distance of its neighbours in the result. */
interface Placed {
  readonly axis: RepackAxis;
  readonly place: number;
}

/**
 * The axes as threads count them, the fastest first. In general they follow the source, but of its
 * innermost axis and the result's, the one goes first whose neighbours lie closer on the other side.
 */
function visitingOrder(axes: readonly RepackAxis[]): Placed[] {
  let place = 1;
  const placed = axes.toReversed().map((axis) => {
    const here = { axis, place };
    place *= axis.size;
    return here;
  });
  const [innermost, ...others] = placed;
  others.sort((a, b) => a.axis.stride - b.axis.stride);
  const nearest = others.findIndex(({ axis }) => axis.size > 1);
  const first = nearest < 0 || innermost.axis.stride <= others[nearest].place ? 0 : nearest + 1;
  return [...others.slice(0, first), innermost, ...others.slice(first)];
}

function stepInnermost(size: number, width: number): string {
  const vectors = size / width;
  return [
    `  let innermost = i32(rest % ${vectors}u) * ${width};`,
    `  place += rest % ${vectors}u;`,
    `  rest /= ${vectors}u;`,
  ].join("\n");
}

/** Adds what coordinate `i` of an axis contributes to the source's index. */
function locate(axis: RepackAxis, i: string): string {
  const { stride, reversed, shift = 0, limit, split = 1, remainder = 0 } = axis;
  const t = `${i}_source`;
  const lines = [`  let ${t} = ${reversed ? "-" : ""}${i} + ${shift};`];
  if (limit !== undefined) lines.push(`  inside = inside && ${t} >= 0 && ${t} < ${limit};`);
  lines.push(
    split === 1
      ? `  index += ${t} * ${stride};`
      : `  index += ${t} / ${split} * ${stride} + ${t} % ${split} * ${remainder};`,
  );
  return lines.join("\n");
}
