// Tensor: a promise of a value. A node of a graph of ops that nothing has run yet.

import {
  checkShape,
  type DType,
  dtypeOf,
  formatShape,
  hostArray,
  type Shape,
  sizeOf,
  type TypedArray,
} from "./dtype.ts";
import { origin as currentLine } from "./debug.ts";
import type { Variable } from "./variable.ts";
import type { Op } from "./op.ts";

let nextId = 0;

/**
 * A value of known shape and type that has not been computed: an op, the tensors it reads, and its
 * attributes. Made by ops and {@linkcode tensor}; its numbers come from `read`.
 */
export class Tensor {
  /** Creation order: inputs always have smaller ids than what is computed from them. */
  readonly id: number = nextId++;
  /** The number of elements. */
  readonly size: number;

  /**
   * What ops do to make their result.
   *
   * @param origin the line that wrote it, which KAO_DEBUG=nan keeps.
   * @internal
   */
  constructor(
    /** @internal */
    readonly op: Op,
    readonly inputs: readonly Tensor[],
    /** @internal */
    readonly attributes: Attributes,
    readonly shape: Shape,
    readonly dtype: DType,
    readonly origin: string | undefined = currentLine(),
  ) {
    this.size = sizeOf(shape);
  }

  /** The number of axes. */
  get rank(): number {
    return this.shape.length;
  }

  /** The op, shape and type, for messages. */
  toString(): string {
    return `Tensor(${this.op.name}, ${formatShape(this.shape)}, ${this.dtype})`;
  }
}

/** What every op accepts: a tensor, a variable (its current value), or a number. */
export type TensorLike = Tensor | Variable | number;

/** Named settings of a node. Compared as JSON when equal nodes are merged. */
// deno-lint-ignore no-explicit-any
export type Attributes = Readonly<Record<string, any>>;

/** Host data, uploaded once for each plan that reads it. */
export const constantOp: Op = { name: "constant", kind: "leaf" };

/**
 * A tensor of given numbers. The type follows the array: `Float32Array` f32, `Int32Array` i32,
 * `Uint32Array` u32, `Uint8Array` u8; plain numbers are f32.
 *
 * @param shape the lengths of the axes; one axis (or a scalar, for a number) where left out.
 * @throws {RangeError} where the shape asks for another number of elements.
 * @throws {TypeError} where the numbers come in an array of another type.
 *
 * @example
 * ```ts
 * import { tensor } from "./mod.ts";
 * const x = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
 * const labels = tensor(new Int32Array([0, 2]));
 * ```
 */
export function tensor(data: number | readonly number[] | TypedArray, shape?: Shape): Tensor {
  const array = hostArray(typeof data === "number" ? [data] : data);
  const dtype = dtypeOf(array);
  const resolved = shape ?? (typeof data === "number" ? [] : [array.length]);
  checkShape("make a tensor", resolved);
  if (sizeOf(resolved) !== array.length) {
    throw new RangeError(
      `Cannot make a tensor of shape ${formatShape(resolved)} from ${array.length} elements: ` +
        `it holds ${sizeOf(resolved)}`,
    );
  }
  return new Tensor(constantOp, [], { data: array }, resolved, dtype);
}

/** Elements uploaded from the host, where a tensor is a constant. */
export function constantData(x: Tensor): TypedArray | undefined {
  return x.op === constantOp ? x.attributes.data : undefined;
}
