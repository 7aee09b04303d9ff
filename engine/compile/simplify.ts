// Graph -> smaller graph: equal nodes become one, arithmetic with known numbers is done here, and factors
// that do not vary along a sum leave it. Unreachable nodes are left behind.

import { type DType, sameShape, type Shape, sizeOf } from "../dtype.ts";
import { arithmetic, detachOp } from "../ops/elementwise.ts";
import { expandOp, reshapeOp } from "../ops/movement.ts";
import { sumOp } from "../ops/reduce.ts";
import { canHold, full, fullOp, fullValue } from "../ops/source.ts";
import type { Op } from "../op.ts";
import { Tensor } from "../tensor.ts";
import type { Passes } from "./passes.ts";
import { type Like, type Make, productAsArithmetic } from "./products.ts";

const { add, sub, mul, div, neg, cast } = arithmetic;

/** Which of the passes to do, and for which kind of machine. */
interface SimplifyOptions extends Pick<Passes, "merge" | "algebra"> {
  readonly cpu: boolean;
}

/**
 * Rewrites the graphs above `roots`; gives what stands for each of them, in the same order.
 *
 * @param options.merge whether equal nodes become one.
 * @param options.algebra whether nodes become simpler ones. What is there for differentiation alone is left out in
 * any case.
 */
export function simplify(roots: readonly Tensor[], options: SimplifyOptions): Tensor[] {
  return new Graph(options).rewrite(roots);
}

/**
 * Every node that `roots` need, each after its inputs, in the order in which they were written.
 *
 * @param known nodes to leave out, with all that they need.
 */
export function reachable(
  roots: readonly Tensor[],
  known: ReadonlyMap<Tensor, unknown> = new Map(),
): Tensor[] {
  const seen = new Set<Tensor>();
  const stack = [...roots];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (seen.has(node) || known.has(node)) continue;
    seen.add(node);
    stack.push(...node.inputs);
  }
  return [...seen].sort((a, b) => a.id - b.id);
}

class Graph {
  readonly #done = new Map<Tensor, Tensor>();
  readonly #nodes = new Map<string, Tensor>();
  readonly #opIds = new Map<Op, number>();
  readonly #options: SimplifyOptions;

  constructor(options: SimplifyOptions) {
    this.#options = options;
  }

  /** All roots together: what comes out is numbered in the order in which it was written, which plans keep to. */
  rewrite(roots: readonly Tensor[]): Tensor[] {
    for (const node of reachable(roots)) {
      const inputs = node.inputs.map((input) => this.#done.get(input)!);
      this.#done.set(node, this.#make(node.op, inputs, node));
    }
    return roots.map((root) => this.#done.get(root)!);
  }

  /** The node of an op on simplified inputs, or something simpler of the same value. */
  #make(op: Op, given: readonly Tensor[], like: Like): Tensor {
    const { attributes, shape, dtype, origin } = like;
    if (op.kind === "leaf") return like as Tensor;
    if (op === detachOp) return given[0];
    const inputs = op.kind === "pointwise" ? given.slice(0, op.operands) : given;
    const simpler = this.#options.algebra ? this.#simplified(op, inputs, like) : undefined;
    if (simpler !== undefined) return simpler;
    if (!this.#options.merge) return new Tensor(op, inputs, attributes, shape, dtype, origin);
    const key = `${this.#opId(op)}|${inputs.map((x) => x.id)}|${shape}|${dtype}|` +
      JSON.stringify(attributes, finite);
    let node = this.#nodes.get(key);
    if (node === undefined) {
      node = new Tensor(op, inputs, attributes, shape, dtype, origin);
      this.#nodes.set(key, node);
    }
    return node;
  }

  #simplified(
    op: Op,
    inputs: readonly Tensor[],
    like: Like,
  ): Tensor | undefined {
    const { attributes, shape, dtype } = like;
    const [a, b] = inputs;
    const number = (value: number): Tensor | undefined =>
      canHold(dtype, value) ? this.#make(fullOp, [], full(shape, value, { dtype })) : undefined;
    const values = inputs.map(fullValue);
    const known = values.length > 0 && values.every((value) => value !== undefined);

    if (op === reshapeOp) {
      if (known) return number(values[0]!);
      const root = a.op === reshapeOp ? a.inputs[0] : a;
      if (sameShape(root.shape, shape)) return root;
      return root === a ? undefined : this.#make(op, [root], { attributes, shape, dtype });
    }
    if (op === expandOp) {
      if (known) return number(values[0]!);
      if (a.op !== expandOp) return undefined;
      return this.#make(op, [a.inputs[0]], { attributes, shape, dtype });
    }
    if (op === cast && known) return number(castNumber(values[0]!, dtype));
    if (op === neg) {
      if (known) return number(-values[0]!);
      return a.op === neg ? a.inputs[0] : undefined;
    }
    if (op === sumOp) return this.#sum(a, like, values[0]);
    if (op.kind === "kernel") {
      const make: Make = (...node) => this.#make(...node);
      return productAsArithmetic(op, inputs, like, { make, cpu: this.#options.cpu });
    }

    const fold = FOLDABLE.get(op);
    if (fold === undefined || dtype !== "f32") return undefined;
    if (known) return number(fold(values[0]!, values[1]!));
    if (op === add) {
      if (values[0] === 0) return b;
      if (values[1] === 0) return a;
      if (b.op === neg) return this.#make(sub, [a, b.inputs[0]], like);
    }
    if (op === sub && values[1] === 0) return a;
    if (op === sub && values[0] === 0) return this.#make(neg, [b], like);
    if (op === mul) {
      if (values[0] === 0 || values[1] === 0) return number(0);
      if (values[0] === 1) return b;
      if (values[1] === 1) return a;
    }
    if (op === div && values[1] === 1) return a;
    return undefined;
  }

  #sum(
    x: Tensor,
    like: Like,
    value: number | undefined,
  ): Tensor | undefined {
    const { attributes, shape } = like;
    const count = x.size / sizeOf(shape);
    if (value !== undefined) return this.#make(fullOp, [], full(shape, value * count));
    const inner = (node: Tensor): Tensor => this.#make(sumOp, [node], like);
    if (x.op === neg) return this.#make(neg, [inner(x.inputs[0])], like);
    if (x.op !== mul) return undefined;
    for (const [factor, rest] of [x.inputs, [...x.inputs].reverse()]) {
      const constant = fullValue(factor);
      if (constant !== undefined) {
        const scale = this.#make(fullOp, [], full(shape, constant));
        return this.#make(mul, [inner(rest), scale], like);
      }
      if (factor.op === expandOp && isConstantAlong(factor, attributes.dims)) {
        const scale = this.#expandTo(factor.inputs[0], shape);
        return this.#make(mul, [inner(rest), scale], like);
      }
    }
    return undefined;
  }

  #expandTo(x: Tensor, shape: Shape): Tensor {
    if (sameShape(x.shape, shape)) return x;
    return this.#make(expandOp, [x], { attributes: {}, shape, dtype: x.dtype });
  }

  #opId(op: Op): number {
    let id = this.#opIds.get(op);
    if (id === undefined) this.#opIds.set(op, id = this.#opIds.size);
    return id;
  }
}

function castNumber(value: number, dtype: DType): number {
  if (dtype === "bool") return value === 0 ? 0 : 1;
  if (dtype === "f16") return Math.f16round(value);
  return dtype === "f32" ? Math.fround(value) : Math.trunc(value);
}

/** JSON has no infinities: they would all be null. */
function finite(_key: string, value: unknown): unknown {
  return typeof value === "number" && !Number.isFinite(value) ? String(value) : value;
}

const FOLDABLE = new Map<Op, (a: number, b: number) => number>([
  [add, (a, b) => a + b],
  [sub, (a, b) => a - b],
  [mul, (a, b) => a * b],
  [div, (a, b) => a / b],
]);

/** Whether an expanded tensor repeats one element along all of `dims`. */
function isConstantAlong(expanded: Tensor, dims: readonly number[]): boolean {
  const source = expanded.inputs[0].shape;
  const skipped = expanded.rank - source.length;
  return dims.every((dim) => dim < skipped || source[dim - skipped] === 1);
}
