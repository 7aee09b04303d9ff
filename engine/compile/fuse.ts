// Graph -> groups: which values get memory, and which are computed inside the kernels that read them.
//
// Leaves, reductions and ops with kernels of their own always lie in memory. A pointwise value does where it
// is asked for, where a kernel op reads it, or where several groups read it and storing it costs less
// memory traffic than computing it again. Groups that work on as many elements and share inputs are then
// joined, so that one kernel writes several results; so are reductions with what they are made of, and with what
// is made of their results.

import { expandOp, reshapeOp } from "../ops/movement.ts";
import type { Tensor } from "../tensor.ts";
import type { Variable } from "../variable.ts";
import { rowAxes, rowForm, rowsOf } from "./rows.ts";
import { reachable } from "./simplify.ts";

/** One kernel launch to be: what it writes, and what it reads from memory. */
export interface Group {
  readonly kind: "pointwise" | "reduce" | "kernel";
  readonly outputs: Tensor[];
  /**
   * Of a kernel that works on its results before it stores them: the node that it computes, and may not store.
   */
  readonly product?: Tensor;
  /**
   * Of a group with reductions: the axes that tell the row, for each output that has an element for each of
   * those that are folded.
   */
  readonly axes?: ReadonlyMap<Tensor, readonly number[]>;
  /** Of a product with a prologue or an epilogue: what it reads of copies, which are among `reads` instead. */
  readonly copied?: ReadonlyMap<Tensor, Tensor>;
  /** Stored tensors that are read; true where each is read only at the offset that is written. */
  readonly reads: Map<Tensor, boolean>;
}

/** Elements times cost above which a value is not computed again for each repetition. */
const REPEATED_WORK = 32_768;
/** And what it may cost in any case, for a value that is loaded instead costs about as much. */
const LITTLE_WORK = 0.5;
/** A value that kernels would compute at more places than this is stored. */
const MOST_PLACES = 64;
/** Ops that one kernel chains at most: the compiler descends along them. */
const MOST_DEPTH = 200;
/** Reductions that one kernel does at most: their totals lie in memory that a workgroup shares. */
const MOST_FOLDS = 8;
/** A tensor whose elements are read this often for a larger one is small beside it. */
const REPETITIONS = 16;
const LOAD = 1, CACHED_LOAD = 0.1, STORE = 1;

/** What fusion must know of the machine, and which improvements to make. */
export interface FuseOptions {
  /** How many buffers one kernel can be bound to. */
  readonly maxBuffers: number;
  readonly cpu: boolean;
  /** Join reductions with what leads to them, and with what needs their results. */
  readonly rows: boolean;
  /** New values of variables, among the roots. */
  readonly assigned: ReadonlyMap<Tensor, Variable>;
  /** Give every value a kernel of its own, for comparison. */
  readonly separate?: boolean;
}

/** The tensor whose memory a chain of reshapes shares. */
export function stripReshape(x: Tensor): Tensor {
  return x.op === reshapeOp ? stripReshape(x.inputs[0]) : x;
}

/** Forms the groups that compute `roots`, in no particular order. */
export function fuse(roots: readonly Tensor[], options: FuseOptions): Group[] {
  const nodes = reachable(roots);
  const stored = new Set(roots.map(stripReshape));
  if (options.separate) {
    // Bytes are for inputs: they are never written.
    const separate = nodes.filter((node) => node.op.kind === "leaf" || node.dtype !== "u8");
    separate.forEach((node) => stored.add(stripReshape(node)));
    return storedGroups(nodes, stored, options);
  }
  for (const node of nodes) {
    if (node.op.kind !== "pointwise" || node.op.stored) stored.add(node);
    if (node.op.kind === "kernel") node.inputs.forEach((x) => stored.add(stripReshape(x)));
  }
  storeExpensiveRepetitions(nodes, stored);
  storeShared(nodes, stored, options);
  storeScattered(nodes, stored);
  storeDeep(nodes, stored);
  // What is stored may be read along with what it was made of: repeat until nothing is too wide.
  while (storeForBindings(nodes, stored, options.maxBuffers));
  const groups = storedGroups(nodes, stored, options),
    readers = readersOf(groups, options.assigned);
  return join(groups, { ...options, stored, results: new Set(roots.map(stripReshape)), readers });
}

/** A group for each value that has memory and is not given. */
function storedGroups(
  nodes: readonly Tensor[],
  stored: ReadonlySet<Tensor>,
  options: { maxBuffers: number },
): Group[] {
  return nodes
    .filter((node) => stored.has(node) && node.op.kind !== "leaf")
    .map((node) => group([node], stored, options));
}

/**
 * What an element costs, in loads, if everything that is not stored is computed on the spot. Few elements of a large
 * tensor are loaded like those of a small one, again and again.
 */
function costs(nodes: readonly Tensor[], stored: ReadonlySet<Tensor>): Map<Tensor, number> {
  const work = new Map<Tensor, number>(), loads = new Map<Tensor, number>();
  for (const node of nodes) {
    let ownWork = node.op.kind === "pointwise" ? node.op.cost : 0, ownLoads = 0;
    for (const input of node.inputs) {
      const isStored = stored.has(stripReshape(input));
      const load = isStored ? input.size * 4 <= node.size ? CACHED_LOAD : LOAD : loads.get(input)!;
      ownLoads += node.size * 4 <= input.size ? Math.min(load, CACHED_LOAD) : load;
      ownWork += isStored ? 0 : work.get(input)!;
    }
    work.set(node, Math.min(ownWork, 1000));
    loads.set(node, Math.min(ownLoads, 1000));
  }
  return new Map(nodes.map((node) => [node, work.get(node)! + loads.get(node)!]));
}

/** Stores values that broadcasting would compute again many times. */
function storeExpensiveRepetitions(nodes: readonly Tensor[], stored: Set<Tensor>): void {
  const cost = costs(nodes, stored);
  for (const node of nodes) {
    if (node.op !== expandOp) continue;
    const source = stripReshape(node.inputs[0]);
    const repetitions = node.size / source.size;
    const more = cost.get(source)! - source.inputs.length * CACHED_LOAD;
    const isExpensive = more > LITTLE_WORK && node.size * more > REPEATED_WORK;
    if (canStore(source) && repetitions >= 4 && isExpensive) stored.add(source);
  }
}

/** Stores values that several groups read, where computing them in each costs more. */
function storeShared(nodes: readonly Tensor[], stored: Set<Tensor>, options: FuseOptions): void {
  const cost = costs(nodes, stored);
  const sinks = new Map<Tensor, Set<Tensor | string>>(nodes.map((node) => [node, new Set()]));
  // Reductions of as many rows as long will be joined: they count as one reader.
  const readerOf = (node: Tensor): Tensor | string => {
    if (node.op.kind !== "reduce") return node;
    const { results, length } = rowsOf(node);
    return canPass(node, options)
      ? `${results} x ${length}`
      : `${node.inputs[0].shape}:${node.attributes.dims}`;
  };
  // So does what has as many elements, if the rows are passed over again.
  const count = (readers: ReadonlySet<Tensor | string>): number => {
    const folded = new Set<number>();
    for (const reader of readers) {
      if (typeof reader !== "string" || !reader.includes(" x ")) continue;
      const [results, length] = reader.split(" x ");
      folded.add(Number(results) * Number(length));
    }
    return [...readers].filter((reader) => typeof reader === "string" || !folded.has(reader.size))
      .length;
  };
  for (const node of [...nodes].reverse()) {
    const readers = sinks.get(node)!;
    if (!stored.has(node) && canStore(node)) {
      const once = cost.get(node)!, uses = count(readers);
      if (uses > 1 && uses * once > once + STORE + uses * LOAD) stored.add(node);
    }
    const seen = stored.has(node) ? new Set([readerOf(node)]) : readers;
    for (const input of node.inputs) seen.forEach((sink) => sinks.get(input)!.add(sink));
  }
}

/** Stores values that would be computed again at many places, such as windows of windows. */
function storeScattered(nodes: readonly Tensor[], stored: Set<Tensor>): void {
  const names = new Map<string, number>();
  const place = (...path: readonly number[]): number => {
    const key = path.join();
    if (!names.has(key)) names.set(key, names.size);
    return names.get(key)!;
  };
  const places = new Map<Tensor, Set<number>>(nodes.map((node) => [node, new Set()]));
  for (const node of [...nodes].reverse()) {
    let own = places.get(node)!;
    if (own.size > MOST_PLACES && canStore(node)) stored.add(node);
    if (stored.has(node)) own = new Set([place(node.id)]);
    const moves = node.op.kind === "pointwise" && !node.op.elementwise && node.op !== reshapeOp;
    for (const input of node.inputs) {
      const of = places.get(input)!;
      own.forEach((at) => of.add(moves ? place(node.id, at) : at));
    }
  }
}

/** Stores values along chains of ops that are too long for one kernel's compilation. */
function storeDeep(nodes: readonly Tensor[], stored: Set<Tensor>): void {
  const depths = new Map<Tensor, number>();
  for (const node of nodes) {
    let depth = 1 + Math.max(0, ...node.inputs.map((input) => depths.get(input)!));
    if (depth > MOST_DEPTH && canStore(node)) stored.add(node);
    if (stored.has(node)) depth = 0;
    depths.set(node, depth);
  }
}

/** Whether memory for a value could save work: bytes are never written, and leaves lie there already. */
function canStore(node: Tensor): boolean {
  return node.inputs.length > 0 && node.op !== reshapeOp && node.dtype !== "u8";
}

/**
 * Stores parts of expressions that would read more buffers than a kernel can be bound to. Returns whether
 * there were any.
 */
function storeForBindings(
  nodes: readonly Tensor[],
  stored: Set<Tensor>,
  maxBuffers: number,
): boolean {
  const before = stored.size;
  const leaves = new Map<Tensor, Set<Tensor>>();
  const leavesOf = (x: Tensor): Set<Tensor> => {
    const source = stripReshape(x);
    return stored.has(source) ? new Set([source]) : leaves.get(source)!;
  };
  const allLeaves = (node: Tensor): Set<Tensor> =>
    new Set(node.inputs.flatMap((input) => [...leavesOf(input)]));
  for (const node of nodes) {
    let own = allLeaves(node);
    // One binding is the result's.
    while (node.op.kind !== "kernel" && own.size > maxBuffers - 1) {
      const [widest] = [...node.inputs].sort((a, b) => leavesOf(b).size - leavesOf(a).size);
      if (leavesOf(widest).size === 1) break;
      stored.add(stripReshape(widest));
      own = allLeaves(node);
    }
    leaves.set(node, own);
  }
  return stored.size > before;
}

function group(
  outputs: Tensor[],
  stored: ReadonlySet<Tensor>,
  { maxBuffers }: { maxBuffers: number },
): Group {
  const plain = readsOf(outputs, stored);
  if (outputs[0].op.kind === "kernel") return { kind: "kernel", outputs, reads: plain };
  const again = new Set(
    [...plain.keys()].filter((read) => !outputs.includes(read) && isFree(read, plain, stored)),
  );
  const kept = new Set([...stored].filter((node) => !again.has(node)));
  const rows = outputs.some(({ op }) => op.kind === "reduce");
  const wider = again.size === 0 ? plain : readsOf(outputs, kept);
  const reads = outputs.length + wider.size <= maxBuffers ? wider : plain;
  return { kind: rows ? "reduce" : "pointwise", outputs, reads };
}

/** Arithmetic that costs less than a load, in loads. */
const CHEAP = 1;
/** Small tensors that are read in place of a large one, at most. */
const MOST_SMALL = 4;

/**
 * Whether a stored value costs next to nothing where it is read, because the large tensors that it was computed
 * from are read as well: what an activation made of batch norm's input, beside that input.
 */
function isFree(
  node: Tensor,
  beside: ReadonlyMap<Tensor, boolean>,
  stored: ReadonlySet<Tensor>,
): boolean {
  if (node.op.kind !== "pointwise") return false;
  let work = 0, small = 0, large = 0;
  const seen = new Set<Tensor>();
  const visit = (x: Tensor): boolean => {
    if (seen.has(x)) return true;
    seen.add(x);
    if (x !== node && stored.has(x)) {
      if (isSmall(x, node)) return ++small <= MOST_SMALL;
      large++;
      return x.size === node.size && beside.has(x);
    }
    if (x.op.kind !== "pointwise") return false;
    if (x.op.elementwise) work += x.op.cost;
    return work <= CHEAP && x.inputs.every(visit);
  };
  return visit(node) && large > 0;
}

/** Whether the elements of a tensor are read so often for a larger one that only its memory's kind matters. */
export function isSmall(x: Tensor, beside: Tensor): boolean {
  return x.size * REPETITIONS <= beside.size;
}

function readsOf(outputs: readonly Tensor[], stored: ReadonlySet<Tensor>): Map<Tensor, boolean> {
  const kind = outputs[0].op.kind;
  const rows = outputs.some(({ op }) => op.kind === "reduce");
  const reads = new Map<Tensor, boolean>();
  const own = new Set(outputs);
  const seen = new Map<Tensor, boolean>();
  const visit = (node: Tensor, inPlace: boolean, size: number): void => {
    if (stored.has(node)) {
      if (own.has(node) && (inPlace || rows)) return;
      reads.set(node, (reads.get(node) ?? true) && inPlace && node.size === size);
      return;
    }
    // A second visit matters only if it could find reads out of place.
    if (seen.has(node) && (inPlace || !seen.get(node))) return;
    seen.set(node, inPlace);
    expandInputs(node, inPlace, size);
  };
  const expandInputs = (node: Tensor, inPlace: boolean, size: number): void => {
    const keeps = node.op === reshapeOp || (node.op.kind === "pointwise" && node.op.elementwise);
    for (const input of node.inputs) visit(input, inPlace && keeps, size);
  };
  for (const output of outputs) {
    if (kind === "kernel") output.inputs.forEach((x) => reads.set(stripReshape(x), false));
    else expandInputs(output, !rows, output.size);
  }
  return reads;
}

/** What decides whether groups can be joined. */
interface JoinOptions extends FuseOptions {
  readonly stored: ReadonlySet<Tensor>;
  /** What outlives a run. */
  readonly results: ReadonlySet<Tensor>;
  /** Over how many elements the kernels go that need each value. */
  readonly readers: ReadonlyMap<Tensor, ReadonlySet<number>>;
}

/** Joins groups of the same iteration space, where no other group must run between them. */
function join(groups: Group[], options: JoinOptions): Group[] {
  const producer = new Map<Tensor, Group>();
  const buckets = new Map<number, Set<Group>>();
  const result = new Set<Group>();
  for (const candidate of groups) {
    let added = candidate;
    if (candidate.kind !== "kernel") {
      const bucket = buckets.get(elementsOf(candidate)) ?? new Set<Group>();
      buckets.set(elementsOf(candidate), bucket);
      const sources = [...candidate.reads.keys()].flatMap((read) => producer.get(read) ?? []);
      // Rows first: more depends on them. Then the latest: what was written together is most likely to share
      // its inputs.
      const rows = sources.filter(({ kind }) => kind === "reduce");
      for (const other of new Set([...rows, ...[...bucket].slice(-16).reverse(), ...sources])) {
        const joined = joinable(other, candidate, { ...options, producer });
        if (joined === undefined) continue;
        buckets.get(elementsOf(other))!.delete(other);
        result.delete(other);
        added = joined;
        break;
      }
      const home = buckets.get(elementsOf(added)) ?? new Set<Group>();
      buckets.set(elementsOf(added), home.add(added));
    }
    result.add(added);
    added.outputs.forEach((output) => producer.set(output, added));
  }
  return [...result];
}

/** Over how many elements the kernels go that need a value, or need what is made of it in this run. */
function readersOf(
  groups: readonly Group[],
  assigned: ReadonlyMap<Tensor, Variable>,
): Map<Tensor, Set<number>> {
  const readers = new Map<Tensor, Set<number>>();
  for (const group of [...groups].reverse()) {
    const [output] = group.outputs;
    const later = assigned.has(output) ? [] : readers.get(output) ?? [];
    for (const read of group.reads.keys()) {
      const sizes = readers.get(read) ?? new Set();
      readers.set(read, sizes.add(elementsOf(group)));
      later.forEach((size) => sizes.add(size));
    }
  }
  return readers;
}

/** How many elements a group's kernel goes over. */
export function elementsOf({ kind, outputs }: Group): number {
  if (kind === "kernel") return 0;
  const fold = outputs.find(({ op }) => op.kind === "reduce");
  return fold === undefined ? outputs[0].size : fold.inputs[0].size;
}

/** Whether a kernel may pass over the rows of a reduction more than once. */
function canPass(fold: Tensor, { rows, cpu }: FuseOptions): boolean {
  const { results, length } = rowsOf(fold);
  return rows && rowForm(results, length, { cpu }).parts === 1;
}

function joinable(
  a: Group,
  b: Group,
  options: JoinOptions & { producer: Map<Tensor, Group> },
): Group | undefined {
  const { producer, stored, maxBuffers } = options;
  if (a.kind === "kernel") return undefined;
  const follows = a.outputs.some((output) => b.reads.has(output));
  const size = elementsOf(a);
  const shares = follows || [...b.reads.keys()].some((x) => a.reads.has(x) && x.size * 4 >= size);
  const fits = a.kind === "pointwise" && b.kind === "pointwise"
    ? size === elementsOf(b) && shares && !a.outputs.some((x) => b.reads.get(x) === false)
    : shares && rowsFit(a, b, { ...options, follows });
  if (!fits) return undefined;
  let both = group([...a.outputs, ...b.outputs], stored, options);
  if (both.outputs.some((output) => both.reads.has(output))) return undefined;
  if (both.outputs.length + both.reads.size > maxBuffers) return undefined;
  // Groups come in the order of their outputs, so only a third group that needs `a` and is needed by `b`
  // can stand between them.
  const between = [...both.reads.keys()].some((x) => {
    const source = producer.get(x);
    return source !== undefined && source !== a && dependsOn(source, a, producer);
  });
  if (between) return undefined;
  if (both.kind === "reduce") {
    const axes = rowAxes(both.outputs, both.reads);
    if (axes === undefined) return undefined;
    both = { ...both, axes };
  }
  return both;
}

/** Whether two groups, one of them with reductions, go over the same rows. */
function rowsFit(a: Group, b: Group, options: JoinOptions & { follows: boolean }): boolean {
  const { follows, assigned, results: wanted, readers } = options;
  const folds = [...a.outputs, ...b.outputs].filter(({ op }) => op.kind === "reduce");
  const { results, length } = rowsOf(folds[0]);
  const same = folds.every((fold) => {
    const own = rowsOf(fold);
    return own.results === results && own.length === length;
  });
  if (!same || folds.length > MOST_FOLDS) return false;
  const [first] = folds;
  if (!canPass(first, options)) {
    // One kernel cannot wait for the parts of a row.
    const alike = folds.every((fold) =>
      `${fold.inputs[0].shape}:${fold.attributes.dims}` ===
        `${first.inputs[0].shape}:${first.attributes.dims}`
    );
    return a.kind === b.kind && !follows && alike;
  }
  if (a.kind === b.kind) return true;
  const [points] = a.kind === "pointwise" ? a.outputs : b.outputs;
  if (points.size === results * length) return follows;
  // A variable's new value would be written while other threads read the old one. And what no later pass over
  // the rows needs would only make the kernel wait for whatever else it is made of.
  return b.kind === "pointwise" && follows && points.size === results &&
    !b.outputs.some((output) => assigned.has(output)) &&
    b.outputs.some((output) => wanted.has(output) || readers.get(output)?.has(results * length));
}

/** Whether a group needs another, or is the other. */
export function dependsOn(
  from: Group,
  target: Group,
  producer: ReadonlyMap<Tensor, Group>,
): boolean {
  const seen = new Set<Group>();
  const stack = [from];
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    if (at === target) return true;
    if (seen.has(at)) continue;
    seen.add(at);
    for (const read of at.reads.keys()) {
      const source = producer.get(read);
      if (source !== undefined) stack.push(source);
    }
  }
  return false;
}
