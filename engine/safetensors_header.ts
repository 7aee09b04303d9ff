// The header of a safetensors file: where each tensor lies. It is believed only after everything it says has
// been checked against the file: whoever made the file may have meant harm, or the disk may have been full.

import { type DType, dtypeOf, formatShape, type Shape, sizeOf, type TypedArray } from "./dtype.ts";
import { isRecord, parseObject, quote, refuse } from "./safetensors_json.ts";

/** The element types that can be stored. */
export type StoredDType = Exclude<DType, "bool">;

/** One tensor of a file: its elements in row-major order. */
export interface StoredTensor {
  /** The type of the elements. */
  readonly dtype: StoredDType;
  /** The lengths of the axes. */
  readonly shape: Shape;
  /** The elements, in an array of that type. */
  readonly data: TypedArray;
}

/** What of a tensor is known without its elements. */
export type TensorInfo = Pick<StoredTensor, "dtype" | "shape">;

/** Where a tensor lies in the data, which begins after the header. */
export interface Entry extends TensorInfo {
  readonly name: string;
  readonly format: FormatName;
  readonly begin: number;
  readonly end: number;
}

/** What a header says. */
export interface Header {
  readonly entries: readonly Entry[];
  readonly metadata: Record<string, string>;
}

interface Format {
  readonly dtype: StoredDType;
  /** Bytes of an element in the file. */
  readonly bytes: number;
  readonly decode: (buffer: ArrayBuffer, name: string) => TypedArray;
}

const FORMATS = {
  F32: { dtype: "f32", bytes: 4, decode: (buffer) => new Float32Array(buffer) },
  F16: { dtype: "f16", bytes: 2, decode: (buffer) => new Float16Array(buffer) },
  I32: { dtype: "i32", bytes: 4, decode: (buffer) => new Int32Array(buffer) },
  U32: { dtype: "u32", bytes: 4, decode: (buffer) => new Uint32Array(buffer) },
  U8: { dtype: "u8", bytes: 1, decode: (buffer) => new Uint8Array(buffer) },
  // Read only: types without arrays here become the smallest type that holds their numbers exactly.
  BF16: { dtype: "f32", bytes: 2, decode: fromBrainFloats },
  I64: { dtype: "i32", bytes: 8, decode: fromLongs },
  BOOL: { dtype: "u8", bytes: 1, decode: fromBooleans },
} as const satisfies Record<string, Format>;

type FormatName = keyof typeof FORMATS;

const METADATA = "__metadata__";

/** Bytes of the header's length, which a file begins with. */
export const PREFIX = 8;

/** The reference implementation's own limit, in bytes. */
const MAX_HEADER = 100_000_000;
const MAX_RANK = 32;

/** A header for tensors, padded so that the data begins aligned, and the order the data has to come in. */
export function encodeHeader(
  tensors: Readonly<Record<string, TensorInfo>>,
  metadata: Readonly<Record<string, string>>,
): { bytes: Uint8Array<ArrayBuffer>; names: readonly string[]; dataLength: number } {
  const formats = new Map(
    Object.entries(tensors).map(([name, { dtype }]) => [name, formatOf(name, dtype)]),
  );
  const bytesOf = (name: string): number => FORMATS[formats.get(name)!].bytes;
  const names = [...formats.keys()].sort((a, b) => bytesOf(b) - bytesOf(a) || (a < b ? -1 : 1));
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push([METADATA, metadata]);
  let end = 0;
  for (const name of names) {
    const begin = end, { shape } = tensors[name];
    end += sizeOf(shape) * bytesOf(name);
    entries.push([name, { dtype: formats.get(name), shape, data_offsets: [begin, end] }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const length = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(PREFIX + length).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true);
  bytes.set(json, PREFIX);
  return { bytes, names, dataLength: end };
}

function formatOf(name: string, dtype: DType): FormatName {
  if (name === METADATA) throw new Error(`Cannot write a tensor named ${METADATA}: it is reserved`);
  const format = (Object.keys(FORMATS) as FormatName[]).find((f) => FORMATS[f].dtype === dtype);
  if (format === undefined) throw new Error(`Cannot write tensor ${quote(name)} as ${dtype}`);
  return format;
}

/** The bytes of a tensor's elements, if they are what they are said to be. */
export function encodeData(
  name: string,
  { dtype, shape }: TensorInfo,
  data: TypedArray,
): Uint8Array<ArrayBuffer> {
  if (dtypeOf(data) !== dtype) {
    throw new Error(
      `Cannot write tensor ${quote(name)} as ${dtype}: its data is ${data.constructor.name}`,
    );
  }
  if (sizeOf(shape) !== data.length) {
    throw new Error(
      `Cannot write tensor ${quote(name)} ${formatShape(shape)}: ` +
        `${sizeOf(shape)} elements vs ${data.length}`,
    );
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** The tensor that an entry describes, from its own bytes, whose memory it takes over. */
export function decodeTensor(entry: Entry, buffer: ArrayBuffer): StoredTensor {
  const { dtype, shape, format, name } = entry;
  return { dtype, shape, data: FORMATS[format].decode(buffer, name) };
}

function fromBrainFloats(buffer: ArrayBuffer): Float32Array<ArrayBuffer> {
  const words = Uint32Array.from(new Uint16Array(buffer), (upper) => upper << 16);
  return new Float32Array(words.buffer);
}

function fromLongs(buffer: ArrayBuffer, name: string): Int32Array<ArrayBuffer> {
  return Int32Array.from(new BigInt64Array(buffer), (value) => {
    if (BigInt.asIntN(32, value) !== value) {
      refuse(`tensor ${quote(name)} has ${value}, which i32 does not hold`);
    }
    return Number(value);
  });
}

function fromBooleans(buffer: ArrayBuffer, name: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(buffer);
  const odd = bytes.find((value) => value > 1);
  if (odd !== undefined) refuse(`tensor ${quote(name)} is BOOL, but has ${odd} for an element`);
  return bytes;
}

/** The length of the header, from the file's first bytes and its size. */
export function headerLength(prefix: Uint8Array, fileSize: number): number {
  if (prefix.length < PREFIX) refuse(`${prefix.length} bytes are too few for a header`);
  const view = new DataView(prefix.buffer, prefix.byteOffset, prefix.byteLength);
  const declared = view.getBigUint64(0, true);
  if (declared > BigInt(MAX_HEADER)) {
    refuse(`the header claims ${declared} bytes, more than the format's limit of ${MAX_HEADER}`);
  }
  const length = Number(declared);
  if (PREFIX + length > fileSize) {
    refuse(
      `the header claims ${length} bytes, the file has ${fileSize - PREFIX} after its length`,
    );
  }
  return length;
}

/**
 * Decodes a header's JSON.
 *
 * @param dataLength bytes of the file after the header.
 * @throws {Error} where it is not exactly as the format wants it, or does not fit the data.
 */
export function decodeHeader(json: Uint8Array, dataLength: number): Header {
  const { [METADATA]: metadata, ...tensors } = parseObject(json);
  const entries = Object.entries(tensors).map(([name, entry]) =>
    readEntry(name, entry, dataLength)
  );
  checkCoverage(entries, dataLength);
  return { entries, metadata: readMetadata(metadata) };
}

function readMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) refuse(`${METADATA} is not a JSON object`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") {
      refuse(`${METADATA} has something other than text at ${quote(key)}`);
    }
  }
  return value as Record<string, string>;
}

function readEntry(name: string, value: unknown, dataLength: number): Entry {
  const at = `tensor ${quote(name)}`;
  if (!isRecord(value)) refuse(`${at} is not a JSON object`);
  const { dtype: type, shape, data_offsets: offsets, ...rest } = value;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) refuse(`${at} has an unknown key ${quote(unknown)}`);
  if (typeof type !== "string" || !Object.hasOwn(FORMATS, type)) {
    const found = typeof type === "string" ? quote(type) : "that is no text";
    refuse(`${at} has type ${found}; ${Object.keys(FORMATS).join(", ")} can be read`);
  }
  if (!isCounts(shape)) refuse(`${at} has a shape that is not a list of whole numbers from 0 on`);
  if (shape.length > MAX_RANK) refuse(`${at} has ${shape.length} axes, more than ${MAX_RANK}`);
  if (!isCounts(offsets) || offsets.length !== 2) refuse(`${at} has no pair of data_offsets`);
  const [begin, end] = offsets, format = type as FormatName, { dtype, bytes } = FORMATS[format];
  if (begin > end) refuse(`${at} ends at byte ${end}, before its beginning at ${begin}`);
  if (end > dataLength) refuse(`${at} ends at byte ${end}, the file's data at ${dataLength}`);
  const size = sizeOf(shape) * bytes;
  if (size !== end - begin) {
    refuse(`${at}, ${type} ${formatShape(shape)}, needs ${size} bytes, but has ${end - begin}`);
  }
  return { name, dtype, format, shape, begin, end };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkCoverage(entries: readonly Entry[], dataLength: number): void {
  let at = 0, before = "the beginning";
  for (
    const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)
  ) {
    const label = `tensor ${quote(name)}`;
    if (begin < at) refuse(`${label} overlaps ${before}`);
    if (begin > at) refuse(`${begin - at} bytes between ${before} and ${label} belong to nothing`);
    at = end;
    before = label;
  }
  if (at < dataLength) refuse(`${dataLength - at} bytes after ${before} belong to nothing`);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}
