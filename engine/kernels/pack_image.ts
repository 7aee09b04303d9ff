// Launches shaders/pack_image.wgsl: copies into the layouts that the products of images read.

import code from "../../shaders/pack_image.wgsl" with { type: "text" };
import { declareSlots } from "./access.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { threadGrid } from "./gemm_grid.ts";
import { ImageSlot } from "./image.ts";
import { instantiate } from "./template.ts";

/**
 * One axis of the image. Its element `i` reads coordinate `t = ±i + shift` of the source, zero where `t` is
 * outside `[0, limit)`, else `t * stride` elements from the others' sum.
 */
export interface PackAxis {
  readonly size: number;
  readonly stride: number;
  readonly reversed?: boolean;
  readonly shift?: number;
  readonly limit?: number;
  /** Cuts the axis into blocks of so many elements: the number of the block becomes the outermost axis. */
  readonly block?: number;
}

/** Packs `source` into an image whose axes are given, the innermost, which has whole texels, last. */
export function packImage(
  ctx: KernelContext,
  copy: { readonly kernel: string; readonly variant: string; readonly axes: readonly PackAxis[] },
  source: Slot,
): { dispatch: Dispatch; image: ImageSlot } {
  const { axes } = copy;
  const texels = axes.reduce((product, axis) => product * axis.size, 1) / 4;
  const innermost = axes.at(-1)!;
  const image = new ImageSlot(texels);
  const slots = [source, image], writes = [image];
  const grid = threadGrid(ctx, { threads: texels, workgroup: 64 });
  const dispatch = {
    kernel: copy.kernel,
    variant: copy.variant,
    shape: axes.map((axis) => axis.size).join("x"),
    code: instantiate(code, {
      ...grid.values,
      SLOTS: declareSlots(slots, { names: ["source", "result"], writes }),
      INNERMOST: locate(innermost, "i"),
      OUTER: visitingOrder(axes).map((placed, position) => visit(placed, { position, innermost }))
        .join("\n"),
    }),
    slots,
    writes,
    workgroups: grid.workgroups,
    flops: 0,
  };
  return { dispatch, image };
}

/** An axis, and the distance in texels of its neighbours, and of its blocks, in the image. */
interface Placed {
  readonly axis: PackAxis;
  readonly place: number;
  readonly blockPlace: number;
}

/**
 * The axes as threads count them, the fastest first. In general they follow the source, but of its
 * innermost axis and the image's, the one goes first whose neighbours lie closer on the other side.
 */
function visitingOrder(axes: readonly PackAxis[]): Placed[] {
  let place = 1 / 4;
  const inner = axes.toReversed().map((axis) => {
    const here = { axis, place };
    place *= axis.block ?? axis.size;
    return here;
  });
  const placed = inner.map((here) => {
    const blockPlace = place;
    if (here.axis.block) place *= here.axis.size / here.axis.block;
    return { ...here, blockPlace };
  });
  const [innermost, ...others] = placed;
  others.sort((a, b) => a.axis.stride - b.axis.stride);
  const nearest = others.findIndex(({ axis }) => axis.size > 1);
  const first = nearest < 0 || innermost.axis.stride <= others[nearest].place * 4 ? 0 : nearest + 1;
  return [...others.slice(0, first), innermost, ...others.slice(first)];
}

/** The next coordinate of a thread's texel, and what it adds to both places. */
function visit(
  { axis, place, blockPlace }: Placed,
  { position, innermost }: { position: number; innermost: PackAxis },
): string {
  const width = axis === innermost ? 4 : 1;
  const size = axis.size / width, block = (axis.block ?? axis.size) / width;
  const at = `at${position}`, step = place * width;
  return [
    `  let ${at} = rest % ${size}u;`,
    `  rest /= ${size}u;`,
    block === size
      ? `  place += ${at} * ${step}u;`
      : `  place += ${at} % ${block}u * ${step}u + ${at} / ${block}u * ${blockPlace}u;`,
    ...(axis === innermost
      ? [`  let innermost = i32(${at}) * 4;`]
      : [`  let i${position} = i32(${at});`, locate(axis, `i${position}`)]),
  ].join("\n");
}

/** Adds what coordinate `i` of an axis contributes to the source's index. */
function locate(axis: PackAxis, i: string): string {
  const { stride, reversed, shift = 0, limit } = axis;
  const t = `${i}_source`;
  return [
    `  let ${t} = ${reversed ? "-" : ""}${i} + ${shift};`,
    ...(limit === undefined ? [] : [`  inside = inside && ${t} >= 0 && ${t} < ${limit};`]),
    `  index += ${t} * ${stride};`,
  ].join("\n");
}
