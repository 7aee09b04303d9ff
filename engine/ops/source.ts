// Values that come from nowhere: numbers, filled tensors, ranges.

import { checkShape, type DType, type Shape } from "../dtype.ts";
import type { PointwiseOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { literal, wgslType } from "../compile/wgsl.ts";

/** One number everywhere. */
export const fullOp: PointwiseOp = {
  name: "full",
  kind: "pointwise",
  cost: 0,
  elementwise: false,
  emit: (_reader, _index, node) => literal(node.attributes.value, node.dtype),
};

const arangeOp: PointwiseOp = {
  name: "arange",
  kind: "pointwise",
  cost: 0,
  elementwise: false,
  emit: (_reader, index, node) => `${wgslType(node.dtype)}(${index.offset})`,
};

/** A tensor with `value` everywhere. */
export function full(
  shape: Shape,
  value: number,
  options: { dtype?: DType } = {},
): Tensor {
  checkShape("fill a tensor", shape);
  return new Tensor(fullOp, [], { value }, shape, options.dtype ?? "f32");
}

/** Zeros in the shape and type of another tensor. */
export function zerosLike(x: Tensor): Tensor {
  return full(x.shape, 0, { dtype: x.dtype });
}

/** The numbers 0, 1, ..., n - 1; i32 unless asked otherwise. */
export function arange(n: number, options: { dtype?: DType } = {}): Tensor {
  checkShape("make a range", [n]);
  return new Tensor(arangeOp, [], {}, [n], options.dtype ?? "i32");
}

/** What an op was given, as a tensor: a variable's current value, a number as a scalar of `dtype`. */
export function asTensor(x: TensorLike, dtype: DType = "f32"): Tensor {
  if (x instanceof Tensor) return x;
  return typeof x === "number" ? full([], x, { dtype }) : x.value;
}

/** The value of a `full` tensor, or undefined. */
export function fullValue(x: Tensor): number | undefined {
  return x.op === fullOp ? x.attributes.value : undefined;
}
