// Prologues: what is done to a product's operand, element by element, is done where the product's kernels load
// it. So what batch norm and an activation make of a product's results need not lie in memory for the next
// product: the pass that would store it is saved, and its memory.

import { byteLength, type Shape, stridesOf } from "../dtype.ts";
import type { KernelContext, Slot } from "../kernels/dispatch.ts";
import { ComputedSlot, type Source, type Step, type Wanted } from "../kernels/sources.ts";
import { TexelSlot } from "../kernels/texels.ts";
import type { KernelOp } from "../op.ts";
import { copyOp } from "../ops/elementwise.ts";
import { Tensor } from "../tensor.ts";
import { Bindings, Body, librariesOf, QUAD, type Work } from "./body.ts";
import { describe } from "./codegen.ts";
import { type Group, isSmall, stripReshape } from "./fuse.ts";
import { Index } from "./index_expression.ts";
import type { Slots } from "./memory.ts";
import type { Scope } from "./scope.ts";
import { reachable } from "./simplify.ts";

/** Nodes of a prologue, at most: a kernel repeats them for each element that a thread reads. */
const MOST_NODES = 64;

// What llvmpipe takes, in loads from texels: eight threads load as many numbers.
const FROM_BUFFER = 6, STORE = 2.2;
/** A dispatch, in loads of a thread. */
const DISPATCH = 2 ** 15;

/** What decides which operands are computed where they are read. */
export interface PrologueOptions {
  /** How many buffers one kernel can be bound to. */
  readonly maxBuffers: number;
  /** What has to lie in memory after the run. */
  readonly roots: ReadonlySet<Tensor>;
  /** The machine: products are asked which of their forms it takes. */
  readonly context: KernelContext;
  /** Whether results lie in texels, and what else lies in buffers. */
  readonly textures: boolean;
}

/**
 * Leaves values to the products that read them, where they all can compute them for less than storing them
 * costs. Values that are computed alike are stored alike, for kernels that are alike can run together.
 */
export function fusePrologues(groups: readonly Group[], options: PrologueOptions): Group[] {
  const ask = new Questions(options.context), plan = new Rewriting(groups);
  const alike = Map.groupBy(plan.operands(), (operand) => {
    const reads = plan.readsOf(operand);
    return `${operand.shape} ${describe({ outputs: [operand], reads })}`;
  });
  const copies = new Map<Tensor, Tensor>();
  for (const operands of alike.values()) {
    const saved = operands.reduce((sum, x) => sum + savedBy(x, { ...options, plan, ask }), 0);
    if (saved > 0) operands.forEach((operand) => plan.compute(operand, { ...options, copies }));
  }
  return plan.groups();
}

/** How many loads of a thread it saves if an operand's readers compute it; -Infinity where they cannot. */
function savedBy(
  operand: Tensor,
  options: PrologueOptions & { plan: Rewriting; ask: Questions },
): number {
  const { maxBuffers, roots, plan, ask } = options;
  const source = plan.producer(operand)!, readers = plan.readers(operand);
  const reads = plan.readsOf(operand);
  const can = !roots.has(operand) && readers.every(({ kind }) => kind === "kernel") &&
    // One binding is the kernel's own.
    reads.size + 1 <= maxBuffers && reachable([operand], reads).length <= MOST_NODES &&
    plan.keptFor(operand, reads) <= operand.size;
  if (!can) return -Infinity;
  const slots = slotsLike({ operand, reads }, options);
  const costs = new Map<string, { threads: number; cost: number }>();
  for (const { outputs: [product] } of readers) {
    const wanted = ask.about(product), inputs = product.inputs.map(stripReshape);
    // What another operand is computed from has to lie in memory.
    if (!inputs.includes(operand)) return -Infinity;
    for (const [at, input] of product.inputs.entries()) {
      if (inputs[at] !== operand) continue;
      const own = wanted[at];
      if (own === undefined) return -Infinity;
      for (const each of own) {
        const { source, work } = write(input, each, { reads, slots });
        // What is read alike is packed once.
        const { threads } = each, key = [threads, ...source.statements, source.values].join("\n");
        costs.set(key, { threads, cost: costOf(work) });
      }
    }
  }
  let saved = storingCost({ operand, source, reads }, slots);
  for (const { threads, cost } of costs.values()) saved += threads * (QUAD - cost);
  return saved;
}

const costOf = ({ loads, fromBuffers, arithmetic }: Work): number =>
  loads + (FROM_BUFFER - 1) * fromBuffers + arithmetic;

/** What the pass that stores an operand costs its group. */
function storingCost(
  { operand, source, reads }: {
    operand: Tensor;
    source: Group;
    reads: ReadonlyMap<Tensor, boolean>;
  },
  slots: Slots,
): number {
  const store = operand.size * STORE;
  const others = source.outputs.filter((output) => output !== operand);
  if (others.some(({ size }) => size === operand.size)) return store;
  const body = new Body(reads, new Bindings(slots, { quads: false }));
  const at = body.scope.sum([["i", QUAD]]);
  body.values(operand, (lane) => body.index(operand.shape, at, lane), QUAD);
  // What belongs to a row is loaded once.
  const small = [...reads.keys()].filter((read) => isSmall(read, operand));
  const again = source.kind === "reduce" ? small.length : 0;
  const pass = operand.size / QUAD * (costOf(body.work) - again);
  return store + pass + (others.length === 0 ? DISPATCH : 0);
}

/** Memory of the kind in which each of some tensors will lie. */
function slotsLike(
  { operand, reads }: { operand: Tensor; reads: ReadonlyMap<Tensor, boolean> },
  options: PrologueOptions,
): Slots {
  return new Map([...reads.keys()].map((read) => {
    const bytes = byteLength(read.size, read.dtype);
    const texels = options.textures && read.dtype === "f32" &&
      (!inBuffer(read, options) || isSmall(read, operand));
    return [read, texels ? new TexelSlot(bytes) : { bytes }];
  }));
}

/** Whether a tensor will lie in a buffer, whatever others lie in. */
function inBuffer(x: Tensor, { roots }: { roots: ReadonlySet<Tensor> }): boolean {
  return x.op.kind === "leaf" || roots.has(x);
}

/** Groups that are being changed. */
class Rewriting {
  readonly #groups: Set<Group>;
  readonly #producer = new Map<Tensor, Group>();

  constructor(groups: readonly Group[]) {
    this.#groups = new Set();
    groups.forEach((group) => this.#add(group));
  }

  groups(): Group[] {
    return [...this.#groups];
  }

  /** What products read from memory, and might compute. */
  operands(): Tensor[] {
    const kernels = this.groups().filter(({ kind }) => kind === "kernel");
    return [...new Set(kernels.flatMap(({ reads }) => [...reads.keys()]))].filter((read) =>
      this.#producer.has(read) && read.op.kind === "pointwise" && read.dtype === "f32"
    );
  }

  producer(x: Tensor): Group | undefined {
    return this.#producer.get(x);
  }

  readers(x: Tensor): Group[] {
    return this.groups().filter(({ reads }) => reads.has(x));
  }

  /** What a value is computed from: what its group reads, or stores besides. */
  readsOf(x: Tensor): Map<Tensor, boolean> {
    const { reads, outputs } = this.#producer.get(x)!;
    const beside = outputs.filter((output) => output !== x);
    return readsOf([x], new Map([...reads, ...beside.map((output) => [output, false] as const)]));
  }

  /** Elements that would be kept alive for the readers of a value, if they were to compute it. */
  keptFor(operand: Tensor, reads: ReadonlyMap<Tensor, boolean>): number {
    const until = this.#lastUse(operand);
    return [...reads.keys()]
      .filter((x) => x.op.kind !== "leaf" && !isSmall(x, operand) && this.#lastUse(x) < until)
      .reduce((sum, { size }) => sum + size, 0);
  }

  /** The number of the last node that is computed from a value in memory. */
  #lastUse(x: Tensor): number {
    return Math.max(
      ...this.readers(x).map(({ outputs }) => Math.max(...outputs.map(({ id }) => id))),
    );
  }

  /** Lets the readers of a value compute it; on copies of what is small, and slow to load. */
  compute(
    operand: Tensor,
    options: PrologueOptions & { copies: Map<Tensor, Tensor> },
  ): void {
    const { textures, copies } = options;
    const source = this.producer(operand)!, readers = this.readers(operand);
    const copied = new Map<Tensor, Tensor>(), reads = new Map<Tensor, boolean>();
    for (const read of this.readsOf(operand).keys()) {
      if (textures && read.dtype === "f32" && inBuffer(read, options) && isSmall(read, operand)) {
        const copy = copies.get(read) ??
          new Tensor(copyOp, [read], {}, read.shape, read.dtype, read.origin);
        if (!copies.has(read)) {
          this.#add({ kind: "pointwise", outputs: [copy], reads: new Map([[read, true]]) });
        }
        copies.set(read, copy);
        copied.set(read, copy);
        reads.set(copy, false);
      } else reads.set(read, false);
    }
    this.#groups.delete(source);
    const outputs = source.outputs.filter((output) => output !== operand);
    if (outputs.length > 0) {
      this.#add({ ...source, outputs, reads: readsOf(outputs, source.reads) });
    }
    for (const reader of readers) {
      const others = [...reader.reads].filter(([read]) => read !== operand);
      this.#groups.delete(reader);
      this.#add({
        ...reader,
        reads: new Map([...others, ...reads]),
        copied: new Map([...reader.copied ?? [], ...copied]),
      });
    }
  }

  #add(group: Group): void {
    this.#groups.add(group);
    group.outputs.forEach((output) => this.#producer.set(output, group));
  }
}

/** Of what is `stored`, all that values are computed from. */
function readsOf(
  values: readonly Tensor[],
  stored: ReadonlyMap<Tensor, boolean>,
): Map<Tensor, boolean> {
  const found = new Map<Tensor, boolean>(), seen = new Set<Tensor>();
  const visit = (node: Tensor): void => {
    if (seen.has(node)) return;
    seen.add(node);
    if (stored.has(node)) found.set(node, stored.get(node)!);
    else node.inputs.forEach(visit);
  };
  values.forEach((value) => value.inputs.forEach(visit));
  return found;
}

/** What products want of their operands, in the forms that the machine takes. */
class Questions {
  readonly #context: KernelContext;
  readonly #answers = new Map<string, readonly (readonly Wanted[] | undefined)[]>();

  constructor(context: KernelContext) {
    this.#context = context;
  }

  /** For each operand the elements that its form asks for; undefined where it has to lie in memory. */
  about(product: Tensor): readonly (readonly Wanted[] | undefined)[] {
    const { op, inputs, attributes } = product;
    const key = JSON.stringify([op.name, attributes, inputs.map(({ shape }) => shape)]);
    const answer = this.#answers.get(key) ?? this.#ask(product);
    this.#answers.set(key, answer);
    return answer;
  }

  #ask(product: Tensor): (readonly Wanted[] | undefined)[] {
    const slotOf = ({ size, dtype }: Tensor): Slot => ({ bytes: byteLength(size, dtype) });
    const wanted = product.inputs.map((): Wanted[] => []);
    const inputs = product.inputs.map((input, at) =>
      new ComputedSlot(slotOf(input).bytes, (each) => {
        wanted[at].push(each);
        const slots = each.operands.map(({ slot }) => slot), values = each.places.map(() => "0.0");
        return { code: "", slots, statements: [], values, label: "" };
      })
    );
    const dispatches = (product.op as KernelOp)
      .launch(this.#context, product, { inputs, output: slotOf(product) });
    return wanted.map((own, at) =>
      dispatches.some(({ slots }) => slots.includes(inputs[at])) ? undefined : own
    );
  }
}

/** An operand of a product as a slot that is computed from what the product's group reads. */
export function lowerPrologue(
  input: Tensor,
  { group, slots }: { group: Group; slots: Slots },
): ComputedSlot {
  const copied = [...group.copied ?? []];
  const reads = new Map([...group.reads, ...copied.map(([read]) => [read, false] as const)]);
  const all = new Map([
    ...slots,
    ...copied.map(([read, copy]) => [read, slots.get(copy)!] as const),
  ]);
  return new ComputedSlot(
    byteLength(input.size, input.dtype),
    (wanted) => write(input, wanted, { reads, slots: all }).source,
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
      label: ` of ${describe({ outputs: [input], reads }) || "constants"}`,
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
    // Along an axis of one element all steps but the first lead out of the operand.
    const axis = strides[long] === stride || !strides.includes(stride)
      ? long
      : strides.indexOf(stride);
    if (axis < 0) continue;
    along[axis].push([at, stride / strides[axis]]);
    reach[axis] += (size - 1) * stride / strides[axis];
  }
  const first = shape.findIndex((length) => length > 1);
  // Beyond the end of the outermost axis there is nothing, but beyond another's the next one goes on.
  if (reach.every((last, axis) => last < shape[axis] || axis <= first)) {
    return Index.at(scope, shape, along.map((terms) => scope.sum(terms)));
  }
  return Index.linear(scope, shape, scope.sum(place.map(({ at, stride }) => [at, stride])));
}
