// Ops that move elements without arithmetic. Each is a rule for where an element of the result is found
// in the inputs, so the compiler folds them into the kernels that read them.

import {
  formatShape,
  isFloat,
  resolveAxes,
  resolveAxis,
  sameShape,
  type Shape,
  sizeOf,
} from "../dtype.ts";
import type { PointwiseOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { literal } from "../compile/wgsl.ts";
import { cast } from "./cast.ts";
import { eq, where } from "./elementwise.ts";
import { sum } from "./reduce.ts";
import { arange, asTensor, canHold } from "./source.ts";

const movement = (op: Omit<PointwiseOp, "kind" | "elementwise" | "cost">): PointwiseOp => ({
  kind: "pointwise",
  elementwise: false,
  cost: 0.1,
  ...op,
});

/** The op of {@linkcode reshape}, which the compiler turns into a second name for the same memory. */
export const reshapeOp: PointwiseOp = movement({
  name: "reshape",
  emit: (reader, index, { inputs: [x] }) => reader.read(x, index.reshaped(x.shape)),
  derivative: (g, { inputs: [x] }) => [reshape(g, x.shape)],
});

/**
 * The same elements in row-major order under another shape. One length may be -1: it is worked out.
 *
 * @throws {RangeError} where the numbers of elements differ.
 */
export function reshape(x: TensorLike, shape: Shape): Tensor {
  const input = asTensor(x);
  const known = shape.reduce((product, length) => length === -1 ? product : product * length, 1);
  const resolved = shape.map((length) => length === -1 ? input.size / known : length);
  const whole = shape.every((length) => Number.isInteger(length) && (length >= 1 || length === -1));
  const open = shape.filter((length) => length === -1).length;
  if (!whole || open > 1 || sizeOf(resolved) !== input.size || !resolved.every(Number.isInteger)) {
    const why = whole && open <= 1
      ? `${input.size} elements vs ${open === 1 ? "a multiple of " : ""}${known}`
      : "lengths are whole numbers of at least 1, and one of them may be -1";
    throw new RangeError(
      `Cannot reshape tensor ${formatShape(input.shape)} to ${formatShape(shape)}: ${why}`,
    );
  }
  if (sameShape(resolved, input.shape)) return input;
  const root = input.op === reshapeOp ? input.inputs[0] : input;
  return sameShape(resolved, root.shape)
    ? root
    : new Tensor(reshapeOp, [root], {}, resolved, input.dtype);
}

/** The op of {@linkcode permute}. */
export const permuteOp: PointwiseOp = movement({
  name: "permute",
  emit(reader, index, { inputs: [x], attributes }) {
    const coordinates = new Array<string>(x.rank);
    attributes.dims.forEach((dim: number, axis: number) => {
      coordinates[dim] = index.coordinates[axis];
    });
    return reader.read(x, index.at(x.shape, coordinates));
  },
  derivative(g, { attributes }) {
    const inverse: number[] = [];
    attributes.dims.forEach((dim: number, axis: number) => inverse[dim] = axis);
    return [permute(g, inverse)];
  },
});

/** The axes in another order: axis `i` of the result is axis `dims[i]` of `x`. */
export function permute(x: TensorLike, dims: readonly number[]): Tensor {
  const input = asTensor(x);
  const resolved = resolveAxes("permute", dims, { shape: input.shape });
  if (resolved.length !== input.rank) {
    throw new RangeError(
      `Cannot permute tensor ${formatShape(input.shape)} by ${formatShape(dims)}: ` +
        `each of its ${input.rank} axes is needed once`,
    );
  }
  if (resolved.every((dim, axis) => dim === axis)) return input;
  const shape = resolved.map((dim) => input.shape[dim]);
  return new Tensor(permuteOp, [input], { dims: resolved }, shape, input.dtype);
}

/** The op of {@linkcode expand}, whose repeated elements the compiler counts as one. */
export const expandOp: PointwiseOp = movement({
  name: "expand",
  emit(reader, index, { inputs: [x], shape }) {
    const skipped = shape.length - x.rank;
    const coordinates = x.shape.map((length, axis) =>
      length === 1 ? "0u" : index.coordinates[axis + skipped]
    );
    return reader.read(x, index.at(x.shape, coordinates));
  },
  derivative: (g, { inputs: [x] }) => [sumTo(g, x.shape)],
});

/**
 * Repeats axes of length 1, and adds axes in front, until the shape is `shape`. -1 keeps a length.
 *
 * @throws {RangeError} where another length than 1 would have to change.
 */
export function expand(x: TensorLike, shape: Shape): Tensor {
  const input = asTensor(x);
  const skipped = shape.length - input.rank;
  const resolved = shape.map((length, axis) =>
    length === -1 ? input.shape[axis - skipped] : length
  );
  const fits = skipped >= 0 &&
    resolved.every((length) => Number.isInteger(length) && length >= 1) &&
    input.shape.every((length, axis) => length === 1 || length === resolved[axis + skipped]);
  if (!fits) {
    throw new RangeError(
      `Cannot expand tensor ${formatShape(input.shape)} to ${formatShape(shape)}: ` +
        `lengths must be equal or 1, counted from the last axis`,
    );
  }
  return sameShape(resolved, input.shape)
    ? input
    : new Tensor(expandOp, [input], {}, resolved, input.dtype);
}

/** Sums what broadcasting repeated: the derivative of {@linkcode expand}. */
export function sumTo(x: Tensor, shape: Shape): Tensor {
  if (sameShape(x.shape, shape)) return x;
  const skipped = x.rank - shape.length;
  const dims: number[] = [];
  x.shape.forEach((length, axis) => {
    if (axis < skipped || (shape[axis - skipped] === 1 && length !== 1)) dims.push(axis);
  });
  return reshape(sum(x, { dim: dims, keepdim: true }), shape);
}

const sliceOp = movement({
  name: "slice",
  emit(reader, index, { inputs: [x], attributes }) {
    const coordinates = index.coordinates.map((c, axis) => {
      const start: number = attributes.starts[axis], step: number = attributes.steps[axis];
      if (step < 0) return `(${start}u - ${c}${step === -1 ? "" : ` * ${-step}u`})`;
      const scaled = step === 1 ? c : `${c} * ${step}u`;
      return start === 0 ? scaled : `(${scaled} + ${start}u)`;
    });
    return reader.read(x, index.at(x.shape, coordinates));
  },
  derivative(g, node) {
    const x = node.inputs[0];
    const { starts, steps } = node.attributes;
    const backwards = steps.flatMap((step: number, axis: number) => step < 0 ? [axis] : []);
    const forwards = backwards.length > 0 ? flip(g, backwards) : g;
    const spread = dilate(forwards, steps.map((step: number) => Math.abs(step)));
    return [pad(
      spread,
      x.shape.map((length, axis) => {
        const first = steps[axis] > 0
          ? starts[axis]
          : starts[axis] + steps[axis] * (node.shape[axis] - 1);
        return [first, length - first - spread.shape[axis]] as const;
      }),
    )];
  },
});

/** A stretch of an axis: start, stop (not included) and step, as in Python; null takes all of it. */
export type Range = readonly [start: number, stop: number | null, step?: number] | null;

/**
 * A part of a tensor: one range an axis, missing ones take all. Negative starts and stops count from
 * the end; steps are positive ({@linkcode flip} turns an axis around).
 *
 * @throws {RangeError} where nothing would be left of an axis.
 */
export function slice(x: TensorLike, ranges: readonly Range[]): Tensor {
  const input = asTensor(x);
  if (ranges.length > input.rank) {
    throw new RangeError(
      `Cannot slice tensor ${formatShape(input.shape)} by ${ranges.length} ranges: ` +
        `it has ${input.rank} axes`,
    );
  }
  const starts: number[] = [], steps: number[] = [];
  const shape = input.shape.map((length, axis) => {
    const [from, to, step = 1] = ranges[axis] ?? [0, null];
    const whole = [from, to ?? 0, step].every(Number.isInteger);
    const start = Math.max(0, from < 0 ? from + length : from);
    const stop = to === null ? length : Math.min(length, to < 0 ? to + length : to);
    if (!whole || step < 1 || stop <= start) {
      throw new RangeError(
        `Cannot slice axis ${axis} of tensor ${formatShape(input.shape)} from ${from} to ${to} ` +
          `by ${step}: ${
            whole && step >= 1 ? "nothing is left" : "whole steps forward are needed"
          }`,
      );
    }
    starts.push(start);
    steps.push(step);
    return Math.ceil((stop - start) / step);
  });
  return sliceBy(input, { shape, starts, steps });
}

function sliceBy(
  input: Tensor,
  part: { shape: Shape; starts: readonly number[]; steps: readonly number[] },
): Tensor {
  const { shape, starts, steps } = part;
  if (sameShape(shape, input.shape) && steps.every((step) => step === 1)) return input;
  return new Tensor(sliceOp, [input], { starts, steps }, shape, input.dtype);
}

/** The elements along some axes in reverse order. */
export function flip(x: TensorLike, dims: readonly number[]): Tensor {
  const input = asTensor(x);
  const axes = new Set(resolveAxes("flip", dims, { shape: input.shape }));
  return sliceBy(input, {
    shape: input.shape,
    starts: input.shape.map((length, axis) => axes.has(axis) ? length - 1 : 0),
    steps: input.shape.map((_, axis) => axes.has(axis) ? -1 : 1),
  });
}

/** Puts `steps[axis] - 1` zeros between neighbours of an axis. */
function dilate(x: Tensor, steps: readonly number[]): Tensor {
  if (steps.every((step) => step === 1)) return x;
  // [..., n, ...] -> [..., n, 1, ...] -> pad to [..., n, step, ...] -> [..., n * step, ...] -> crop.
  const pairs = x.shape.flatMap((length) => [length, 1]);
  const padded = pad(
    reshape(x, pairs),
    pairs.map((_, axis) => [0, axis % 2 === 1 ? steps[axis >> 1] - 1 : 0] as const),
  );
  const spread = reshape(padded, x.shape.map((length, axis) => length * steps[axis]));
  return slice(spread, x.shape.map((length, axis) => [0, (length - 1) * steps[axis] + 1] as const));
}

const padOp = movement({
  name: "pad",
  emit(reader, index, node) {
    const x = node.inputs[0];
    const inside: string[] = [];
    const coordinates = index.coordinates.map((c, axis) => {
      const [before, after] = node.attributes.pads[axis];
      if (before === 0 && after === 0) return c;
      // Positions before the start wrap around to large numbers: one comparison finds both sides.
      const shifted = before === 0
        ? c
        : before > 0
        ? `(${c} - ${before}u)`
        : `(${c} + ${-before}u)`;
      if (before > 0 || after > 0) inside.push(`(${shifted} < ${x.shape[axis]}u)`);
      return shifted;
    });
    // A length of 1 reads coordinate 0 whatever is asked for, so `inside` must decide.
    const value = reader.read(x, index.at(x.shape, coordinates));
    if (inside.length === 0) return value;
    return `select(${literal(node.attributes.value, node.dtype)}, ${value}, ${
      inside.join(" && ")
    })`;
  },
  derivative: (g, { attributes }) => [
    pad(g, attributes.pads.map(([before, after]: [number, number]) => [-before, -after])),
  ],
});

/**
 * Adds elements of `value` (0) before and after each axis; negative amounts crop.
 *
 * @param pads one pair `[before, after]` an axis.
 * @throws {RangeError} where the number of pairs is not that of the axes, or nothing is left.
 */
export function pad(
  x: TensorLike,
  pads: readonly (readonly [before: number, after: number])[],
  options: { value?: number } = {},
): Tensor {
  const input = asTensor(x);
  const { value = 0 } = options;
  const fail = (why: string): RangeError =>
    new RangeError(
      `Cannot pad tensor ${formatShape(input.shape)} by [${
        pads.map(formatShape).join(", ")
      }]: ${why}`,
    );
  if (pads.length !== input.rank) throw fail(`one pair for each of ${input.rank} axes is needed`);
  if (!pads.every((both) => both.length === 2 && both.every(Number.isInteger))) {
    throw fail("whole numbers are needed, before and after each axis");
  }
  if (value !== 0 && !canHold(input.dtype, value)) throw fail(`${input.dtype} has no ${value}`);
  if (pads.every(([before, after]) => before === 0 && after === 0)) return input;
  const shape = input.shape.map((length, axis) => length + pads[axis][0] + pads[axis][1]);
  if (shape.some((length) => length < 1)) throw fail("nothing is left");
  return new Tensor(padOp, [input], { pads, value }, shape, input.dtype);
}

const concatOp = movement({
  name: "concat",
  emit(reader, index, node) {
    const dim: number = node.attributes.dim;
    let value = "", start = 0;
    for (const x of node.inputs) {
      const coordinates = index.coordinates.map((c, axis) =>
        axis === dim && start > 0 ? `(${c} - ${start}u)` : c
      );
      const part = reader.read(x, index.at(x.shape, coordinates));
      value = value === ""
        ? part
        : `select(${value}, ${part}, ${index.coordinates[dim]} >= ${start}u)`;
      start += x.shape[dim];
    }
    return value;
  },
  derivative(g, { inputs, attributes }) {
    let start = 0;
    return inputs.map((x) => {
      const ranges: Range[] = x.shape.map(() => null);
      ranges[attributes.dim] = [start, start += x.shape[attributes.dim]];
      return slice(g, ranges);
    });
  },
});

/** Longer lists are joined in parts, because a kernel can be bound to a few buffers only. */
const WIDEST = 6;

/**
 * Joins tensors along an axis.
 *
 * @throws {RangeError} where other lengths differ.
 */
export function concat(xs: readonly TensorLike[], options: { dim?: number } = {}): Tensor {
  const inputs = xs.map((x) => asTensor(x));
  if (inputs.length === 0) throw new RangeError("Cannot concat no tensors");
  const dim = resolveAxis("concat", options.dim ?? 0, { shape: inputs[0].shape });
  for (const x of inputs) {
    const fits = x.rank === inputs[0].rank && x.dtype === inputs[0].dtype &&
      x.shape.every((length, axis) => axis === dim || length === inputs[0].shape[axis]);
    if (!fits) {
      throw new RangeError(
        `Cannot concat ${inputs[0].dtype} tensor ${formatShape(inputs[0].shape)} and ${x.dtype} ` +
          `tensor ${formatShape(x.shape)} along axis ${dim}: types and other lengths must agree`,
      );
    }
  }
  if (inputs.length === 1) return inputs[0];
  if (inputs.length > WIDEST) {
    const parts = Math.ceil(inputs.length / WIDEST);
    return concat(
      Array.from(
        { length: parts },
        (_, i) => concat(inputs.slice(i * WIDEST, (i + 1) * WIDEST), { dim }),
      ),
      { dim },
    );
  }
  const total = inputs.reduce((length, x) => length + x.shape[dim], 0);
  const shape = inputs[0].shape.map((length, axis) => axis === dim ? total : length);
  return new Tensor(concatOp, inputs, { dim }, shape, inputs[0].dtype);
}

const gatherOp = movement({
  name: "gather",
  emit(reader, index, { inputs: [x, at], attributes }) {
    const chosen = `u32(${reader.read(at, index)})`;
    const coordinates = index.coordinates.map((c, axis) => axis === attributes.dim ? chosen : c);
    return reader.read(x, index.at(x.shape, coordinates));
  },
  // Each element of x collects the gradients of the places that chose it: a sum over comparisons,
  // because a scatter would need atomics, whose order changes from run to run.
  derivative(g, { inputs: [x, at], attributes }) {
    const dim: number = attributes.dim;
    const insert = (t: Tensor, axis: number, length: number): Tensor => {
      const shape = [...t.shape];
      shape.splice(axis, 0, 1);
      const expanded = [...shape];
      expanded[axis] = length;
      return expand(reshape(t, shape), expanded);
    };
    const places = arange(x.shape[dim]);
    const column = reshape(places, x.shape.map((_, axis) => axis === dim ? -1 : 1));
    const chosen = insert(at, dim, x.shape[dim]);
    const target = expand(
      reshape(column, [...column.shape.slice(0, dim + 1), 1, ...column.shape.slice(dim + 1)]),
      chosen.shape,
    );
    const spread = insert(g, dim, x.shape[dim]);
    const partial = sum(where(eq(cast(chosen, "i32"), target), spread, 0), { dim: dim + 1 });
    // Axes that the index did not cover entirely got no gradient beyond it.
    return [
      pad(partial, x.shape.map((length, axis) => [0, length - partial.shape[axis]] as const)),
      null,
    ];
  },
});

/**
 * Elements of `x` chosen along an axis: the result has the shape of `index`, and its element at
 * `[i, j, k]` is `x[index[i, j, k], j, k]` for axis 0. Indices are whole numbers in range.
 */
export function gather(x: TensorLike, index: TensorLike, options: { dim?: number } = {}): Tensor {
  const input = asTensor(x), at = asTensor(index);
  const dim = resolveAxis("gather", options.dim ?? 0, { shape: input.shape });
  const fits = at.rank === input.rank &&
    at.shape.every((length, axis) => axis === dim || length <= input.shape[axis]);
  if (!fits || isFloat(at.dtype) || at.dtype === "bool") {
    throw new RangeError(
      `Cannot gather from tensor ${formatShape(input.shape)} by ${at.dtype} indices ` +
        `${formatShape(at.shape)} along axis ${dim}: whole numbers of the same rank are needed`,
    );
  }
  return new Tensor(gatherOp, [input, at], { dim }, at.shape, input.dtype);
}
