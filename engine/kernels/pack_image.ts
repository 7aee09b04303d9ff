// Launches shaders/pack_image.wgsl: copies into the layouts that the products of images read.

import code from "../../shaders/pack_image.wgsl" with { type: "text" };
import { image as declareImage } from "./access.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { threadGrid } from "./gemm_grid.ts";
import { ImageSlot } from "./image.ts";
import { sourceOf, type Step } from "./sources.ts";
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
  const grid = threadGrid(ctx, { threads: texels, workgroup: 64 });
  const outer = visitingOrder(axes).map((placed, position) =>
    visit(placed, { position, innermost })
  );
  const lanes = Array.from(
    { length: 4 },
    (_, lane) => coordinate(innermost, `innermost + ${lane}u`, `c${lane}`),
  );
  const steps = outer.flatMap(({ steps }) => steps);
  const { code: bound, slots, statements, values, label } = sourceOf(source, {
    operands: [{ name: "result", slot: image, quads: false }],
    places: lanes.map((lane) => [...steps, ...lane.steps]),
    threads: texels,
  });
  const dispatch = {
    kernel: copy.kernel,
    variant: `${copy.variant}${label}`,
    shape: axes.map((axis) => axis.size).join("x"),
    code: instantiate(code, {
      ...grid.values,
      SLOTS: [bound, ...declareImage("result", { at: 0, written: true })].join("\n"),
      OUTER: indent(outer.flatMap(({ lines }) => lines), 2),
      INNERMOST: indent([...lanes.flatMap(({ lines }) => lines), ...statements], 4),
      VALUES: values.map((value, lane) => lanes[lane].inside(value)).join(", "),
    }),
    slots,
    writes: [image],
    workgroups: grid.workgroups,
    flops: 0,
  };
  return { dispatch, image };
}

const indent = (lines: readonly string[], by: number): string =>
  lines.map((line) => " ".repeat(by) + line).join("\n");

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
): { lines: string[]; steps: readonly Step[] } {
  const width = axis === innermost ? 4 : 1;
  const size = axis.size / width, block = (axis.block ?? axis.size) / width;
  const i = `i${position}`, step = place * width;
  const lines = [
    `let ${i} = rest % ${size}u;`,
    `rest /= ${size}u;`,
    block === size
      ? `place += ${i} * ${step}u;`
      : `place += ${i} % ${block}u * ${step}u + ${i} / ${block}u * ${blockPlace}u;`,
  ];
  if (axis === innermost) return { lines: [...lines, `let innermost = ${i} * 4u;`], steps: [] };
  const { lines: more, steps, bound } = coordinate(axis, i, `t${position}`);
  const check = bound === undefined ? [] : [`inside = inside & (${bound});`];
  return { lines: [...lines, ...more, ...check], steps };
}

/** The coordinate of the source that element `i` of an axis reads. */
function coordinate(
  { size, stride, reversed, shift = 0, limit = size }: PackAxis,
  i: string,
  name: string,
): {
  lines: string[];
  steps: readonly Step[];
  /** What holds where it is inside of the source, if that is not always so. */
  bound?: string;
  inside: (value: string) => string;
} {
  const t = reversed ? `${u32(shift)} - (${i})` : shift === 0 ? i : `${i} + ${u32(shift)}`;
  const always = shift === 0 && !reversed && limit >= size;
  const bound = always ? undefined : `${name} < ${limit}u`;
  return {
    lines: [`let ${name} = ${t};`],
    steps: stride === 0 || (size === 1 && always) ? [] : [{ at: name, stride, size: limit }],
    bound,
    inside: (value) => bound === undefined ? value : `select(0.0, ${value}, ${bound})`,
  };
}

/** A whole number, below zero as what wraps around to it. */
const u32 = (x: number): string => `${x >>> 0}u`;
