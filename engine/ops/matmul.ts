// Matrix products.

import { formatShape, sizeOf } from "../dtype.ts";
import { matmul as launch } from "../kernels/matmul.ts";
import type { KernelOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { broadcastShapes } from "./elementwise.ts";
import { expand, reshape, sumTo } from "./movement.ts";
import { widened } from "./cast.ts";

/** Whether the last two axes of an operand are swapped first. */
export interface MatmulOptions {
  /** Swap the last two axes of the left operand. */
  readonly transposeA?: boolean;
  /** Swap the last two axes of the right operand. */
  readonly transposeB?: boolean;
}

/** a: [A, m, k], b: [B, k, n], out: [max(A, B), m, n]; A and B are equal, or one of them is 1. */
export const matmulOp: KernelOp = {
  name: "matmul",
  kind: "kernel",
  launch(context, node, { inputs: [a, b], output }) {
    const { transposeA, transposeB } = node.attributes;
    const [x, y] = node.inputs;
    const [batch, m, n] = node.shape;
    return launch(context, {
      batch,
      m,
      n,
      k: x.shape[transposeA ? 1 : 2],
      transposeA,
      transposeB,
      sharedA: x.shape[0] < batch,
      sharedB: y.shape[0] < batch,
    }, { a, b, out: output });
  },
  derivative(g, node) {
    const [a, b] = node.inputs;
    const { transposeA: ta, transposeB: tb } = node.attributes;
    const forA = ta ? product(b, g, { ta: tb, tb: true }) : product(g, b, { ta: false, tb: !tb });
    const forB = tb ? product(g, a, { ta: true, tb: ta }) : product(a, g, { ta: !ta, tb: false });
    return [sumTo(forA, a.shape), sumTo(forB, b.shape)];
  },
};

function product(a: Tensor, b: Tensor, flags: { ta: boolean; tb: boolean }): Tensor {
  const shape = [
    Math.max(a.shape[0], b.shape[0]),
    a.shape[flags.ta ? 2 : 1],
    b.shape[flags.tb ? 1 : 2],
  ];
  const attributes = { transposeA: flags.ta, transposeB: flags.tb };
  return new Tensor(matmulOp, [a, b], attributes, shape, "f32");
}

/**
 * The matrix product of the last two axes; axes before them broadcast. A vector is a row on the left, a
 * column on the right, as in `torch.matmul`.
 *
 * @throws {RangeError} where inner lengths differ or the other axes do not broadcast.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Device, matmul, read, tensor } from "../mod.ts";
 * await Device.open();
 * const [y] = await read([matmul(tensor([1, 2, 3, 4], [2, 2]), tensor([1, 1]))]);
 * assertEquals([...y], [3, 7]);
 * ```
 */
export function matmul(a: TensorLike, b: TensorLike, options: MatmulOptions = {}): Tensor {
  const { transposeA: ta = false, transposeB: tb = false } = options;
  const left = widened(a), right = widened(b);
  const fail = (why: string): RangeError =>
    new RangeError(
      `Cannot matmul ${left.dtype} tensor ${formatShape(left.shape)} and ${right.dtype} tensor ` +
        `${formatShape(right.shape)}: ${why}`,
    );
  if (left.rank === 0 || right.rank === 0) throw fail("scalars have no product; use mul");
  if (left.dtype !== "f32" || right.dtype !== "f32") throw fail("both must be f32; cast them");
  const x = left.rank === 1 ? reshape(left, ta ? [left.size, 1] : [1, left.size]) : left;
  const y = right.rank === 1 ? reshape(right, tb ? [1, right.size] : [right.size, 1]) : right;
  const [xm, xk] = ta ? [x.shape.at(-1)!, x.shape.at(-2)!] : [x.shape.at(-2)!, x.shape.at(-1)!];
  const [yk, yn] = tb ? [y.shape.at(-1)!, y.shape.at(-2)!] : [y.shape.at(-2)!, y.shape.at(-1)!];
  if (xk !== yk) throw fail(`inner lengths ${xk} vs ${yk}`);
  const outerX = x.shape.slice(0, -2), outerY = y.shape.slice(0, -2);
  const outer = broadcastShapes(outerX, outerY);
  if (!outer) throw fail("the axes before the last two do not broadcast");

  const batch = sizeOf(outer);
  let result: Tensor;
  if (sizeOf(outerY) === 1 && !ta) {
    // One matrix for the whole batch: a single product with more rows.
    const rows = reshape(x, [1, x.size / xk, xk]);
    result = product(rows, reshape(y, [1, ...y.shape.slice(-2)]), { ta, tb });
  } else {
    const batched = (t: Tensor, own: readonly number[]): Tensor => {
      const matrix = t.shape.slice(-2);
      if (sizeOf(own) === 1) return reshape(t, [1, ...matrix]);
      return reshape(expand(t, [...outer, ...matrix]), [batch, ...matrix]);
    };
    result = product(batched(x, outerX), batched(y, outerY), { ta, tb });
  }
  return reshape(result, [
    ...outer,
    ...(left.rank === 1 ? [] : [xm]),
    ...(right.rank === 1 ? [] : [yn]),
  ]);
}
