// Mean and variance together, for the normalisations.

import { alignedGroups } from "../compile/index_expression.ts";
import type { PointwiseOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { asFloat } from "./cast.ts";
import { div, mul, sub } from "./elementwise.ts";
import { expand, permuteOp, reshape, reshapeOp } from "./movement.ts";
import { reducedShapes, type ReduceOptions, sum } from "./reduce.ts";

/** The squared distance from a mean. The mean's own part is left out of the derivative: summed up, it is 0. */
const squaredDistanceOp: PointwiseOp = {
  name: "squaredDistance",
  kind: "pointwise",
  elementwise: true,
  cost: 0.1,
  emit(reader, index, { inputs: [x, mean] }) {
    const distance = `(${reader.read(x, index)} - ${reader.read(mean, index)})`;
    return `(${distance} * ${distance})`;
  },
  derivative: (g, { inputs: [x, mean] }) => [mul(g, mul(sub(x, mean), 2)), null],
};

function average(x: Tensor, dim: readonly number[]): Tensor {
  const total = sum(x, { dim, keepdim: true });
  return div(total, x.size / total.size);
}

/**
 * Mean and biased variance over axes, kept with length 1. The variance is the mean square of the distance
 * from the mean, so a large mean does not cancel it.
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
  const mean = average(source, folded), centre = expand(mean, source.shape);
  const squares = new Tensor(squaredDistanceOp, [source, centre], {}, source.shape, "f32");
  return { mean: reshape(mean, kept), variance: reshape(average(squares, folded), kept) };
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
