// Shorthands for reshaping: axes of length 1, flattened axes, two axes swapped, tensors stacked.

import { formatShape, resolveAxis, sameShape } from "../dtype.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { concat, permute, reshape } from "./movement.ts";
import { asTensor } from "./source.ts";

/**
 * Without one axis of length 1, or without all of them where `dim` is left out.
 *
 * @throws {RangeError} where axis `dim` is longer.
 */
export function squeeze(x: TensorLike, options: { dim?: number } = {}): Tensor {
  const input = asTensor(x);
  if (options.dim === undefined) {
    return reshape(
      input,
      input.shape.filter((length) => length !== 1),
    );
  }
  const dim = resolveAxis("squeeze", options.dim, { shape: input.shape });
  if (input.shape[dim] !== 1) {
    throw new RangeError(
      `Cannot squeeze axis ${dim} of tensor ${formatShape(input.shape)}: its length is not 1`,
    );
  }
  return reshape(input, input.shape.toSpliced(dim, 1));
}

/** With a new axis of length 1 at place `dim` of the result. */
export function unsqueeze(x: TensorLike, dim: number): Tensor {
  const input = asTensor(x);
  const at = resolveAxis("unsqueeze", dim, { shape: input.shape, rank: input.rank + 1 });
  return reshape(input, input.shape.toSpliced(at, 0, 1));
}

/** The axes from `start` (0) on as one. */
export function flatten(x: TensorLike, options: { start?: number } = {}): Tensor {
  const input = asTensor(x);
  if (input.rank === 0) return reshape(input, [1]);
  const start = resolveAxis("flatten", options.start ?? 0, { shape: input.shape });
  return reshape(input, [...input.shape.slice(0, start), -1]);
}

/** Two axes swapped. */
export function transpose(x: TensorLike, [a, b]: readonly [number, number]): Tensor {
  const input = asTensor(x), { shape } = input;
  const dims = input.shape.map((_, axis) => axis);
  const first = resolveAxis("transpose", a, { shape });
  const second = resolveAxis("transpose", b, { shape });
  [dims[first], dims[second]] = [second, first];
  return permute(input, dims);
}

/**
 * Tensors of one shape side by side along a new axis at place `dim` (0) of the result.
 *
 * @throws {RangeError} where their shapes or types differ.
 */
export function stack(xs: readonly TensorLike[], options: { dim?: number } = {}): Tensor {
  const inputs = xs.map((x) => asTensor(x)), [first] = inputs;
  if (first === undefined) throw new RangeError("Cannot stack no tensors");
  const odd = inputs.find((x) => !sameShape(x.shape, first.shape) || x.dtype !== first.dtype);
  if (odd !== undefined) {
    throw new RangeError(
      `Cannot stack ${first.dtype} tensor ${formatShape(first.shape)} and ${odd.dtype} tensor ` +
        `${formatShape(odd.shape)}: shapes and types must agree`,
    );
  }
  const { shape } = first;
  const dim = resolveAxis("stack", options.dim ?? 0, { shape, rank: shape.length + 1 });
  return concat(inputs.map((x) => unsqueeze(x, dim)), { dim });
}
