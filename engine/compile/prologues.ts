// Prologues: what is done to a product's operand, element by element, is done where the product's kernels load
// it. So what batch norm and an activation make of a product's results need not lie in memory for the next
// product: the pass that would store it is saved, and the memory.

import { byteLength, type Shape, stridesOf } from "../dtype.ts";
import type { KernelContext, Slot } from "../kernels/dispatch.ts";
import { ComputedSlot, type Source, type Step, type Wanted } from "../kernels/sources.ts";
import { TexelSlot } from "../kernels/texels.ts";
import type { KernelOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { Bindings, Body, librariesOf, QUAD, type Work } from "./body.ts";
import { describe } from "./codegen.ts";
import { type Group, stripReshape } from "./fuse.ts";
import { Index } from "./index_expression.ts";
import type { Slots } from "./memory.ts";
import type { Scope } from "./scope.ts";
import { reachable } from "./simplify.ts";

/** Nodes of a prologue, at most: a kernel repeats them for each element that a thread reads. */
const MOST_NODES = 64;

/** What decides which operands are computed where they are read. */
export interface PrologueOptions {
  /** How many buffers one kernel can be bound to. */
  readonly maxBuffers: number;
  /** What has to lie in memory after the run. */
  readonly roots: ReadonlySet<Tensor>;
  /** The machine: kernels are asked which of their forms it takes. */
  readonly context: KernelContext;
}

/**
 * Leaves values to the kernels that read them as operands, where all who read them can compute them for less than
 * it costs to store them.
 */
export function fusePrologues(groups: readonly Group[], options: PrologueOptions): Group[] {
  const result = new Set(groups);
  const producer = new Map(
    groups.flatMap((group) => group.outputs.map((x) => [x, group] as const)),
  );
  const operands = new Set(
    groups.flatMap(({ kind, reads }) => kind === "kernel" ? [...reads.keys()] : []),
  );
  for (const operand of operands) {
    const source = producer.get(operand);
    if (source === undefined || operand.op.kind !== "pointwise" || operand.dtype !== "f32") {
      continue;
    }
    if (options.roots.has(operand)) continue;
    const readers = [...result].filter(({ reads }) => reads.has(operand));
    const stored = source.outputs.filter((output) => output !== operand);
    const reads = readsOf([operand], { reads: source.reads, stored });
    if (!worthwhile({ operand, source, readers, reads }, options)) continue;
    result.delete(source);
    const rest = without(source, operand);
    if (rest.outputs.length > 0) result.add(rest);
    rest.outputs.forEach((output) => producer.set(output, rest));
    for (const reader of readers) {
      const all = new Map(reader.reads);
      all.delete(operand);
      reads.forEach((_, read) => all.set(read, false));
      const changed = { ...reader, reads: all };
      result.delete(reader);
      result.add(changed);
      changed.outputs.forEach((output) => producer.set(output, changed));
    }
  }
  return [...result];
}

/** An operand, the group that would store it, the products that read it, and what it is computed from. */
interface Candidate {
  readonly operand: Tensor;
  readonly source: Group;
  readonly readers: readonly Group[];
  readonly reads: ReadonlyMap<Tensor, boolean>;
}

/** What outputs of a group are computed from: what it reads, and what else is `stored`. */
function readsOf(
  outputs: readonly Tensor[],
  { reads, stored = [] }: { reads: ReadonlyMap<Tensor, boolean>; stored?: readonly Tensor[] },
): Map<Tensor, boolean> {
  const found = new Map<Tensor, boolean>(), seen = new Set<Tensor>();
  const visit = (node: Tensor): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (reads.has(node) || stored.includes(node)) found.set(node, reads.get(node) ?? false);
    else node.inputs.forEach(visit);
  };
  outputs.forEach((output) => output.inputs.forEach(visit));
  return found;
}

/** A group that does not store one of its values any more. */
function without(group: Group, operand: Tensor): Group {
  const outputs = group.outputs.filter((output) => output !== operand);
  return { ...group, outputs, reads: readsOf(outputs, group) };
}

// What llvmpipe takes, in loads of eight numbers from texels.
const FROM_BUFFER = 5, STORE = 2.2;
/** A dispatch, in loads of a single number. */
const DISPATCH = 2 ** 15;

const costOf = ({ loads, fromBuffers, arithmetic }: Work): number =>
  loads + FROM_BUFFER * fromBuffers + arithmetic;

/** Whether all who read an operand can compute it, and for less than storing and loading it costs. */
function worthwhile(candidate: Candidate, options: PrologueOptions): boolean {
  const { operand, source, readers, reads } = candidate, { maxBuffers } = options;
  if (readers.some(({ kind }) => kind !== "kernel") || reads.size + 1 > maxBuffers) return false;
  if (reachable([operand], reads).length > MOST_NODES) return false;
  const slots = slotsLike(reads, options);
  const asked = new Map<string, { threads: number; work: Work }>();
  for (const { outputs: [product] } of readers) {
    const taken = ask(product, { operand, context: options.context }, (input) => (wanted) => {
      const { source, work } = write(input, wanted, { reads, slots });
      // What is packed alike is packed once.
      asked.set(`${wanted.threads} ${source.values} ${source.statements}`, {
        threads: wanted.threads,
        work,
      });
      return source;
    });
    if (!taken) return false;
  }
  let stored = alone(candidate, slots), computed = 0;
  for (const { threads, work } of asked.values()) {
    stored += threads * QUAD;
    computed += threads * costOf(work);
  }
  return computed < stored;
}

/** What storing an operand costs its group. */
function alone({ operand, source, reads }: Candidate, slots: Slots): number {
  const stores = operand.size * STORE;
  const beside = source.outputs.some((output) =>
    output !== operand && output.size === operand.size
  );
  if (beside) return stores;
  const body = new Body(reads, new Bindings(slots, { quads: false }));
  const at = body.scope.sum([["i", QUAD]]);
  body.values(operand, (lane) => body.index(operand.shape, at, lane), QUAD);
  const pass = operand.size / QUAD * costOf(body.work);
  return stores + pass + (source.outputs.length === 1 ? DISPATCH : 0);
}

/** Memory of the kind in which each of some tensors will lie. */
function slotsLike(
  reads: ReadonlyMap<Tensor, boolean>,
  { roots, context: { cpu, images } }: PrologueOptions,
): Slots {
  return new Map([...reads.keys()].map((read) => {
    const texels = cpu && images && read.dtype === "f32" && read.op.kind !== "leaf" &&
      !roots.has(read);
    const bytes = byteLength(read.size, read.dtype);
    return [read, texels ? new TexelSlot(bytes) : { bytes }];
  }));
}

/** Launches a product on an operand that has a prologue. Returns whether its form took it. */
function ask(
  product: Tensor,
  { operand, context }: { operand: Tensor; context: KernelContext },
  prologue: (input: Tensor) => (wanted: Wanted) => Source,
): boolean {
  const slotOf = ({ size, dtype }: Tensor): Slot => ({ bytes: byteLength(size, dtype) });
  const inputs = product.inputs.map((input) =>
    stripReshape(input) === operand
      ? new ComputedSlot(slotOf(input).bytes, prologue(input))
      : slotOf(input)
  );
  return (product.op as KernelOp).launch(context, product, { inputs, output: slotOf(product) })
    .every(({ slots }) => !slots.some((slot) => slot instanceof ComputedSlot));
}

/** An operand of a product as a slot that is computed from what the product's group reads. */
export function lowerPrologue(
  input: Tensor,
  { group: { reads }, slots }: { group: Group; slots: Slots },
): ComputedSlot {
  return new ComputedSlot(
    byteLength(input.size, input.dtype),
    (wanted) => write(input, wanted, { reads, slots }).source,
  );
}

/** Writes elements of an operand. */
function write(
  input: Tensor,
  { operands, places }: Wanted,
  { reads, slots }: { reads: ReadonlyMap<Tensor, boolean>; slots: Slots },
): { source: Source; work: Work } {
  const bindings = new Bindings(slots, { quads: false, operands });
  const body = new Body(reads, bindings);
  const values = places.map((place) => body.value(input, indexAt(body.scope, input.shape, place)));
  return {
    source: {
      code: [librariesOf([body]), bindings.declarations()].join("\n"),
      slots: bindings.slots,
      statements: body.scope.lines,
      values,
      label: ` of ${describe({ outputs: [input], reads })}`,
    },
    work: body.work,
  };
}

/** The element at the end of some steps, by coordinates wherever each step goes along one axis. */
function indexAt(scope: Scope, shape: Shape, place: readonly Step[]): Index {
  const strides = stridesOf(shape);
  const along = shape.map((): [text: string, factor: number][] => []);
  const reach = shape.map(() => 0);
  for (const { at, stride, size } of place) {
    const long = shape.findIndex((length, axis) => length > 1 && stride % strides[axis] === 0);
    const axis = strides[long] === stride || !strides.includes(stride)
      ? long
      : strides.indexOf(stride);
    if (axis < 0) continue;
    along[axis].push([at, stride / strides[axis]]);
    reach[axis] += (size - 1) * stride / strides[axis];
  }
  const first = shape.findIndex((length) => length > 1);
  // Beyond the end of the outermost axis there is nothing, but a step over the end of another is one along the next.
  if (reach.every((last, axis) => last < shape[axis] || axis <= first)) {
    return Index.at(scope, shape, along.map((terms) => scope.sum(terms)));
  }
  return Index.linear(
    scope,
    shape,
    scope.sum(place.map(({ at, stride }) => [at, stride] as const)),
  );
}
