// Matrix products with a side or a depth of one, as arithmetic: what is left of a product's kernels there is mostly
// laying out operands. As arithmetic they are computed within the kernels before and after them: an outer
// product where it is read, and a product with a vector along with other reductions of the same rows.

import { sameShape, type Shape } from "../dtype.ts";
import type { Op } from "../op.ts";
import { arithmetic } from "../ops/elementwise.ts";
import { matmulOp } from "../ops/matmul.ts";
import { expandOp, reshapeOp } from "../ops/movement.ts";
import { sumOp } from "../ops/reduce.ts";
import type { Tensor } from "../tensor.ts";
import { rowForm } from "./rows.ts";

/** Makes nodes of a graph that is being rewritten. */
export type Make = (op: Op, inputs: readonly Tensor[], like: Like) => Tensor;

/** What a node has besides op and inputs. */
export type Like = Pick<Tensor, "attributes" | "shape" | "dtype"> & { readonly origin?: string };

/** What a product is rewritten for. */
interface Options {
  readonly make: Make;
  readonly cpu: boolean;
}

/** A product as arithmetic, where that takes fewer dispatches and not much longer; else undefined. */
export function productAsArithmetic(
  op: Op,
  inputs: readonly Tensor[],
  { attributes, shape, origin }: Like,
  options: Options,
): Tensor | undefined {
  if (op !== matmulOp) return undefined;
  const [a, b] = inputs, { transposeA, transposeB } = attributes, [batch, m, n] = shape;
  const k = a.shape[transposeA ? 1 : 2];
  const node = (op: Op, inputs: readonly Tensor[], shape: Shape, attributes = {}): Tensor =>
    options.make(op, inputs, { attributes, shape, dtype: "f32", origin });
  const as = (x: Tensor, shape: Shape): Tensor =>
    sameShape(x.shape, shape) ? x : node(reshapeOp, [x], shape);
  const over = (x: Tensor, shape: Shape): Tensor =>
    sameShape(x.shape, shape) ? x : node(expandOp, [x], shape);
  const product = (x: Tensor, y: Tensor, shape: Shape): Tensor =>
    node(arithmetic.mul, [over(x, shape), over(y, shape)], shape);

  if (k === 1) return product(as(a, [a.shape[0], m, 1]), as(b, [b.shape[0], 1, n]), shape);
  if (m !== 1 && n !== 1) return undefined;
  const [matrix, vector, together] = n === 1 ? [a, b, !transposeA] : [b, a, transposeB];
  if (!pays({ results: batch * m * n, length: k, together }, options)) return undefined;
  const line = as(vector, [vector.shape[0], ...(together ? [1, k] : [k, 1])]);
  const factors = product(matrix, line, [batch, ...matrix.shape.slice(1)]);
  const dim = together ? 2 : 1, sums = factors.shape.map((each, axis) => axis === dim ? 1 : each);
  return as(node(sumOp, [factors], sums, { dims: [dim] }), shape);
}

/**
 * Whether a matrix and a vector are multiplied by a reduction rather than as a product.
 *
 * @param options.together whether what is summed up lies together in the matrix.
 */
function pays(
  options: { results: number; length: number; together: boolean },
  { cpu }: Options,
): boolean {
  const { results, length, together } = options;
  const { alone, parts } = rowForm(results, length, { cpu });
  if (parts > 1) return false;
  // A GPU's product of few steps is one dispatch as it is, and takes what follows into it.
  return cpu ? together || alone : together && !alone;
}
