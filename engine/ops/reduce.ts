// Folding axes into one element: sums, extremes, and where the largest is.

import { resolveAxes, resolveAxis, type Shape } from "../dtype.ts";
import type { ReduceOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { asFloat, cast } from "./cast.ts";
import { div, eq, mul, where } from "./elementwise.ts";
import { expand, reshape } from "./movement.ts";
import { arange, asTensor } from "./source.ts";

/** Which axes to fold: all where left out. */
export interface ReduceOptions {
  /** One axis or several; negative ones count from the end. */
  readonly dim?: number | readonly number[];
  /** Keep folded axes with length 1. */
  readonly keepdim?: boolean;
}

/** Folded axes in order, and the shape with them as 1 and without them. */
export function reducedShapes(
  name: string,
  x: Tensor,
  options: ReduceOptions,
): { dims: number[]; kept: number[]; squeezed: number[] } {
  const asked = options.dim === undefined
    ? x.shape.map((_, axis) => axis)
    : typeof options.dim === "number"
    ? [options.dim]
    : options.dim;
  const set = new Set(resolveAxes(name, asked, { shape: x.shape }));
  return {
    dims: [...set].sort((a, b) => a - b),
    kept: x.shape.map((length, axis) => set.has(axis) ? 1 : length),
    squeezed: x.shape.filter((_, axis) => !set.has(axis)),
  };
}

/** A reduction node keeps folded axes with length 1, so that its derivative only expands. */
function reduce(op: ReduceOp, x: Tensor, options: ReduceOptions): Tensor {
  const { dims, kept, squeezed } = reducedShapes(op.name, x, options);
  const shape: Shape = options.keepdim ? kept : squeezed;
  const folded = dims.filter((dim) => x.shape[dim] !== 1);
  const result = folded.length === 0 ? x : new Tensor(op, [x], { dims: folded }, kept, x.dtype);
  return reshape(result, shape);
}

/** The op of {@linkcode sum}. */
export const sumOp: ReduceOp = {
  name: "sum",
  kind: "reduce",
  accumulator: "f32",
  initial: "0.0f",
  combine: (a, b) => `${a} + ${b}`,
  subgroup: "subgroupAdd",
  derivative: (g, { inputs: [x] }) => [expand(g, x.shape)],
};

const amaxOp: ReduceOp = {
  name: "amax",
  kind: "reduce",
  accumulator: "f32",
  initial: "-3.4028234663852886e38f",
  combine: (a, b) => `max(${a}, ${b})`,
  subgroup: "subgroupMax",
  // Equal maxima share the gradient evenly.
  derivative(g, node) {
    const x = node.inputs[0];
    const winners = cast(eq(x, expand(node, x.shape)), "f32");
    const count = sum(winners, { dim: node.attributes.dims, keepdim: true });
    return [mul(winners, expand(div(g, count), x.shape))];
  },
};

const minIndexOp: ReduceOp = {
  name: "minIndex",
  kind: "reduce",
  accumulator: "i32",
  initial: "2147483647i",
  combine: (a, b) => `min(${a}, ${b})`,
  subgroup: "subgroupMin",
};

/** The sum over axes, in f32 whatever the type. */
export function sum(x: TensorLike, options: ReduceOptions = {}): Tensor {
  const input = asTensor(x);
  return reduce(sumOp, input.dtype === "f32" ? input : cast(input, "f32"), options);
}

/** The largest element over axes; equal maxima share the gradient evenly. */
export function amax(x: TensorLike, options: ReduceOptions = {}): Tensor {
  return reduce(amaxOp, asFloat("amax", x), options);
}

/** The first position of the largest element along one axis, as i32. */
export function argmax(
  x: TensorLike,
  options: { dim: number; keepdim?: boolean },
): Tensor {
  const input = asFloat("argmax", x);
  const dim = resolveAxis("argmax", options.dim, { shape: input.shape });
  const largest = amax(input, { dim, keepdim: true });
  const places = expand(
    reshape(arange(input.shape[dim]), input.shape.map((_, axis) => axis === dim ? -1 : 1)),
    input.shape,
  );
  const candidates = where(eq(input, largest), places, input.shape[dim] - 1);
  return reduce(minIndexOp, candidates, options);
}
