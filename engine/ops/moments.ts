// Mean and variance together, for the normalisations.

import { alignedGroups } from "../compile/index_expression.ts";
import type { PointwiseOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { asFloat } from "./cast.ts";
import { detach, div, mul, sub } from "./elementwise.ts";
import { expand, permuteOp, type Range, reshape, reshapeOp, slice } from "./movement.ts";
import { reducedShapes, type ReduceOptions, sum } from "./reduce.ts";

/**
 * The squared distance from some number; and the mean, which takes that number's place in the derivative, for a
 * variance owes nothing to it. The mean's own part is left out: summed up, it is 0.
 */
const squaredDistanceOp: PointwiseOp = {
  name: "squaredDistance",
  kind: "pointwise",
  elementwise: true,
  operands: 2,
  cost: 0.1,
  emit(reader, index, { inputs: [x, from] }) {
    const distance = `(${reader.read(x, index)} - ${reader.read(from, index)})`;
    return `(${distance} * ${distance})`;
  },
  derivative: (g, { inputs: [x, , mean] }) => [mul(g, mul(sub(x, mean), 2)), null, null],
};

/** The mean, by some number and the mean of the distances from it. */
const meanOp: PointwiseOp = {
  name: "mean",
  kind: "pointwise",
  elementwise: true,
  stored: true,
  cost: 0.1,
  emit: (reader, index, { inputs: [from, shift] }) =>
    `(${reader.read(from, index)} + ${reader.read(shift, index)})`,
  derivative: (g) => [null, g],
};

/** The variance, by the mean of the squared distances from some number, and the distance of the mean from it. */
const varianceOp: PointwiseOp = {
  name: "variance",
  kind: "pointwise",
  elementwise: true,
  stored: true,
  cost: 0.1,
  emit(reader, index, { inputs: [square, shift] }) {
    const distance = reader.read(shift, index);
    // Rounding must not leave less than nothing.
    return `max(${reader.read(square, index)} - ${distance} * ${distance}, 0.0)`;
  },
  derivative: (g) => [g, null],
};

const node = (op: PointwiseOp, inputs: readonly Tensor[]): Tensor =>
  new Tensor(op, inputs, {}, inputs[0].shape, "f32");

function average(x: Tensor, dim: readonly number[]): Tensor {
  const total = sum(x, { dim, keepdim: true });
  return div(total, x.size / total.size);
}

/**
 * Mean and biased variance over axes, kept with length 1. Both are found in one pass, by the distances `d` from an
 * element `s` of the row: the mean is `s + mean(d)`, the variance `mean(d^2) - mean(d)^2`, in which a large mean
 * cancels nothing, for `s` is about as far from it as the others are (shifted data in Chan, Golub and LeVeque,
 * "Algorithms for computing the sample variance", 1983).
 *
 * @throws {TypeError} where `x` is of another type than f32 or f16, a `RangeError` for an axis that is not there.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Device, moments, read, tensor } from "../mod.ts";
 * await Device.open();
 * const { mean, variance } = moments(tensor([1, 2, 3, 6]));
 * const [middle, spread] = await read([mean, variance]);
 * assertEquals([...middle, ...spread], [3, 3.5]);
 * ```
 */
export function moments(
  x: TensorLike,
  options: Pick<ReduceOptions, "dim"> = {},
): { mean: Tensor; variance: Tensor } {
  const input = asFloat("moments", x);
  const { dims, kept } = reducedShapes("moments", input, options);
  const { source, rows } = unarranged(
    input,
    input.shape.flatMap((_, axis) => dims.includes(axis) ? [] : [axis]),
  );
  const folded = source.shape.flatMap((_, axis) => rows.includes(axis) ? [] : [axis]);
  const first = source.shape.map((_, axis): Range => rows.includes(axis) ? null : [0, 1]);
  const from = detach(slice(source, first)), shift = average(sub(source, from), folded);
  const mean = node(meanOp, [from, shift]);
  const squares = node(
    squaredDistanceOp,
    [source, ...[from, mean].map((each) => expand(each, source.shape))],
  );
  const variance = node(varianceOp, [average(squares, folded), shift]);
  return { mean: reshape(mean, kept), variance: reshape(variance, kept) };
}

/**
 * What `x` was before its elements were moved within the rows that the axes `rows` tell apart: their sum does
 * not depend on the order, and memory is best read in its own.
 */
function unarranged(
  x: Tensor,
  rows: readonly number[],
): { source: Tensor; rows: readonly number[] } {
  const [input] = x.inputs;
  let before: number[] = [];
  if (x.op === permuteOp) {
    before = rows.map((axis) => x.attributes.dims[axis]);
    const long = before.filter((axis) => input.shape[axis] !== 1);
    if (long.some((axis, at) => at > 0 && axis < long[at - 1])) return { source: x, rows };
  } else if (x.op === reshapeOp) {
    for (const { from, to } of alignedGroups(input.shape, x.shape)) {
      const axes = Array.from({ length: to[1] - to[0] }, (_, i) => to[0] + i);
      const long = axes.filter((axis) => x.shape[axis] !== 1);
      const kept = long.filter((axis) => rows.includes(axis));
      if (kept.length > 0 && kept.length < long.length) return { source: x, rows };
      if (kept.length > 0) { for (let axis = from[0]; axis < from[1]; axis++) before.push(axis); }
    }
  } else return { source: x, rows };
  return unarranged(input, before);
}
