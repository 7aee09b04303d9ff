// The safetensors file format: 8 bytes of header length (little-endian), a JSON header, and the
// tensors' bytes one after the other. https://github.com/huggingface/safetensors#format
//
// A header is believed only after everything it says has been checked against the file: whoever
// made the file may have meant harm, or the disk may have been full.

import { type DType, dtypeOf, formatShape, type Shape, sizeOf, type TypedArray } from "./dtype.ts";

/** The element types that can be stored. */
export type StoredDType = Exclude<DType, "bool">;

/** One tensor of a file: its elements in row-major order. */
export interface StoredTensor {
  readonly dtype: StoredDType;
  readonly shape: Shape;
  readonly data: TypedArray;
}

/** What a file holds: tensors by name, and free text by name. */
export interface SafetensorsFile {
  readonly tensors: Record<string, StoredTensor>;
  readonly metadata: Record<string, string>;
}

const FORMATS = {
  F32: { dtype: "f32", array: Float32Array },
  I32: { dtype: "i32", array: Int32Array },
  U32: { dtype: "u32", array: Uint32Array },
  U8: { dtype: "u8", array: Uint8Array },
} as const;

type FormatName = keyof typeof FORMATS;

const METADATA = "__metadata__";

/** The reference implementation's own limit, in bytes. */
const MAX_HEADER = 100_000_000;

/**
 * Encodes tensors as a safetensors file. The same tensors give the same bytes in whatever order
 * they come: wide elements first, so that all are aligned, then by name.
 *
 * @throws {Error} where a tensor's array does not have the type or the length it declares.
 *
 * @example
 * ```ts
 * import { decodeSafetensors, encodeSafetensors } from "./safetensors.ts";
 * const data = new Float32Array([1, 2]);
 * const bytes = encodeSafetensors({ "fc.bias": { dtype: "f32", shape: [2], data } }, { step: "7" });
 * decodeSafetensors(bytes).tensors["fc.bias"].data; // Float32Array [1, 2]
 * ```
 */
export function encodeSafetensors(
  tensors: Readonly<Record<string, StoredTensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const names = Object.keys(tensors).sort((a, b) =>
    tensors[b].data.BYTES_PER_ELEMENT - tensors[a].data.BYTES_PER_ELEMENT || (a < b ? -1 : 1)
  );
  const entries: [string, unknown][] = [];
  if (Object.keys(metadata).length > 0) entries.push([METADATA, metadata]);
  let end = 0;
  for (const name of names) {
    const begin = end;
    end += tensors[name].data.byteLength;
    entries.push([name, {
      dtype: formatOf(name, tensors[name]),
      shape: tensors[name].shape,
      data_offsets: [begin, end],
    }]);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
  const headerLength = Math.ceil(json.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + end);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, 8, 8 + headerLength).set(json, 8);
  let at = 8 + headerLength;
  for (const name of names) {
    const { data } = tensors[name];
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at);
    at += data.byteLength;
  }
  return bytes;
}

function formatOf(name: string, { dtype, shape, data }: StoredTensor): FormatName {
  if (name === METADATA) throw new Error(`Cannot write a tensor named ${METADATA}: it is reserved`);
  const format = (Object.keys(FORMATS) as FormatName[]).find((f) => FORMATS[f].dtype === dtype);
  if (format === undefined || dtypeOf(data) !== dtype) {
    throw new Error(
      `Cannot write tensor "${name}" as ${dtype}: its data is ${data.constructor.name}`,
    );
  }
  if (sizeOf(shape) !== data.length) {
    throw new Error(
      `Cannot write tensor "${name}" ${formatShape(shape)}: ` +
        `${sizeOf(shape)} elements vs ${data.length}`,
    );
  }
  return format;
}

/**
 * Decodes a safetensors file. The arrays are copies: nothing keeps `bytes` alive.
 *
 * @throws {Error} with one line that says what is wrong, for every file that is not exactly as the
 * format wants it: cut short, with bytes left over, gaps, overlaps, a name twice, or a type that
 * {@link StoredDType} lacks.
 */
export function decodeSafetensors(bytes: Uint8Array): SafetensorsFile {
  const { header, dataStart } = readHeader(bytes);
  const metadata = readMetadata(header.get(METADATA));
  header.delete(METADATA);
  const dataLength = bytes.byteLength - dataStart;
  const entries = [...header].map(([name, value]) => readEntry(name, value, dataLength));
  checkCoverage(entries, dataLength);
  const tensors = entries.map(({ name, format, shape, begin, end }) => {
    const { dtype, array } = FORMATS[format];
    const data = new array(bytes.slice(dataStart + begin, dataStart + end).buffer);
    return [name, { dtype, shape, data }] as const;
  });
  return { tensors: Object.fromEntries(tensors), metadata };
}

interface Entry {
  readonly name: string;
  readonly format: FormatName;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

function refuse(reason: string): never {
  throw new Error(`Cannot read safetensors: ${reason}`);
}

function readHeader(bytes: Uint8Array): { header: Map<string, unknown>; dataStart: number } {
  if (bytes.byteLength < 8) refuse(`${bytes.byteLength} bytes are too few for a header`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const declared = view.getBigUint64(0, true);
  if (declared > BigInt(MAX_HEADER)) {
    refuse(`the header claims ${declared} bytes, more than the format's limit of ${MAX_HEADER}`);
  }
  const length = Number(declared);
  if (8 + length > bytes.byteLength) {
    refuse(
      `the header claims ${length} bytes, the file has ${bytes.byteLength - 8} after its length`,
    );
  }
  let text: string, value: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes.subarray(8, 8 + length));
    value = JSON.parse(text);
  } catch {
    refuse("the header is not JSON in UTF-8");
  }
  if (!isRecord(value) || !text.startsWith("{")) refuse("the header is not a JSON object");
  const twice = duplicateKey(text);
  if (twice !== undefined) refuse(`the header has ${JSON.stringify(twice)} twice`);
  return { header: new Map(Object.entries(value)), dataStart: 8 + length };
}

function readMetadata(value: unknown): Record<string, string> {
  if (value === undefined) return {};
  if (!isRecord(value)) refuse(`${METADATA} is not a JSON object`);
  return Object.fromEntries(
    Object.entries(value).map(([key, text]) =>
      typeof text === "string"
        ? [key, text]
        : refuse(`${METADATA} has something other than text at ${JSON.stringify(key)}`)
    ),
  );
}

function readEntry(name: string, value: unknown, dataLength: number): Entry {
  const at = `tensor ${JSON.stringify(name)}`;
  if (!isRecord(value)) refuse(`${at} is not a JSON object`);
  const { dtype, shape, data_offsets: offsets, ...rest } = value;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) refuse(`${at} has an unknown key ${JSON.stringify(unknown)}`);
  if (typeof dtype !== "string" || !Object.hasOwn(FORMATS, dtype)) {
    refuse(
      `${at} has type ${JSON.stringify(dtype)}; ${Object.keys(FORMATS).join(", ")} can be read`,
    );
  }
  if (!isCounts(shape)) refuse(`${at} has a shape that is not a list of whole numbers from 0 on`);
  if (!isCounts(offsets) || offsets.length !== 2) refuse(`${at} has no pair of data_offsets`);
  const [begin, end] = offsets, format = dtype as FormatName;
  if (begin > end) refuse(`${at} ends at byte ${end}, before its beginning at ${begin}`);
  if (end > dataLength) refuse(`${at} ends at byte ${end}, the file's data at ${dataLength}`);
  const size = shape.reduce((a, b) => a * b, FORMATS[format].array.BYTES_PER_ELEMENT);
  if (size !== end - begin) {
    refuse(`${at}, ${dtype} ${formatShape(shape)}, needs ${size} bytes, but has ${end - begin}`);
  }
  return { name, format, shape, begin, end };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkCoverage(entries: readonly Entry[], dataLength: number): void {
  let at = 0, before = "the beginning";
  for (
    const { name, begin, end } of entries.toSorted((a, b) => a.begin - b.begin || a.end - b.end)
  ) {
    const label = `tensor ${JSON.stringify(name)}`;
    if (begin < at) refuse(`${label} overlaps ${before}`);
    if (begin > at) refuse(`${begin - at} bytes between ${before} and ${label} belong to nothing`);
    at = end;
    before = label;
  }
  if (at < dataLength) refuse(`${dataLength - at} bytes after ${before} belong to nothing`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/**
 * The first key that an object of valid JSON text has twice. `JSON.parse` keeps the last and says
 * nothing, so two readers of one file could see different tensors under the same name.
 */
function duplicateKey(text: string): string | undefined {
  const seen: Set<string>[] = [];
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "{") seen.push(new Set());
    else if (text[at] === "}") seen.pop();
    else if (text[at] === '"') {
      const start = at++;
      while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
      let next = at + 1;
      while (" \t\r\n".includes(text[next])) next++;
      if (text[next] !== ":") continue;
      const key: string = JSON.parse(text.slice(start, at + 1));
      const keys = seen[seen.length - 1];
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return undefined;
}
