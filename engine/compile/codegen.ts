// Groups -> WGSL: fused expressions written into the skeletons shaders/pointwise.wgsl and
// shaders/reduce_*.wgsl.

import math from "../../shaders/math.wgsl" with { type: "text" };
import philox from "../../shaders/philox.wgsl" with { type: "text" };
import pointwise from "../../shaders/pointwise.wgsl" with { type: "text" };
import reduceThread from "../../shaders/reduce_thread.wgsl" with { type: "text" };
import reduceWorkgroup from "../../shaders/reduce_workgroup.wgsl" with { type: "text" };
import { type DType, type Shape, sizeOf } from "../dtype.ts";
import type { Dispatch, KernelContext, Slot } from "../kernels/dispatch.ts";
import { foldGrid } from "../kernels/grid.ts";
import { instantiate } from "../kernels/template.ts";
import { reshapeOp } from "../ops/movement.ts";
import type { Op, Reader, ReduceOp } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import type { Group } from "./fuse.ts";
import { Index, Scope } from "./index_expression.ts";
import type { Slots } from "./memory.ts";
import { storageType, wgslType } from "./wgsl.ts";

/** What expressions may use, in the order in which it has to come. */
const LIBRARIES: Readonly<Record<string, string>> = { f16: "enable f16;", math, philox };

/** The dispatch that computes a pointwise group. */
export function pointwiseDispatch(group: Group, slots: Slots, context: KernelContext): Dispatch {
  const size = group.outputs[0].size;
  const bindings = new Bindings(slots);
  const body = new Body(group, bindings);
  const values = group.outputs.map((output) => body.value(output, body.index(output.shape, "i")));
  const stores = group.outputs.map((output, k) =>
    body.store(bindings.name(output), "i", { value: values[k], of: output })
  );
  const workgroup = context.cpu ? 64 : 256;
  return {
    kernel: "pointwise",
    variant: describe(group),
    shape: group.outputs[0].shape.join("x"),
    code: instantiate(pointwise, {
      LIBRARY: body.library(),
      BINDINGS: bindings.declarations(),
      WORKGROUP: workgroup,
      SIZE: size,
      BODY: [...body.lines, ...stores].join("\n  "),
    }),
    slots: bindings.slots,
    workgroups: foldGrid(Math.ceil(size / workgroup), context.limits),
    flops: 0,
  };
}

/** Folds up to this length run in one thread each. */
const SHORT = 64;
/** From this many results on, a thread each keeps the device busy. */
const MANY = 16_384;
/** A workgroup folds about this many elements; longer folds are split in parts. */
const STRETCH = 16_384;

/** The dispatches that compute a reduction, or several over the same elements. */
export function reduceDispatches(group: Group, slots: Slots, context: KernelContext): Dispatch[] {
  const [first] = group.outputs;
  const results = first.size, length = first.inputs[0].size / results;
  const alone = length <= SHORT || (results >= MANY && length <= STRETCH);
  const parts = alone || length < 2 * STRETCH ? 1 : Math.min(256, Math.ceil(length / STRETCH));

  const bindings = new Bindings(slots);
  const body = new Body(group, bindings);
  const at = foldedIndex(body, first);
  const loads = group.outputs.map((output) => body.value(output.inputs[0], at));
  const folded = { results, length, parts, alone, outputs: group.outputs, context };
  if (parts === 1) {
    return [foldDispatch({ ...folded, body, bindings, loads, label: describe(group) })];
  }

  // First the parts of each result, as [part, result], then the parts among themselves.
  const partial = group.outputs.map((output) => context.scratch(output.size * parts * 4));
  const names = partial.map((slot, k) =>
    bindings.declare(slot, storageType(group.outputs[k].dtype))
  );
  const second = new Bindings(slots);
  const inputs = partial.map((slot, k) =>
    second.declare(slot, storageType(group.outputs[k].dtype))
  );
  return [
    foldDispatch({ ...folded, body, bindings, loads, targets: names, label: describe(group) }),
    foldDispatch({
      ...folded,
      length: parts,
      parts: 1,
      alone: true,
      body: undefined,
      bindings: second,
      loads: inputs.map((name) => `${name}[r * ${results}u + o]`),
      label: "parts",
    }),
  ];
}

interface Fold {
  readonly results: number;
  readonly length: number;
  readonly parts: number;
  /** One thread a result, rather than a workgroup. */
  readonly alone: boolean;
  readonly outputs: readonly Tensor[];
  readonly context: KernelContext;
  /** Where the elements come from; absent where they are read from parts. */
  readonly body: Body | undefined;
  readonly bindings: Bindings;
  /** The element at `o` and `r`, for each output. */
  readonly loads: readonly string[];
  /** Buffers of parts, where the outputs themselves are not written yet. */
  readonly targets?: readonly string[];
  readonly label: string;
}

function foldDispatch(fold: Fold): Dispatch {
  const { results, length, parts, alone, outputs, context, body, bindings, loads } = fold;
  const workgroup = alone ? (context.cpu ? 16 : 64) : (context.cpu ? 32 : 256);
  const ops = outputs.map((output) => output.op as ReduceOp);
  const lines = (line: (op: ReduceOp, k: number) => string): string => ops.map(line).join("\n  ");
  const shared = (k: number): string => `shared${k}`;
  const total = (k: number): string => alone ? `total${k}` : `${shared(k)}[0]`;
  const targets = fold.targets ?? outputs.map((output) => bindings.name(output));
  return {
    kernel: "reduce",
    variant: `${fold.label}, a ${alone ? "thread" : "workgroup"} each${
      parts > 1 ? `, ${parts} parts` : ""
    }`,
    shape: `${length} -> ${results}`,
    code: instantiate(alone ? reduceThread : reduceWorkgroup, {
      LIBRARY: body?.library() ?? "",
      BINDINGS: bindings.declarations(),
      WORKGROUP: workgroup,
      RESULTS: results,
      LENGTH: length,
      PARTS: parts,
      STRETCH: Math.ceil(length / parts),
      START: lines((op, k) => `var total${k} = ${op.initial};`),
      BODY: [
        ...body?.lines ?? [],
        lines((op, k) => `total${k} = ${op.combine(`total${k}`, loads[k])};`),
      ].join("\n    "),
      SHARED: ops.map((op, k) =>
        `var<workgroup> ${shared(k)}: array<${wgslType(op.accumulator)}, ${workgroup}>;`
      ).join("\n"),
      SHARE: lines((_, k) => `${shared(k)}[lane] = total${k};`),
      FOLD: lines((op, k) =>
        `${shared(k)}[lane] = ${op.combine(`${shared(k)}[lane]`, `${shared(k)}[lane + width]`)};`
      ),
      STORE: lines((_, k) => `${targets[k]}[${parts > 1 ? "at" : "o"}] = ${total(k)};`),
    }),
    slots: bindings.slots,
    workgroups: foldGrid(
      alone ? Math.ceil(results * parts / workgroup) : results * parts,
      context.limits,
    ),
    flops: results * length * outputs.length,
  };
}

/** Where the element `r` of result `o` lies in what a reduction folds. */
function foldedIndex(body: Body, node: Tensor): Index {
  const shape = node.inputs[0].shape;
  const dims = new Set<number>(node.attributes.dims);
  const folded = shape.map((length, axis) => dims.has(axis) ? length : 1);
  const trailing = shape.every((length, axis) =>
    dims.has(axis) || length === 1 || axis < Math.min(...dims)
  );
  const length = sizeOf(folded);
  if (trailing) return body.index(shape, `o * ${length}u + r`);
  const leading = shape.every((l, axis) => dims.has(axis) || l === 1 || axis > Math.max(...dims));
  if (leading) return body.index(shape, `r * ${sizeOf(node.shape)}u + o`);
  const kept = body.index(node.shape, "o").coordinates;
  const inner = body.index(folded, "r");
  return inner.at(
    shape,
    shape.map((_, axis) => dims.has(axis) ? inner.coordinates[axis] : kept[axis]),
  );
}

/** Storage bindings of a kernel: one for each slot, however many tensors lie in it. */
class Bindings {
  readonly slots: Slot[] = [];
  readonly #types: string[] = [];
  readonly #of: Slots;

  constructor(of: Slots) {
    this.#of = of;
  }

  name(tensor: Tensor): string {
    return this.declare(this.#of.get(tensor)!, storageType(tensor.dtype));
  }

  declare(slot: Slot, type: string): string {
    let at = this.slots.indexOf(slot);
    if (at < 0) {
      at = this.slots.push(slot) - 1;
      this.#types.push(type);
    }
    return `b${at}`;
  }

  declarations(): string {
    return this.#types.map((type, at) =>
      `@group(0) @binding(${at}) var<storage, read_write> b${at}: array<${type}>;`
    ).join("\n");
  }
}

/** The statements that compute elements of a group's expressions. */
class Body implements Reader {
  readonly #scope = new Scope();
  readonly #values = new Map<string, string>();
  readonly #libraries = new Set<string>();
  readonly #outputs: ReadonlySet<Tensor>;
  readonly #group: Group;
  readonly #bindings: Bindings;

  constructor(group: Group, bindings: Bindings) {
    this.#group = group;
    this.#bindings = bindings;
    this.#outputs = new Set(group.kind === "pointwise" ? group.outputs : []);
  }

  get lines(): readonly string[] {
    return this.#scope.lines;
  }

  index(shape: Shape, offset: string): Index {
    return Index.linear(this.#scope, shape, offset);
  }

  use(library: string): void {
    this.#libraries.add(library);
  }

  library(): string {
    return Object.keys(LIBRARIES).filter((name) => this.#libraries.has(name))
      .map((name) => LIBRARIES[name]).join("\n");
  }

  read(x: Tensor, index: Index): string {
    if (x.op === reshapeOp || this.#outputs.has(x)) return this.value(x, index);
    return this.#group.reads.has(x) ? this.#load(x, index) : this.value(x, index);
  }

  /** The element of `node` at `index`, computed here unless the group reads it from memory. */
  value(node: Tensor, index: Index): string {
    if (this.#group.reads.has(node)) return this.#load(node, index);
    return this.#once(`${node.id}@${index.key}`, () => {
      const op: Op = node.op;
      if (op.kind !== "pointwise") throw new Error(`${node} has no memory and no expression`);
      return op.emit(this, index, node);
    });
  }

  /** The statement that writes an element of an output. */
  store(name: string, offset: string, { value, of }: { value: string; of: Tensor }): string {
    switch (of.dtype) {
      case "u8":
        throw new TypeError(`Cannot compute ${of}: u8 is for inputs; cast it to f32 or i32`);
      case "bool":
        return `${name}[${offset}] = u32(${value});`;
      case "f16":
        this.use("f16");
        return `${name}[${offset}] = f16(${value});`;
      default:
        return `${name}[${offset}] = ${value};`;
    }
  }

  #load(x: Tensor, index: Index): string {
    return this.#once(`${x.id}@${index.key}`, () => {
      if (x.dtype === "f16") this.use("f16");
      return load(this.#bindings.name(x), index.offset, x.dtype);
    });
  }

  #once(key: string, expression: () => string): string {
    let value = this.#values.get(key);
    if (value === undefined) {
      const text = expression();
      // Names and literals need no statement of their own.
      value = /^[\w.]+$/.test(text) ? text : this.#scope.name(text, "v");
      this.#values.set(key, value);
    }
    return value;
  }
}

function load(name: string, offset: string, dtype: DType): string {
  if (dtype === "u8") return `((${name}[${offset} / 4u] >> (${offset} % 4u * 8u)) & 255u)`;
  if (dtype === "f16") return `f32(${name}[${offset}])`;
  return dtype === "bool" ? `(${name}[${offset}] != 0u)` : `${name}[${offset}]`;
}

/** The ops that a group computes, for people. */
function describe(group: Group): string {
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
