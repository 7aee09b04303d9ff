// Prologues: what is done to a product's operand, element by element, is done where the product's kernels load
// it. So what batch norm and an activation make of a product's results need not lie in memory for the next
// product: the pass that would store it is saved, and its memory. Kernels of the compiler that read it besides,
// such as the mask on the way back, compute it as well.

import { byteLength, type Shape, stridesOf } from "../dtype.ts";
import type { KernelContext, Slot } from "../kernels/dispatch.ts";
import { type Epilogue, resultsOf } from "../kernels/results.ts";
import { ComputedSlot, type Source, type Step, type Wanted } from "../kernels/sources.ts";
import { TexelSlot } from "../kernels/texels.ts";
import type { KernelOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { Bindings, Body, librariesOf, QUAD, type Work } from "./body.ts";
import { describe } from "./codegen.ts";
import { elementsOf, type Group, isSmall, stripReshape } from "./fuse.ts";
import { Index } from "./index_expression.ts";
import type { Slots } from "./memory.ts";
import type { Scope } from "./scope.ts";
import { reachable } from "./simplify.ts";
import { type TexelCopies, withCopies } from "./texel_copies.ts";
import { costOf, DISPATCH, slotsLike, STORE } from "./texel_costs.ts";

/** Nodes of a prologue, at most: a kernel repeats them for each element that a thread reads. */
const MOST_NODES = 64;

/** What a copy of an operand costs a thread more than reading it in place, where a form does that with texels. */
const COPY = 3;

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
  /** Where products get copies from of what is small, and slow to load. */
  readonly copies: TexelCopies;
}

/**
 * Leaves values to the products that read them, where all who read them can compute them for less than storing them
 * costs. Values that are computed alike are stored alike, for kernels that are alike can run together.
 */
export function fusePrologues(groups: readonly Group[], options: PrologueOptions): Group[] {
  const ask = new Questions(options.context), plan = new Rewriting(groups);
  const alike = Map.groupBy(plan.operands(), (operand) => {
    const reads = plan.readsOf(operand);
    return `${operand.shape} ${describe({ outputs: [operand], reads })}`;
  });
  for (const operands of alike.values()) {
    const saved = operands.reduce((sum, x) => sum + savedBy(x, { ...options, plan, ask }), 0);
    if (saved > 0) operands.forEach((operand) => plan.compute(operand, options.copies));
  }
  return plan.groups();
}

/** How many loads of a thread it saves if an operand's readers compute it; -Infinity where they cannot. */
function savedBy(
  operand: Tensor,
  options: PrologueOptions & { plan: Rewriting; ask: Questions },
): number {
  const { maxBuffers, roots, plan, ask } = options;
  const source = plan.producer(operand)!, reads = plan.readsOf(operand);
  const can = !roots.has(operand) && reachable([operand], reads).length <= MOST_NODES &&
    plan.keptFor(operand, reads) <= operand.size;
  if (!can) return -Infinity;
  const slots = slotsLike(reads.keys(), { ...options, beside: operand });
  const pass = (kind: Group["kind"]): number => passCost({ operand, reads, kind }, slots);
  // Its own pass, or its part of one that stores others.
  const others = source.outputs.filter((output) => output !== operand);
  let saved = operand.size * STORE + (others.length === 0 ? DISPATCH : 0);
  if (others.every(({ size }) => size !== operand.size)) saved += pass(source.kind);
  const costs = new Map<string, number>();
  for (const reader of plan.readers(operand)) {
    const { kind, outputs, reads: all } = reader;
    const bound = kind === "kernel" ? 1 : outputs.length + all.size - 1;
    if (bound + reads.size > maxBuffers) return -Infinity;
    if (kind !== "kernel") {
      if (!readsEach(operand, { kind, outputs, reads: all })) return -Infinity;
      saved += operand.size - pass(kind);
      continue;
    }
    const { product = outputs[0] } = reader;
    const { wanted, inPlace } = ask.about(product, { epilogue: reader.product !== undefined });
    // What another operand is computed from has to lie in memory, and what results are worked on with.
    if (!product.inputs.map(stripReshape).includes(operand)) return -Infinity;
    const known = new Map([...all, [product, true]]), worked = without(outputs, product);
    if (readsOf(worked, known).has(operand)) return -Infinity;
    for (const [at, input] of product.inputs.entries()) {
      if (stripReshape(input) !== operand) continue;
      const own = wanted[at];
      if (own === undefined) return -Infinity;
      for (const each of own) {
        const { source, work } = write(input, each, { reads, slots });
        // What is read alike is packed once.
        const key = [each.threads, ...source.statements, source.values].join("\n");
        const copy = options.textures && inPlace[at] ? each.threads * COPY + DISPATCH : 0;
        costs.set(key, each.threads * (each.places.length - costOf(work)) - copy);
      }
    }
  }
  return [...costs.values()].reduce((sum, cost) => sum + cost, saved);
}

/** Whether a kernel of the compiler goes over the elements of a value that it reads, and reads each at its place. */
function readsEach(operand: Tensor, group: Group): boolean {
  return elementsOf(group) === operand.size &&
    (group.kind === "reduce" || group.reads.get(operand)!);
}

/** What it costs a kernel of the compiler to compute a value in a pass over its elements. */
function passCost(
  { operand, reads, kind }: {
    operand: Tensor;
    reads: ReadonlyMap<Tensor, boolean>;
    kind: Group["kind"];
  },
  slots: Slots,
): number {
  const body = new Body(reads, new Bindings(slots, { quads: false }));
  const at = body.scope.sum([["i", QUAD]]);
  body.values(operand, (lane) => body.index(operand.shape, at, lane), QUAD);
  // What belongs to a row is loaded once.
  const small = [...reads.keys()].filter((read) => isSmall(read, operand));
  const again = kind === "reduce" ? small.length : 0;
  return operand.size / QUAD * (costOf(body.work) - again);
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
    return [...new Set(kernels.flatMap(({ reads }) => [...reads.keys()]))].filter((read) => {
      const kind = this.#producer.get(read)?.kind ?? "kernel";
      return kind !== "kernel" && read.op.kind === "pointwise" && read.dtype === "f32";
    });
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

  /** Lets the readers of a value compute it; products on copies of what is small, and slow to load. */
  compute(operand: Tensor, copies: TexelCopies): void {
    const source = this.producer(operand)!, readers = this.readers(operand);
    const reads = this.readsOf(operand);
    this.#groups.delete(source);
    const outputs = source.outputs.filter((output) => output !== operand);
    if (outputs.length > 0) {
      this.#add({ ...source, outputs, reads: readsOf(outputs, source.reads) });
    }
    for (const reader of readers) {
      const all = new Map(reader.reads), copied = new Map(reader.copied), there = all.get(operand)!;
      all.delete(operand);
      for (const [read, inPlace] of reads) {
        const copy = reader.kind === "kernel" ? copies.of(read, operand) : undefined;
        if (copy !== undefined) copied.set(read, copy);
        all.set(copy ?? read, there && inPlace && (all.get(read) ?? true));
      }
      this.#groups.delete(reader);
      this.#add({ ...reader, reads: all, copied });
    }
  }

  #add(group: Group): void {
    this.#groups.add(group);
    group.outputs.forEach((output) => this.#producer.set(output, group));
  }
}

const without = (values: readonly Tensor[], value: Tensor): Tensor[] =>
  values.filter((each) => each !== value);

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

/** What a product says of its operands, in the form that the machine takes. */
interface Answer {
  /** For each operand the elements that are asked for; undefined where it has to lie in memory. */
  readonly wanted: readonly (readonly Wanted[] | undefined)[];
  /** Whether an operand that lies in texels is read there, while another is copied. */
  readonly inPlace: readonly boolean[];
}

/** Asks products, each kind once. */
class Questions {
  readonly #context: KernelContext;
  readonly #answers = new Map<string, Answer>();

  constructor(context: KernelContext) {
    this.#context = context;
  }

  /** @param options.epilogue whether it works on its results: not every form can do both. */
  about(product: Tensor, options: { epilogue: boolean }): Answer {
    const { op, inputs, attributes } = product, { epilogue } = options;
    const key = JSON.stringify([op.name, attributes, inputs.map(({ shape }) => shape), epilogue]);
    const answer = this.#answers.get(key) ?? this.#ask(product, options);
    this.#answers.set(key, answer);
    return answer;
  }

  #ask(product: Tensor, { epilogue }: { epilogue: boolean }): Answer {
    const { op, inputs: operands } = product, wanted = operands.map((): Wanted[] => []);
    const bytesOf = ({ size, dtype }: Tensor): number => byteLength(size, dtype);
    const inputs: readonly Slot[] = operands.map((input, at) =>
      new ComputedSlot(bytesOf(input), (each) => {
        wanted[at].push(each);
        const slots = each.operands.map(({ slot }) => slot), values = each.places.map(() => "0.0");
        return { code: "", slots, statements: [], values, label: "" };
      })
    );
    const output: Slot = { bytes: bytesOf(product) };
    const end: Epilogue = (operands, given) =>
      resultsOf(this.#context, output, { ...given, operands });
    const context = { ...this.#context, ...(epilogue && { epilogue: end }) };
    const launch = (inputs: readonly Slot[]) =>
      (op as KernelOp).launch(context, product, { inputs, output });
    const dispatches = launch(inputs);
    const answer = wanted.map((own, at) =>
      dispatches.some(({ slots }) => slots.includes(inputs[at])) ? undefined : [...own]
    );
    const inPlace = inputs.map((input, at) =>
      launch(inputs.with(at, new TexelSlot(input.bytes))).length < dispatches.length
    );
    return { wanted: answer, inPlace };
  }
}

/** An operand of a product as a slot that is computed from what the product's group reads. */
export function lowerPrologue(
  input: Tensor,
  { group, slots }: { group: Group; slots: Slots },
): ComputedSlot {
  const all = withCopies(group, slots);
  return new ComputedSlot(
    byteLength(input.size, input.dtype),
    (wanted) => write(input, wanted, all).source,
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
