// Values that come from nowhere: numbers, filled tensors, ranges.

import { checkShape, type DType, formatShape, type Shape } from "../dtype.ts";
import type { PointwiseOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { LARGEST, literal, wgslType } from "../compile/wgsl.ts";

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

/**
 * A tensor with `value` everywhere. Infinite values become the largest finite ones, for shaders have no
 * others.
 *
 * @throws {RangeError} where a length is not whole or not positive, or the type cannot hold the value.
 */
export function full(
  shape: Shape,
  value: number,
  options: { dtype?: DType } = {},
): Tensor {
  const { dtype = "f32" } = options;
  checkShape("fill a tensor", shape);
  if (!canHold(dtype, value)) {
    throw new RangeError(
      `Cannot fill ${dtype} tensor ${
        formatShape(shape)
      } with ${value}: ${dtype} has no such number`,
    );
  }
  return new Tensor(fullOp, [], { value }, shape, dtype);
}

/** Whether a number can be written in a shader as an element of a type. */
export function canHold(dtype: DType, value: number): boolean {
  if (dtype === "f32") return !Number.isNaN(value);
  if (dtype === "f16") return Math.abs(value) <= LARGEST.f16 || Math.abs(value) === Infinity;
  const bounds = { i32: [-(2 ** 31), 2 ** 31 - 1], u32: [0, 2 ** 32 - 1], bool: [0, 1] };
  // No tensor of bytes can be computed: they are for inputs.
  if (dtype === "u8") return false;
  const [least, most] = bounds[dtype];
  return Number.isInteger(value) && value >= least && value <= most;
}

/** The numbers 0, 1, ..., n - 1; i32 unless asked otherwise. */
export function arange(n: number, options: { dtype?: "f32" | "i32" | "u32" } = {}): Tensor {
  checkShape("make a range", [n]);
  return new Tensor(arangeOp, [], {}, [n], options.dtype ?? "i32");
}

/**
 * What an op was given, as a tensor: a variable's current value, a number as a scalar of `dtype`.
 *
 * @throws {TypeError} for anything else.
 */
export function asTensor(x: TensorLike, dtype: DType = "f32"): Tensor {
  if (x instanceof Tensor) return x;
  if (typeof x === "number") return full([], x, { dtype });
  const value: unknown = x?.value;
  if (value instanceof Tensor) return value;
  throw new TypeError(
    `Cannot use ${x === null ? null : typeof x} as a tensor: a Tensor, a Variable or a number is ` +
      `needed; tensor(...) makes one from a list`,
  );
}

/** The value of a `full` tensor, or undefined. */
export function fullValue(x: Tensor): number | undefined {
  return x.op === fullOp ? x.attributes.value : undefined;
}
