// Groups -> WGSL: fused expressions written into the skeletons shaders/fused*.wgsl.

import dispatchCode from "../../shaders/fused.wgsl" with { type: "text" };
import pointwiseCode from "../../shaders/fused_pointwise.wgsl" with { type: "text" };
import rowsCode from "../../shaders/fused_rows.wgsl" with { type: "text" };
import { beginInstance } from "../kernels/access.ts";
import type { Dispatch, KernelContext, Slot } from "../kernels/dispatch.ts";
import { foldGrid } from "../kernels/grid.ts";
import { instantiate } from "../kernels/template.ts";
import type { ReduceOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { type Binding, Bindings, Body, librariesOf, QUAD } from "./body.ts";
import { foldThreads, subgroupParameters } from "./fold.ts";
import type { Group } from "./fuse.ts";
import type { Slots } from "./memory.ts";
import {
  elementIndex,
  keptAxes,
  levelsOf,
  type RowForm,
  rowForm,
  rowsOf,
  rowThreads,
} from "./rows.ts";

/** What a kernel does. */
interface Part {
  readonly body: Body;
  /** A function `part(group, lane)`, which may take `subgroupParameters` besides. */
  readonly code: string;
  readonly subgroups?: boolean;
  readonly shared: readonly string[];
  readonly workgroups: number;
}

/** What a kernel is written into. */
interface Frame {
  readonly bindings: Bindings;
  readonly workgroup: number;
  /** Whether threads' totals are folded by subgroups. */
  readonly subgroups: boolean;
}

/** Bodies with more statements are not written four times. */
const MOST_LINES = 128;

/** SIMD lanes of a CPU's core. */
const LANES = 8;

/** Threads of a group's workgroup. */
function workgroupOf(group: Group, context: KernelContext): number {
  const { cpu } = context;
  if (group.kind === "pointwise") return cpu ? 32 : 256;
  const form = formOf(group, context);
  if (form.alone) return cpu ? 16 : 64;
  // Threads that run in lanes together do not wait for each other: of more, each barrier is a switch between them.
  return cpu ? LANES : rowThreads(lengthOf(group) / form.parts, context);
}

/** The form of a group of reductions. */
function formOf(group: Group, target: { cpu: boolean }): RowForm {
  return rowForm(rowsOf(firstFold(group)).results, lengthOf(group), target);
}

const firstFold = ({ outputs }: Group): Tensor => outputs.find(({ op }) => op.kind === "reduce")!;

/** How many elements a group's rows have. */
const lengthOf = (group: Group): number => rowsOf(firstFold(group)).length;

/**
 * The dispatches that compute a group.
 *
 * @param options.quads let threads work on four neighbours.
 */
export function fusedDispatches(
  group: Group,
  options: { slots: Slots; context: KernelContext; quads: boolean },
): Dispatch[] {
  const { slots, context, quads } = options;
  const frame = {
    bindings: new Bindings(slots, { quads }),
    workgroup: workgroupOf(group, context),
    subgroups: context.subgroups !== undefined,
  };
  if (group.kind === "reduce" && formOf(group, context).parts > 1) {
    return splitDispatches(group, { frame, ...options });
  }
  const part = group.kind === "pointwise"
    ? pointwisePart(group, { frame, quads })
    : rowsPart(group, { frame, quads, form: formOf(group, context) });
  return [assemble(part, {
    frame,
    context,
    kernel: group.kind,
    variant: describe(group),
    shape: shapeOf(group),
    flops: flopsOf(group),
  })];
}

/** A kernel of what it does. */
function assemble(
  part: Part,
  options:
    & { frame: Frame; context: KernelContext }
    & Pick<Dispatch, "kernel" | "variant" | "shape" | "flops">,
): Dispatch {
  const { frame, context, kernel, variant, shape, flops } = options;
  const { body, code, shared, subgroups = false } = part;
  const run = `part(group, ${["lane", ...(subgroups ? subgroupParameters : [])].join(", ")});`;
  const workgroups = foldGrid(part.workgroups, context.limits);
  // Branches cost a CPU's adapter more than they look: what is in them runs under a mask.
  const whole = workgroups[0] * workgroups[1] === part.workgroups;
  return {
    kernel,
    variant,
    shape,
    code: instantiate(dispatchCode, {
      LIBRARY: `${subgroups ? context.subgroups!.enable : ""}${librariesOf([body])}`,
      SUBGROUPS: Number(subgroups),
      BINDINGS: frame.bindings.declarations(),
      SHARED: shared.join("\n"),
      FUNCTION: code,
      WORKGROUP: frame.workgroup,
      BEGIN: beginInstance(frame.bindings.slots, "workgroup.z"),
      RUN: whole ? run : `if (group < ${part.workgroups}u) { ${run} }`,
    }),
    slots: frame.bindings.slots,
    workgroups,
    flops,
  };
}

function pointwisePart(
  group: Group,
  options: { frame: Frame; quads: boolean },
): Part {
  const { frame: { bindings, workgroup }, quads } = options;
  const { size } = group.outputs[0];
  const bodyOf = (lanes: number): { lanes: number; body: Body; stores: string[] } => {
    const body = new Body(group.reads, bindings);
    const at = body.scope.sum([["i", lanes]]);
    const values = group.outputs.map((output) =>
      body.values(output, (lane) => body.index(output.shape, at, lane), lanes)
    );
    const stores = group.outputs.flatMap((output, k) => body.store(output, at, values[k]));
    return { lanes, body, stores };
  };
  const one = bodyOf(1);
  const { lanes, body, stores } =
    quads && size % QUAD === 0 && one.body.scope.lines.length < MOST_LINES ? bodyOf(QUAD) : one;
  const count = size / lanes;
  return {
    body,
    code: instantiate(pointwiseCode, {
      WORKGROUP: workgroup,
      COUNT: count,
      REST: count % workgroup,
      BODY: [...body.scope.lines, ...stores].join("\n  "),
    }),
    shared: [],
    workgroups: Math.ceil(count / workgroup),
  };
}

/** How a kernel over rows is written. */
interface RowsOptions {
  readonly frame: Frame;
  readonly quads: boolean;
  readonly form: RowForm;
  /** Memory of the parts of each result, as [part, result]. */
  readonly targets?: readonly Binding[];
}

function rowsPart(group: Group, options: RowsOptions): Part {
  const { frame: { bindings, workgroup, subgroups }, quads, form, targets } = options;
  const { outputs, reads, axes } = group;
  const folds = outputs.filter(({ op }) => op.kind === "reduce");
  const { results, length } = rowsOf(folds[0]);
  const lanes = quads && length % QUAD === 0 ? QUAD : 1;
  const body = new Body(reads, bindings), { scope } = body;
  const levels = levelsOf(outputs, reads);
  const levelOf = (node: Tensor): number => levels.get(node) ?? 0;
  const elements = outputs.filter((output) => axes?.has(output));
  const last = Math.max(
    ...folds.map((fold) => levelOf(fold) - 1),
    ...elements.map(levelOf),
  );
  const shared: string[] = [], bySubgroups = subgroups && !form.alone;
  const step = form.alone ? lanes : workgroup * lanes;

  for (let level = 0; level <= last; level++) {
    const own = folds.filter((fold) => levelOf(fold) === level + 1);
    const stored = elements.filter((output) => levelOf(output) === level);
    if (own.length + stored.length === 0) continue;
    const nameOf = (fold: Tensor): string => `total${folds.indexOf(fold)}`;
    // A loop's counter has a name of its own: what was named in another loop is gone.
    const r = `r${level}`;
    scope.open(r, lanes);
    const indexOf = (shape: readonly number[], kept: readonly number[]) => (lane: number) =>
      elementIndex(body, { shape, kept, r: scope.sum([[r, 1], [`${lane}u`, 1]]) });
    const statements = own.flatMap((fold) => {
      const [input] = fold.inputs;
      const values = body.values(input, indexOf(input.shape, keptAxes(fold)), lanes);
      const total = nameOf(fold), { combine } = fold.op as ReduceOp;
      return [`${total} = ${combine(total, folded(values, combine))};`];
    });
    for (const output of stored) {
      const index = indexOf(output.shape, axes!.get(output)!);
      const values = body.values(output, index, lanes);
      statements.push(...storeNeighbours(body, output, { index, values }));
    }
    const lines = body.close();
    for (const fold of own) {
      scope.lines.push(`var ${nameOf(fold)} = ${(fold.op as ReduceOp).initial};`);
    }
    const from = form.alone ? "start" : `start + lane * ${lanes}u`;
    scope.lines.push(
      `for (var ${r} = ${from}; ${r} < stop; ${r} += ${step}u) {`,
      ...[...lines, ...statements].map((line) => `  ${line}`),
      "}",
    );
    if (!form.alone && own.length > 0) {
      const totals = own.map((fold) => ({
        op: fold.op as ReduceOp,
        variable: nameOf(fold),
        shared: `shared${folds.indexOf(fold)}`,
      }));
      const joined = foldThreads(totals, { workgroup, subgroups });
      scope.lines.push(...joined.lines);
      shared.push(...joined.shared);
    }
    for (const fold of own) {
      // A name of its own, so that what follows may be named before the next loop.
      scope.lines.push(`let m${folds.indexOf(fold)} = ${nameOf(fold)};`);
      body.keep(fold, `m${folds.indexOf(fold)}`);
    }
  }

  const rows = outputs.filter((output) => !axes?.has(output));
  const stores = rows.flatMap((output) => {
    const value = body.value(output, body.index(output.shape, "o"));
    const target = targets?.[outputs.indexOf(output)];
    return target === undefined
      ? body.store(output, "o", [value])
      : [body.write(target, "at", value)];
  });
  const { parts } = form;
  return {
    body,
    code: instantiate(rowsCode, {
      MORE: bySubgroups ? subgroupParameters.map((name) => `, ${name}: u32`).join("") : "",
      THREADS: Number(form.alone),
      REST: results * parts % workgroup,
      WORKGROUP: workgroup,
      RESULTS: results,
      LENGTH: length,
      PARTS: parts,
      STRETCH: Math.ceil(length / parts / QUAD) * QUAD,
      BODY: scope.lines.join("\n  "),
      RESULT: stores.join("\n  "),
    }),
    subgroups: bySubgroups,
    shared,
    workgroups: form.alone ? Math.ceil(results * parts / workgroup) : results * parts,
  };
}

/** Neighbours folded among themselves first, in a tree: the total of a long row loses fewer digits to them. */
function folded(values: readonly string[], combine: ReduceOp["combine"]): string {
  if (values.length === 1) return values[0];
  const half = values.length / 2;
  const sides = [values.slice(0, half), values.slice(half)].map((side) => folded(side, combine));
  return `(${combine(sides[0], sides[1])})`;
}

/** Writes values whose places need not be neighbours. */
export function storeNeighbours(
  body: Body,
  output: Tensor,
  at: { index: (lane: number) => { offset: string }; values: readonly string[] },
): string[] {
  const { index, values } = at;
  const offsets = values.map((_, lane) => index(lane).offset);
  if (areNeighbours(body, offsets)) return body.store(output, offsets[0], values);
  return values.flatMap((value, lane) => body.store(output, offsets[lane], [value]));
}

/** Whether offsets are known to follow each other. */
export function areNeighbours({ scope }: Body, offsets: readonly string[]): boolean {
  const places = offsets.map((offset) => scope.parts(offset)), [first] = places;
  return places.every(({ base, add }, lane) => base === first.base && add === first.add + lane);
}

/** Parts of a result that a thread asks for before it waits for any of them. */
const TOGETHER = 16;

/** First the parts of each result, then the parts among themselves. */
function splitDispatches(
  group: Group,
  options: { frame: Frame; slots: Slots; context: KernelContext; quads: boolean },
): Dispatch[] {
  const { frame, slots, context, quads } = options;
  const { outputs } = group, form = formOf(group, context), { parts } = form;
  const { results } = rowsOf(outputs[0]);
  const partial: Slot[] = outputs.map(({ size }) => context.scratch(size * parts * 4));
  const targets = partial.map((slot, k) => frame.bindings.declare(slot, outputs[k].dtype));
  const first = rowsPart(group, { frame, quads, form, targets });

  const second = {
    bindings: new Bindings(slots, { quads: false }),
    workgroup: context.cpu ? 16 : 64,
    subgroups: false,
  };
  const body = new Body(new Map(), second.bindings);
  const names = partial.map((slot, k) => second.bindings.declare(slot, outputs[k].dtype).name);
  const ops = outputs.map(({ op }) => op as ReduceOp);
  const fold = (k: number, first: string, count: number): string => {
    const values = Array.from(
      { length: count },
      (_, i) => `${names[k]}[(${first} + ${i}u) * ${results}u + o]`,
    );
    return `total${k} = ${ops[k].combine(`total${k}`, folded(values, ops[k].combine))};`;
  };
  const rest = parts % TOGETHER;
  const joined: Part = {
    body,
    code: instantiate(rowsCode, {
      MORE: "",
      THREADS: 1,
      REST: results % second.workgroup,
      WORKGROUP: second.workgroup,
      RESULTS: results,
      LENGTH: parts,
      PARTS: 1,
      STRETCH: parts,
      BODY: [
        ...ops.map((op, k) => `var total${k} = ${op.initial};`),
        `for (var r = start; r < ${parts - rest}u; r += ${TOGETHER}u) {`,
        ...ops.map((_, k) => `  ${fold(k, "r", TOGETHER)}`),
        "}",
        ...(rest > 0 ? ops.map((_, k) => fold(k, `${parts - rest}u`, rest)) : []),
      ].join("\n  "),
      RESULT: outputs.flatMap((output, k) => body.store(output, "o", [`total${k}`])).join("\n  "),
    }),
    shared: [],
    workgroups: Math.ceil(results / second.workgroup),
  };
  return [
    assemble(first, {
      frame,
      context,
      kernel: "reduce",
      variant: `${describe(group)}, ${parts} parts`,
      shape: shapeOf(group),
      flops: flopsOf(group),
    }),
    assemble(joined, {
      frame: second,
      context,
      kernel: "reduce",
      variant: "parts",
      shape: `${parts} -> ${results}`,
      flops: results * parts * outputs.length,
    }),
  ];
}

function flopsOf({ kind, outputs }: Group): number {
  if (kind === "pointwise") return 0;
  return outputs.reduce(
    (sum, { op, inputs }) => sum + (op.kind === "reduce" ? inputs[0].size : 0),
    0,
  );
}

function shapeOf({ kind, outputs }: Group): string {
  if (kind === "pointwise") return outputs[0].shape.join("x");
  const { results, length } = rowsOf(outputs.find(({ op }) => op.kind === "reduce")!);
  return `${length} -> ${results}`;
}

/** The ops that a group computes, for people. */
export function describe(
  group: { readonly outputs: readonly Tensor[]; readonly reads: ReadonlyMap<Tensor, unknown> },
): string {
  const names = new Map<string, number>();
  const seen = new Set<Tensor>(group.reads.keys());
  const visit = (node: Tensor): void => {
    if (seen.has(node)) return;
    seen.add(node);
    node.inputs.forEach(visit);
    if (node.op.name !== "full") names.set(node.op.name, (names.get(node.op.name) ?? 0) + 1);
  };
  group.outputs.forEach(visit);
  return [...names].map(([name, count]) => count > 1 ? `${name}*${count}` : name).join(" ");
}
