// Variable: the only state there is. What outlives a step is in variables, and a checkpoint is all of
// them by name.

import type { Device } from "./runtime/device.ts";
import {
  byteLength,
  checkShape,
  type DType,
  dtypeOf,
  formatShape,
  hostArray,
  type Shape,
  sizeOf,
  type TypedArray,
} from "./dtype.ts";
import { detach } from "./ops/elementwise.ts";
import { Tensor } from "./tensor.ts";
import type { LeafOp } from "./op.ts";

/** Reads the value that a variable has when a plan starts. */
export const variableOp: LeafOp = { name: "variable", kind: "leaf" };

/** What variables are bound to while a function is traced: later reads see earlier assignments. */
export interface VariableBindings {
  get(variable: Variable): Tensor | undefined;
  set(variable: Variable, value: Tensor): void;
}

let bindings: VariableBindings | undefined;

/** Runs `fn` with assignments going to `scope`. */
export function withBindings<R>(scope: VariableBindings, fn: () => R): R {
  const outer = bindings;
  bindings = scope;
  try {
    return fn();
  } finally {
    bindings = outer;
  }
}

/**
 * State on the device: a parameter, a running statistic, an optimiser's moment, a counter.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { add, compile, Device, read, Variable } from "./mod.ts";
 * await Device.open();
 * const count = new Variable(new Int32Array([0]), []);
 * const step = compile(() => count.assign(add(count, 1)));
 * step();
 * step();
 * assertEquals(await read([count]), [new Int32Array([2])]);
 * ```
 */
export class Variable {
  /** The lengths of the axes. */
  readonly shape: Shape;
  /** The type of the elements. */
  readonly dtype: DType;
  /** The number of elements. */
  readonly size: number;
  /** For messages; a checkpoint names variables by where they are found. */
  readonly name: string;
  readonly #leaf: Tensor;
  #host: TypedArray | undefined;
  #device: Device | undefined;
  #buffer: GPUBuffer | undefined;
  #writes = 0;

  /**
   * Keeps the numbers until a device needs them.
   *
   * @throws {RangeError} where `shape` does not hold as many elements as `data`.
   */
  constructor(
    data: TypedArray | readonly number[],
    shape: Shape,
    options: { name?: string } = {},
  ) {
    const array = hostArray(data);
    this.dtype = dtypeOf(array);
    checkShape("make a variable", shape);
    if (sizeOf(shape) !== array.length) {
      throw new RangeError(
        `Cannot make a variable of shape ${formatShape(shape)} from ${array.length} elements: ` +
          `it holds ${sizeOf(shape)}`,
      );
    }
    this.shape = shape;
    this.size = array.length;
    this.name = options.name ?? "";
    this.#host = array.slice() as TypedArray;
    this.#leaf = new Tensor(variableOp, [], { variable: this }, shape, this.dtype);
  }

  /** The value here and now: within a compiled function, what was last assigned. */
  get value(): Tensor {
    return bindings?.get(this) ?? this.#leaf;
  }

  /**
   * Gives the variable a new value for the rest of the traced function and all that runs after it. The
   * new value is constant for differentiation: no gradient flows through an assignment, so a network
   * that was updated in the same step does not lead back to what it learnt from.
   *
   * @throws {Error} outside `compile`, or where shape or type differ.
   */
  assign(tensor: Tensor): void {
    if (bindings === undefined) {
      throw new Error(
        `Cannot assign to variable ${this.#label()} outside a compiled function: use set(array)`,
      );
    }
    if (tensor.dtype !== this.dtype || formatShape(tensor.shape) !== formatShape(this.shape)) {
      throw new TypeError(
        `Cannot assign ${tensor.dtype} ${formatShape(tensor.shape)} to variable ${this.#label()}`,
      );
    }
    bindings.set(this, detach(tensor));
  }

  /**
   * Replaces the value with numbers from the host. A variable whose device was lost moves to the next
   * one that uses it.
   *
   * @throws {RangeError} where the length differs.
   */
  set(data: TypedArray | readonly number[]): void {
    if (data.length !== this.size) {
      throw new RangeError(
        `Cannot set variable ${this.#label()} from ${data.length} elements`,
      );
    }
    const array = hostArray(data);
    if (dtypeOf(array) !== this.dtype) {
      throw new TypeError(`Cannot set variable ${this.#label()} from ${dtypeOf(array)} numbers`);
    }
    this.touch();
    if (this.#device?.failed) this.destroy();
    if (this.#buffer && this.#device) this.#device.upload(this.#buffer, array);
    else this.#host = array.slice() as TypedArray;
  }

  /** How often the value may have changed so far: what was computed from it is still right where this is the same. */
  get writes(): number {
    return this.#writes;
  }

  /** @internal To be called by whoever has the device write the variable's memory. */
  touch(): void {
    this.#writes++;
  }

  /** The variable's memory on `device`, made and filled when first asked for. */
  bufferOn(device: Device): GPUBuffer {
    if (this.#device !== undefined && this.#device !== device) {
      throw new Error(
        `Cannot use variable ${this.#label()} on this device: ` +
          (this.#device.failed
            ? "its numbers went with its own; set(array) them again"
            : "it lies on another one"),
      );
    }
    if (this.#buffer === undefined) {
      const host = this.#host;
      if (host === undefined) {
        throw new Error(`Cannot use variable ${this.#label()}: it was destroyed`);
      }
      const purpose = `variable ${this.#label()}`;
      this.#buffer = device.createBuffer(byteLength(this.size, this.dtype), { purpose });
      this.#device = device;
      device.upload(this.#buffer, host);
      this.#host = undefined;
    }
    return this.#buffer;
  }

  /** Frees the device memory. The variable cannot be used afterwards, unless it is set anew. */
  destroy(): void {
    this.touch();
    if (this.#buffer) this.#device!.destroyBuffer(this.#buffer);
    this.#buffer = undefined;
    this.#device = undefined;
    this.#host = undefined;
  }

  #label(): string {
    const name = this.name ? `"${this.name}" ` : "";
    return `${name}of ${this.dtype} ${formatShape(this.shape)}`;
  }
}
