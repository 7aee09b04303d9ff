// The same numbers in another type.

import { type DType, formatShape, isFloat } from "../dtype.ts";
import type { PointwiseOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { wgslType } from "../compile/wgsl.ts";
import { asTensor } from "./source.ts";

/** The op of {@linkcode cast}, whose known numbers the compiler converts. */
export const castOp: PointwiseOp = {
  name: "cast",
  kind: "pointwise",
  elementwise: true,
  cost: 0.1,
  emit(reader, index, { inputs: [x], dtype }) {
    const value = reader.read(x, index);
    if (dtype !== "f16") return `${wgslType(dtype)}(${value})`;
    reader.use("math");
    return `kao_half(f32(${value}))`;
  },
  // Gradients are f32 whatever lies between.
  derivative: (g, node) => [isFloat(node.inputs[0].dtype) && isFloat(node.dtype) ? g : null],
};

const TARGETS: readonly DType[] = ["f32", "f16", "i32", "u32", "bool"];

/**
 * The same numbers in another type; fractions are cut off towards 0 for whole numbers, and rounded for f16.
 * Only between f32 and f16 is there a derivative.
 *
 * @throws {TypeError} where the type is none that a shader can compute: bytes are for inputs.
 */
export function cast(x: TensorLike, dtype: DType): Tensor {
  const input = asTensor(x);
  if (dtype === input.dtype) return input;
  if (!TARGETS.includes(dtype)) {
    throw new TypeError(
      `Cannot cast ${input.dtype} tensor ${formatShape(input.shape)} to ${dtype}: ` +
        `${TARGETS.join(", ")} are possible`,
    );
  }
  return new Tensor(castOp, [input], {}, input.shape, dtype);
}

/** What an op that computes was given: f16 as f32, because f16 is for storage alone. */
export function widened(x: TensorLike): Tensor {
  const input = asTensor(x);
  return input.dtype === "f16" ? cast(input, "f32") : input;
}

/**
 * What an op that works on real numbers was given, as f32.
 *
 * @throws {TypeError} where it is of another type than f32 or f16.
 */
export function asFloat(op: string, x: TensorLike): Tensor {
  const input = widened(x);
  if (input.dtype === "f32") return input;
  throw new TypeError(
    `Cannot ${op} ${input.dtype} tensor ${formatShape(input.shape)}: f32 is needed; cast it`,
  );
}
