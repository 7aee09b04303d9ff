// Safetensors files that are larger than memory: written and read one tensor at a time.

import type { TypedArray } from "./dtype.ts";
import {
  decodeHeader,
  decodeTensor,
  encodeData,
  encodeHeader,
  type Entry,
  headerLength,
  PREFIX,
  type StoredTensor,
  type TensorInfo,
} from "./safetensors_header.ts";
import { refuse } from "./safetensors_json.ts";

/** Bytes that can be read from anywhere. A `Blob` is one, and with it the `File` of a browser. */
export interface ByteSource {
  /** How many bytes there are. */
  readonly size: number;
  /** The bytes from `start` up to, but without, `end`. */
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> };
}

/** A tensor whose elements are fetched when they are about to be written. */
export interface LazyTensor extends TensorInfo {
  /** Fetches the elements. */
  load(): TypedArray | Promise<TypedArray>;
}

/**
 * A safetensors file piece by piece: the header, then each tensor, of which one at a time is in memory. The
 * bytes are those of {@linkcode encodeSafetensors}.
 *
 * @throws {Error} where a tensor's array does not have the type or the length it declares.
 *
 * @example
 * ```ts
 * import { Device, Linear, read, streamSafetensors } from "./mod.ts";
 * await Device.open();
 * const state = Object.entries(new Linear(64, 64).stateDict()).map(([name, variable]) => {
 *   const { shape } = variable;
 *   return [name, { dtype: "f32", shape, load: async () => (await read([variable]))[0] }] as const;
 * });
 * let bytes = 0;
 * for await (const piece of streamSafetensors(Object.fromEntries(state))) bytes += piece.length;
 * ```
 */
export async function* streamSafetensors(
  tensors: Readonly<Record<string, LazyTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array<ArrayBuffer>, void> {
  const header = encodeHeader(tensors, metadata);
  yield header.bytes;
  for (const name of header.names) {
    yield encodeData(name, tensors[name], await tensors[name].load());
  }
}

/**
 * An opened safetensors file: its header is read, its tensors are when they are asked for.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { encodeSafetensors, SafetensorsReader } from "./mod.ts";
 * const data = new Float32Array([1, 2]);
 * const file = new Blob([encodeSafetensors({ "fc.bias": { dtype: "f32", shape: [2], data } })]);
 * const reader = await SafetensorsReader.open(file);
 * assertEquals(reader.tensors["fc.bias"].shape, [2]);
 * for await (const [name, { data }] of reader) console.log(name, data);
 * ```
 */
export class SafetensorsReader implements AsyncIterable<readonly [string, StoredTensor]> {
  /** What the file holds, without the elements. */
  readonly tensors: Readonly<Record<string, TensorInfo>>;
  /** The file's free text by name. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #source: ByteSource;
  readonly #dataStart: number;

  private constructor(source: ByteSource, dataStart: number, json: Uint8Array) {
    const { entries, metadata } = decodeHeader(json, source.size - dataStart);
    this.tensors = Object.fromEntries(
      entries.map(({ name, dtype, shape }) => [name, { dtype, shape }]),
    );
    this.metadata = metadata;
    this.#entries = new Map(entries.map((entry) => [entry.name, entry]));
    this.#source = source;
    this.#dataStart = dataStart;
  }

  /**
   * Reads the header of a file, and checks it against the file's size.
   *
   * @throws {Error} with one line that says what is wrong, as {@linkcode decodeSafetensors} does.
   */
  static async open(source: ByteSource): Promise<SafetensorsReader> {
    const prefix = await fetchBytes(source, 0, Math.min(PREFIX, source.size));
    const start = PREFIX + headerLength(new Uint8Array(prefix), source.size);
    const json = await fetchBytes(source, PREFIX, start);
    return new SafetensorsReader(source, start, new Uint8Array(json));
  }

  /**
   * Reads one tensor.
   *
   * @throws {RangeError} where the file has none of that name.
   * @throws {Error} where the file was cut short since it was opened, or holds what its type here does not.
   */
  async read(name: string): Promise<StoredTensor> {
    const entry = this.#entries.get(name);
    if (entry === undefined) throw new RangeError(`Cannot read tensor "${name}": there is none`);
    const start = this.#dataStart;
    return decodeTensor(
      entry,
      await fetchBytes(this.#source, start + entry.begin, start + entry.end),
    );
  }

  /** Every name and tensor, in the order of the file, each read when it is its turn. */
  async *[Symbol.asyncIterator](): AsyncGenerator<readonly [string, StoredTensor], void> {
    const inOrder = [...this.#entries.values()].sort((a, b) => a.begin - b.begin || a.end - b.end);
    for (const { name } of inOrder) yield [name, await this.read(name)];
  }
}

async function fetchBytes(source: ByteSource, start: number, end: number): Promise<ArrayBuffer> {
  const bytes = await source.slice(start, end).arrayBuffer();
  if (bytes.byteLength !== end - start) {
    refuse(`${bytes.byteLength} of the ${end - start} bytes from byte ${start} on could be read`);
  }
  return bytes;
}
