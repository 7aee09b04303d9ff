// Rows: what reductions fold into one result each, and all that is computed from their elements and results
// by one kernel. It passes over a row once for each fold that needs the result of another: batch norm's mean,
// then its variance, then what is normalised.

import { type Shape, sizeOf } from "../dtype.ts";
import { MOST_ROUNDS } from "../kernels/gemm_grid.ts";
import type { Tensor } from "../tensor.ts";
import type { KernelContext } from "../kernels/dispatch.ts";
import { Bindings, Body, Misplaced } from "./body.ts";
import { Index } from "./index_expression.ts";

/** How a kernel goes over rows. */
export interface RowForm {
  /** One thread a row, rather than a workgroup. */
  readonly alone: boolean;
  /** Workgroups that share a row; their results are folded by a second kernel. */
  readonly parts: number;
}

/** Rows up to this length are folded by one thread each. */
const SHORT = 64;
/** From this many rows on, a thread each keeps the device busy. */
const MANY = 16_384;
/** A workgroup folds about this many elements; longer rows are split in parts. */
const STRETCH = 16_384;
/** From this many rows on, a workgroup each keeps the cores of a CPU busy. */
const FEW = 3;
const MOST_PARTS = 256;

/** The best form for `results` rows of some length. */
export function rowForm(results: number, length: number, { cpu }: { cpu: boolean }): RowForm {
  const alone = length <= SHORT || (results >= MANY && length <= STRETCH);
  const whole = alone || length < 2 * STRETCH ||
    (cpu && results >= FEW && length < 4 * MOST_ROUNDS);
  return { alone, parts: whole ? 1 : Math.min(MOST_PARTS, Math.ceil(length / STRETCH)) };
}

/** Threads of a GPU for a row, and for one of at least so many elements. With more, each has too few registers. */
const THREADS = 256, LONG = { length: 4096, threads: 512 };

/**
 * How many threads of a GPU go over a row of some length. There are often fewer rows than a GPU has cores for, and
 * what a core has on its way from memory goes by its threads. Without subgroups more of them only fold longer.
 */
export function rowThreads(
  length: number,
  { limits, subgroups }: Pick<KernelContext, "limits" | "subgroups">,
): number {
  const can = subgroups !== undefined && limits.maxComputeInvocationsPerWorkgroup >= LONG.threads;
  return can && length >= LONG.length ? LONG.threads : THREADS;
}

/** The number of rows of a reduction, and the elements in each. */
export function rowsOf(node: Tensor): { results: number; length: number } {
  return { results: node.size, length: node.inputs[0].size / node.size };
}

/** The axes that a reduction keeps. */
export function keptAxes(node: Tensor): number[] {
  const dims = new Set<number>(node.attributes.dims);
  return node.inputs[0].shape.flatMap((_, axis) => dims.has(axis) ? [] : [axis]);
}

/** For what is computed from an element alone 0, and one more for each fold that it has to wait for. */
export function levelsOf(
  outputs: readonly Tensor[],
  reads: ReadonlyMap<Tensor, boolean>,
): ReadonlyMap<Tensor, number> {
  const levels = new Map<Tensor, number>();
  const visit = (node: Tensor): number => {
    if (reads.has(node)) return 0;
    let level = levels.get(node);
    if (level === undefined) {
      level = Math.max(0, ...node.inputs.map(visit)) + (node.op.kind === "reduce" ? 1 : 0);
      levels.set(node, level);
    }
    return level;
  };
  outputs.forEach(visit);
  return levels;
}

/** Where the element `r` of row `o` lies in a tensor of a shape, of which the row is told by the axes `kept`. */
export function elementIndex(
  body: Body,
  at: { shape: Shape; kept: readonly number[]; r: string },
): Index {
  const { shape, kept, r } = at, { scope } = body;
  const lengthOf = (from: number, to?: number): number => sizeOf(shape.slice(from, to));
  const long = kept.filter((axis) => shape[axis] !== 1);
  const first = long[0] ?? 0, end = (long.at(-1) ?? -1) + 1;
  const together = shape.every((length, axis) =>
    length === 1 || axis < first || axis >= end || kept.includes(axis)
  );
  if (together) {
    const outer = lengthOf(0, first), inner = lengthOf(end);
    const within = outer === 1 ? r : scope.rest(r, inner);
    return Index.at(scope, [outer, lengthOf(first, end), inner], [
      scope.quotient(r, inner),
      "o",
      within,
    ]).reshaped(shape);
  }
  const folded = shape.map((length, axis) => kept.includes(axis) ? 1 : length);
  const outer = body.index(shape.map((length, axis) => kept.includes(axis) ? length : 1), "o");
  const inner = body.index(folded, r);
  return inner.at(
    shape,
    shape.map((_, axis) => (kept.includes(axis) ? outer : inner).coordinates[axis]),
  );
}

/**
 * The axes that tell the row, for each output that has an element for each of the rows'; undefined where the
 * outputs do not fit one kernel, because one asks for the results of other rows.
 */
export function rowAxes(
  outputs: readonly Tensor[],
  reads: ReadonlyMap<Tensor, boolean>,
): ReadonlyMap<Tensor, readonly number[]> | undefined {
  const folds = outputs.filter((output) => output.op.kind === "reduce");
  const { results, length } = rowsOf(folds[0]);
  const axes = new Map<Tensor, readonly number[]>();
  const fits = (node: Tensor, kept: readonly number[]): boolean => {
    const slots = new Map([...reads.keys()].map((read) => [read, { bytes: 4 }]));
    const body = new Body(reads, new Bindings(slots, { quads: false }));
    folds.forEach((fold, k) => body.keep(fold, `m${k}`));
    body.scope.open("r", 1);
    try {
      body.value(node, elementIndex(body, { shape: node.shape, kept, r: "r" }));
      return true;
    } catch (error) {
      if (error instanceof Misplaced) return false;
      throw error;
    }
  };
  for (const output of outputs) {
    if (output.op.kind === "reduce") {
      if (!fits(output.inputs[0], keptAxes(output))) return undefined;
    } else if (output.size === results * length) {
      const kept = runs(output.shape, results).find((run) => fits(output, run));
      if (kept === undefined) return undefined;
      axes.set(output, kept);
    } else if (!fits(output, output.shape.map((_, axis) => axis))) return undefined;
  }
  return axes;
}

/** Runs of axes that have `results` elements. */
function runs(shape: Shape, results: number): number[][] {
  const found: number[][] = [];
  for (let first = 0; first < shape.length; first++) {
    const run: number[] = [];
    for (let axis = first; axis < shape.length; axis++) {
      run.push(axis);
      if (sizeOf(run.map((at) => shape[at])) === results) found.push([...run]);
    }
  }
  return found;
}
