// Mean and variance together, for the normalisations.

import { moments as launch } from "../kernels/moments.ts";
import type { KernelOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { asFloat } from "./cast.ts";
import { add, div, mul, square, sub } from "./elementwise.ts";
import { expand, permute, reshape, slice } from "./movement.ts";
import { reducedShapes, type ReduceOptions, sum } from "./reduce.ts";

/** x: [outer, channels, inner] -> [2, channels]: the mean and the biased variance of each channel. */
const momentsOp: KernelOp = {
  name: "moments",
  kind: "kernel",
  launch(context, node, { inputs: [x], output }) {
    const [outer, channels, inner] = node.inputs[0].shape;
    return launch(context, { outer, channels, inner }, { x, out: output });
  },
  derivative(g, node) {
    const x = node.inputs[0];
    const channels = x.shape[1], count = x.size / channels;
    const row = (t: Tensor, at: number): Tensor =>
      expand(
        reshape(slice(t, [[at, at + 1]]), [1, channels, 1]),
        x.shape,
      );
    const centred = sub(x, row(node, 0));
    const scaled = mul(row(mul(g, 2 / count), 1), centred);
    return [add(row(mul(g, 1 / count), 0), scaled)];
  },
};

/** More elements than one workgroup should fold: reductions share them among several. */
const LONG = 2 ** 19;

function average(x: Tensor, dims: readonly number[]): Tensor {
  const total = sum(x, { dim: dims, keepdim: true });
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
  const folded = dims.filter((dim) => input.shape[dim] !== 1);
  const remaining = input.shape.map((_, axis) => axis).filter((axis) => !folded.includes(axis));
  if (folded.reduce((count, dim) => count * input.shape[dim], 1) > LONG) {
    const mean = average(input, folded);
    return {
      mean: reshape(mean, kept),
      variance: reshape(average(square(sub(input, expand(mean, input.shape))), folded), kept),
    };
  }
  const [outer, channels, inner] = splitAxes(input, remaining);
  // Axes that stay must lie together for the kernel; others are moved to the front.
  const arranged = outer === 0
    ? reshape(permute(input, [...remaining, ...folded]), [
      1,
      remaining.reduce((product, axis) => product * input.shape[axis], 1),
      -1,
    ])
    : reshape(input, [outer, channels, inner]);
  const both = new Tensor(momentsOp, [arranged], {}, [2, arranged.shape[1]], "f32");
  return {
    mean: reshape(slice(both, [[0, 1]]), kept),
    variance: reshape(slice(both, [[1, 2]]), kept),
  };
}

/** The shape as [outer, channels, inner] where the axes that stay are neighbours; else zeros. */
function splitAxes(x: Tensor, remaining: readonly number[]): [number, number, number] {
  const product = (from: number, to: number): number =>
    x.shape.slice(from, to).reduce((total, length) => total * length, 1);
  if (remaining.length === 0) return [1, 1, x.size];
  const first = remaining[0], last = remaining[remaining.length - 1];
  if (last - first + 1 !== remaining.length) return [0, 0, 0];
  return [product(0, first), product(first, last + 1), product(last + 1, x.rank)];
}
