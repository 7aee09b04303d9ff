// The safetensors file format: 8 bytes of header length (little-endian), a JSON header, and the
// tensors' bytes one after the other. https://github.com/huggingface/safetensors#format

import {
  decodeHeader,
  decodeTensor,
  encodeData,
  encodeHeader,
  headerLength,
  PREFIX,
  type StoredTensor,
} from "./safetensors_header.ts";

export { type StoredDType, type StoredTensor, type TensorInfo } from "./safetensors_header.ts";
export {
  type ByteSource,
  type LazyTensor,
  SafetensorsReader,
  streamSafetensors,
} from "./safetensors_stream.ts";

/** What a file holds: tensors by name, and free text by name. */
export interface SafetensorsFile {
  /** The tensors by name. */
  readonly tensors: Record<string, StoredTensor>;
  /** Free text by name. */
  readonly metadata: Record<string, string>;
}

/**
 * Encodes tensors as a safetensors file. The same tensors give the same bytes in whatever order
 * they come: wide elements first, so that all are aligned, then by name.
 *
 * @throws {Error} where a tensor's array does not have the type or the length it declares.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { decodeSafetensors, encodeSafetensors } from "./mod.ts";
 * const data = new Float32Array([1, 2]);
 * const bytes = encodeSafetensors({ "fc.bias": { dtype: "f32", shape: [2], data } }, { step: "7" });
 * assertEquals(decodeSafetensors(bytes).tensors["fc.bias"].data, data);
 * ```
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header = encodeHeader(tensors, metadata);
  const bytes = new Uint8Array(header.bytes.length + header.dataLength);
  bytes.set(header.bytes);
  let at = header.bytes.length;
  for (const name of header.names) {
    const data = encodeData(name, tensors[name], tensors[name].data);
    bytes.set(data, at);
    at += data.length;
  }
  return bytes;
}

/**
 * Decodes a safetensors file. The arrays are copies: nothing keeps `bytes` alive. Types that tensors do not
 * have are read as those that hold their numbers exactly: BF16 as f32, I64 as i32, BOOL as u8 of 0 and 1.
 *
 * @throws {Error} with one line that says what is wrong, for every file that is not exactly as the
 * format wants it: cut short, with bytes left over, gaps, overlaps, a name twice, an unknown type, or a number
 * that its type here does not hold.
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const length = headerLength(bytes.subarray(0, PREFIX), bytes.length);
  const start = PREFIX + length;
  const { entries, metadata } = decodeHeader(bytes.subarray(PREFIX, start), bytes.length - start);
  const tensors = entries.map((entry) => {
    // Not bytes.slice, which gives Node's Buffers a view of their own memory.
    const own = new Uint8Array(bytes.subarray(start + entry.begin, start + entry.end));
    return [entry.name, decodeTensor(entry, own.buffer)] as const;
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}
