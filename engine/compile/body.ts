// What kernels of the compiler are made of: bindings, loads, stores, and the statements between them.
//
// A thread works on four neighbours where their number allows it. What they have in common is computed once,
// and neighbours in memory are fetched and stored together, as one vector of four.

import math from "../../shaders/math.wgsl" with { type: "text" };
import philox from "../../shaders/philox.wgsl" with { type: "text" };
import type { DType, Shape } from "../dtype.ts";
import { declareShared, texels } from "../kernels/access.ts";
import type { Slot } from "../kernels/dispatch.ts";
import type { Operand } from "../kernels/results.ts";
import { TexelSlot } from "../kernels/texels.ts";
import type { Reader } from "../op.ts";
import type { Tensor } from "../tensor.ts";
import { Index } from "./index_expression.ts";
import type { Slots } from "./memory.ts";
import { Scope } from "./scope.ts";
import { storageType } from "./wgsl.ts";

/** Neighbours that lie in one vector. */
export const QUAD = 4;
/** Memory that is declared as vectors comes in multiples of so many bytes. */
const QUAD_BYTES = 16;

/** What expressions may use, in the order in which it has to come. */
const LIBRARIES: Readonly<Record<string, string>> = { f16: "enable f16;", math, philox };

/** Storage bindings of a kernel: one for each slot, however many tensors lie in it. */
export class Bindings {
  readonly slots: Slot[] = [];
  readonly #types: string[] = [];
  readonly #of: Slots;
  readonly #quads: boolean;
  readonly #operands: readonly Operand[];

  /**
   * @param options.quads declare memory as vectors of four wherever its size allows.
   * @param options.operands what the kernel declares by itself, bound before the rest.
   */
  constructor(of: Slots, options: { quads: boolean; operands?: readonly Operand[] }) {
    this.#of = of;
    this.#quads = options.quads;
    this.#operands = options.operands ?? [];
    this.slots.push(...this.#operands.map(({ slot }) => slot));
  }

  /** The binding that a tensor lies in. */
  of(tensor: Tensor): Binding {
    return this.declare(this.#of.get(tensor)!, tensor.dtype);
  }

  declare(slot: Slot, dtype: DType): Binding {
    const operand = this.#operands.find((operand) => operand.slot === slot);
    const texels = slot instanceof TexelSlot;
    if (operand !== undefined) return { ...operand, texels };
    const quads = this.#quads && !texels && slot.bytes % QUAD_BYTES === 0;
    let at = this.slots.indexOf(slot);
    if (at < 0) {
      at = this.slots.push(slot) - 1;
      const type = storageType(dtype);
      this.#types.push(quads ? `vec4<${type}>` : type);
    }
    return { name: `b${at}`, quads, texels };
  }

  declarations(): string {
    const slots = this.#types.flatMap((type, k) => {
      const at = this.#operands.length + k;
      return this.slots[at] instanceof TexelSlot
        ? texels(`b${at}`, at)
        : [`@group(0) @binding(${at}) var<storage, read_write> b${at}: array<${type}>;`];
    });
    return [...slots, ...declareShared(this.slots)].join("\n");
  }
}

/** The name of memory in a kernel, and whether it is declared as vectors of four, or lies in texels. */
export interface Binding {
  readonly name: string;
  readonly quads: boolean;
  readonly texels: boolean;
}

/** What the statements of a thread do, however they are written: numbers of accesses, and arithmetic in loads. */
export interface Work {
  readonly loads: number;
  /** Loads from buffers, where others are from texels. */
  readonly fromBuffers: number;
  readonly arithmetic: number;
}

/** Thrown where an expression asks for a value in a register at another place than the one at hand. */
export class Misplaced extends Error {}

/** The statements that compute elements of a group's expressions. */
export class Body implements Reader {
  readonly scope = new Scope();
  readonly #values = new Map<string, string>();
  readonly #libraries = new Set<string>();
  readonly #kept = new Map<Tensor, { readonly register: string; readonly offset: string }>();
  #places: ReadonlyMap<Tensor, Index> = new Map();
  #work: Work = { loads: 0, fromBuffers: 0, arithmetic: 0 };
  readonly #reads: ReadonlyMap<Tensor, boolean>;
  readonly #bindings: Bindings;

  /** @param reads what lies in memory; everything else is computed from that. */
  constructor(reads: ReadonlyMap<Tensor, boolean>, bindings: Bindings) {
    this.#reads = reads;
    this.#bindings = bindings;
  }

  use(library: string): void {
    this.#libraries.add(library);
  }

  get libraries(): ReadonlySet<string> {
    return this.#libraries;
  }

  /** What has been written so far. */
  get work(): Work {
    return this.#work;
  }

  /** Lets a value be read from a register, at one offset: by default that of the row at hand, `o`. */
  keep(node: Tensor, register: string, offset = "o"): void {
    this.#kept.set(node, { register, offset });
  }

  /** Names the one place of each of some nodes that is asked for from now on. */
  settle(places: ReadonlyMap<Tensor, Index>): void {
    this.#places = places;
  }

  /** The statements of the open loop. */
  close(): readonly string[] {
    const { lines, names } = this.scope.close();
    for (const [key, value] of this.#values) {
      if (names.has(value.split(".")[0])) this.#values.delete(key);
    }
    return lines;
  }

  read(x: Tensor, index: Index): string {
    return this.value(x, index);
  }

  /** The element of `node` at `index`, computed here unless the group reads it from memory. */
  value(node: Tensor, asked: Index): string {
    const index = this.#places.get(node) ?? asked, kept = this.#kept.get(node);
    if (kept !== undefined) {
      if (index.offset !== kept.offset) throw new Misplaced(`${node}`);
      return kept.register;
    }
    if (this.#reads.has(node)) return this.#load(node, index);
    return this.#once(`${node.id}@${index.key}`, () => {
      if (node.op.kind !== "pointwise") {
        throw new Error(`${node} has no memory and no expression`);
      }
      const { loads, fromBuffers, arithmetic } = this.#work;
      this.#work = { loads, fromBuffers, arithmetic: arithmetic + node.op.cost };
      return node.op.emit(this, index, node);
    });
  }

  /** The values of `lanes` neighbours of `node`, from a linear offset on. */
  values(node: Tensor, index: (lane: number) => Index, lanes: number): string[] {
    return Array.from({ length: lanes }, (_, lane) => this.value(node, index(lane)));
  }

  /** The element of a shape `lane` places after a linear offset. */
  index(shape: Shape, offset: string, lane = 0): Index {
    const at = lane === 0 ? offset : this.scope.sum([[offset, 1], [`${lane}u`, 1]]);
    return Index.linear(this.scope, shape, at);
  }

  /** The statements that write neighbours of an output from a linear offset on. */
  store(output: Tensor, offset: string, values: readonly string[]): string[] {
    if (output.dtype === "u8") {
      throw new TypeError(`Cannot compute ${output}: u8 is for inputs; cast it to f32 or i32`);
    }
    if (output.dtype === "f16") this.use("f16");
    const type = storageType(output.dtype), binding = this.#bindings.of(output);
    const convert = output.dtype === "bool" || output.dtype === "f16"
      ? (value: string) => `${type}(${value})`
      : (value: string) => value;
    const { multiple, add } = this.scope.parts(offset);
    if (binding.quads && values.length === QUAD && multiple % QUAD === 0 && add % QUAD === 0) {
      const at = this.scope.quotient(offset, QUAD);
      return [`${binding.name}[${at}] = vec4<${type}>(${values.map(convert).join(", ")});`];
    }
    return values.map((value, lane) => {
      const at = this.scope.sum([[offset, 1], [`${lane}u`, 1]]);
      return this.write(binding, at, convert(value));
    });
  }

  /** The statement that writes one element in memory. */
  write(binding: Binding, offset: string, value: string): string {
    if (binding.texels) return `store_${binding.name}(${offset}, ${value});`;
    return `${this.#element(binding, offset)} = ${value};`;
  }

  /** One element in memory, as it lies there. */
  #read(binding: Binding, offset: string): string {
    this.#count(binding);
    return binding.texels ? `load_${binding.name}(${offset})` : this.#element(binding, offset);
  }

  #element({ name, quads }: Binding, offset: string): string {
    if (!quads) return `${name}[${offset}]`;
    const { scope } = this;
    return `${name}[${scope.quotient(offset, QUAD)}][${scope.rest(offset, QUAD)}]`;
  }

  #count({ texels }: Binding): void {
    const { loads, fromBuffers, arithmetic } = this.#work;
    this.#work = { loads: loads + 1, fromBuffers: fromBuffers + Number(!texels), arithmetic };
  }

  #load(x: Tensor, index: Index): string {
    const { scope } = this, binding = this.#bindings.of(x), { offset } = index;
    return this.#once(`${x.id}@${offset}`, () => {
      if (x.dtype === "f16") this.use("f16");
      if (x.dtype === "u8") {
        const word = this.#once(
          `${x.id} word ${scope.quotient(offset, QUAD)}`,
          () => this.#read(binding, scope.quotient(offset, QUAD)),
        );
        return `((${word} >> (${scope.rest(offset, QUAD)} * 8u)) & 255u)`;
      }
      const { multiple, add } = scope.parts(offset);
      if (!binding.quads || multiple === 0 || multiple % QUAD !== 0) {
        return loaded(this.#read(binding, offset), x.dtype);
      }
      const at = scope.quotient(offset, QUAD);
      const quad = this.#once(`${x.id} quad ${at}`, () => {
        this.#count(binding);
        return `${binding.name}[${at}]`;
      });
      return loaded(`${quad}.${"xyzw"[add % QUAD]}`, x.dtype);
    });
  }

  #once(key: string, expression: () => string): string {
    let value = this.#values.get(key);
    if (value === undefined) {
      const text = expression();
      // Names and literals need no statement of their own.
      value = /^[\w.]+$/.test(text) ? text : this.scope.name(text, "v");
      this.#values.set(key, value);
    }
    return value;
  }
}

/** Helper functions, by the names of their libraries, as kernels need them. */
export function librariesOf(bodies: readonly Body[]): string {
  const used = new Set(bodies.flatMap((body) => [...body.libraries]));
  return Object.keys(LIBRARIES).filter((name) => used.has(name))
    .map((name) => LIBRARIES[name]).join("\n");
}

function loaded(element: string, dtype: DType): string {
  if (dtype === "f16") return `f32(${element})`;
  return dtype === "bool" ? `(${element} != 0u)` : element;
}
