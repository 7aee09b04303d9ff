// Element types, shapes, and the arrays that carry them between JavaScript and the device.

/**
 * The type of a tensor's elements. `u8` is for inputs such as images (four to a word on the device),
 * `bool` the result of comparisons; arithmetic is `f32`, labels and indices are `i32`. `f16` takes half
 * the memory of `f32`: moving elements keeps it, every other op computes from it in `f32`.
 */
export type DType = "f32" | "f16" | "i32" | "u32" | "u8" | "bool";

/** The lengths of a tensor's axes, outermost first. `[]` is a scalar. */
export type Shape = readonly number[];

/** Arrays that hold a tensor's elements on the host; `bool` uses `Uint32Array` of 0 and 1. */
export type TypedArray =
  | Float32Array<ArrayBuffer>
  | Float16Array<ArrayBuffer>
  | Int32Array<ArrayBuffer>
  | Uint32Array<ArrayBuffer>
  | Uint8Array<ArrayBuffer>;

/** The number of elements of a shape; 1 for a scalar. */
export function sizeOf(shape: Shape): number {
  return shape.reduce((product, length) => product * length, 1);
}

/** Whether a type holds real numbers, so that there are derivatives. */
export function isFloat(dtype: DType): boolean {
  return dtype === "f32" || dtype === "f16";
}

/** Bytes that `size` elements take on the device: whole words of four bytes. */
export function byteLength(size: number, dtype: DType): number {
  const bytes = dtype === "u8" ? size : dtype === "f16" ? 2 * size : 4 * size;
  return Math.ceil(bytes / 4) * 4;
}

/**
 * The dtype that a typed array carries.
 *
 * @throws {TypeError} for arrays of other types, such as `Float64Array`.
 */
export function dtypeOf(data: TypedArray): DType {
  if (data instanceof Float32Array) return "f32";
  if (data instanceof Int32Array) return "i32";
  if (data instanceof Uint32Array) return "u32";
  if (data instanceof Uint8Array) return "u8";
  // The last: browsers without the class get here with nothing else.
  if (data instanceof Float16Array) return "f16";
  const type = Object.prototype.toString.call(data).slice("[object ".length, -1);
  throw new TypeError(
    `Cannot make a tensor from ${type}: Float32Array, Float16Array, Int32Array, Uint32Array or ` +
      `Uint8Array is needed`,
  );
}

/**
 * Numbers from the host as the array that a tensor or variable keeps: plain numbers become f32.
 *
 * @throws {TypeError} for lists in lists.
 */
export function hostArray(data: TypedArray | readonly number[]): TypedArray {
  if (!Array.isArray(data)) return data as TypedArray;
  const odd = data.find((value) => typeof value !== "number");
  if (odd !== undefined) {
    throw new TypeError(
      `Cannot make a tensor from a list of ${Array.isArray(odd) ? "lists" : typeof odd}: ` +
        `give the numbers in one list, and the shape beside it`,
    );
  }
  return new Float32Array(data);
}

/** A view of the first `size` elements of `bytes` as the array type of a dtype. */
export function typedArray(bytes: ArrayBuffer, size: number, dtype: DType): TypedArray {
  switch (dtype) {
    case "f32":
      return new Float32Array(bytes, 0, size);
    case "f16":
      return new Float16Array(bytes, 0, size);
    case "i32":
      return new Int32Array(bytes, 0, size);
    case "u8":
      return new Uint8Array(bytes, 0, size);
    default:
      return new Uint32Array(bytes, 0, size);
  }
}

/** Element strides of a dense row-major tensor. */
export function stridesOf(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  for (let axis = shape.length - 1, step = 1; axis >= 0; step *= shape[axis--]) {
    strides[axis] = step;
  }
  return strides;
}

/** Whether two shapes are the same. */
export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

/** A shape as error messages print it: `[2, 3]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}

/** @throws {RangeError} where a length is not a whole number of at least 1. */
export function checkShape(op: string, shape: Shape): void {
  if (!shape.every((length) => Number.isInteger(length) && length >= 1)) {
    throw new RangeError(
      `Cannot ${op} of shape ${formatShape(shape)}: every axis needs a whole length of at least 1`,
    );
  }
}

/**
 * `axis` counted from the front, where negative ones count from the back.
 *
 * @param options.rank how many axes there are to choose from; those of `shape` where left out.
 * @throws {RangeError} where there is no such axis.
 */
export function resolveAxis(
  op: string,
  axis: number,
  options: { shape: Shape; rank?: number },
): number {
  const { shape, rank = shape.length } = options;
  const resolved = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || resolved < 0 || resolved >= rank) {
    throw new RangeError(
      `Cannot ${op} tensor ${formatShape(shape)} along axis ${axis}: ` +
        (rank === 0 ? "it is a scalar" : `axes are ${-rank} to ${rank - 1}`),
    );
  }
  return resolved;
}

/**
 * Several axes counted from the front.
 *
 * @throws {RangeError} where there is no such axis, or one is named twice.
 */
export function resolveAxes(
  op: string,
  axes: readonly number[],
  options: { shape: Shape },
): number[] {
  const resolved = axes.map((axis) => resolveAxis(op, axis, options));
  if (new Set(resolved).size < resolved.length) {
    throw new RangeError(
      `Cannot ${op} tensor ${formatShape(options.shape)} along axes ${formatShape(axes)}: ` +
        `one of them is named twice`,
    );
  }
  return resolved;
}

/** @throws {RangeError} where one of the settings is not a whole number of at least `least` (1). */
export function checkWhole(
  op: string,
  settings: Readonly<Record<string, number | readonly number[]>>,
  options: { shape: Shape; least?: number },
): void {
  const { shape, least = 1 } = options;
  for (const [name, setting] of Object.entries(settings)) {
    const numbers = typeof setting === "number" ? [setting] : setting;
    if (numbers.every((value) => Number.isInteger(value) && value >= least)) continue;
    throw new RangeError(
      `Cannot ${op} tensor ${formatShape(shape)} with ${name} ` +
        `${typeof setting === "number" ? setting : formatShape(setting)}: ` +
        `whole numbers of at least ${least} are needed`,
    );
  }
}
