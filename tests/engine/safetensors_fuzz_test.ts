// Damaged and hostile files: whatever is done to a valid one, what comes out is whole, or one clear line.

import { assert, assertEquals } from "@std/assert";
import {
  decodeSafetensors,
  encodeSafetensors,
  HostGenerator,
  SafetensorsReader,
  sizeOf,
} from "../../engine/mod.ts";

const generator = new HostGenerator(2024);
const roll = (n: number): number => Math.floor(generator.uniform() * n);
const pick = <T>(from: readonly T[]): T => from[roll(from.length)];

const original = encodeSafetensors({
  "fc.weight": { dtype: "f32", shape: [3, 2], data: new Float32Array([1, 2, 3, 4, 5, 6]) },
  "fc.bias": { dtype: "f16", shape: [3], data: new Float16Array([7, 8, 9]) },
  labels: { dtype: "i32", shape: [2, 1], data: new Int32Array([-1, 1]) },
  image: { dtype: "u8", shape: [5], data: new Uint8Array([1, 2, 3, 4, 5]) },
  empty: { dtype: "u32", shape: [0, 4], data: new Uint32Array() },
}, { step: "12", note: 'a "quoted" {name}' });

const headerEnd = 8 + Number(new DataView(original.buffer).getBigUint64(0, true));

/** Pieces of JSON that readers have stumbled over. */
const FRAGMENTS = [
  ...["{", "}", "[", "]", '"', ",", ":", "\\", "\\u0000", "\\ud800", "null", "-1", "1e999", "1.5"],
  ...["9007199254740993", "18446744073709551616", "-0", "0", "true", '"dtype":"F32",'],
  ...[
    '"data_offsets":[0,24]',
    '"shape":[]',
    '"__proto__":{}',
    '"__metadata__":{}',
    '"fc.bias":{},',
  ],
  ...['"BF16"', '"I64"', '"BOOL"', '"F64"', "[[[[[[[[", '{"a":{"a":{"a":{', "\uFEFF", "  ", "\n"],
];

const LENGTHS = [0n, 1n, 7n, 8n, 100_000_000n, 100_000_001n, 2n ** 31n, 2n ** 63n, 2n ** 64n - 1n];

type Mutation = (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;

const spliced = (
  bytes: Uint8Array<ArrayBuffer>,
  at: { start: number; removed: number; inserted: Uint8Array },
): Uint8Array<ArrayBuffer> => {
  const { start, removed, inserted } = at;
  const rest = bytes.subarray(Math.min(bytes.length, start + removed));
  const result = new Uint8Array(Math.min(start, bytes.length) + inserted.length + rest.length);
  result.set(bytes.subarray(0, start));
  result.set(inserted, Math.min(start, bytes.length));
  result.set(rest, result.length - rest.length);
  return result;
};

const inHeader = (): number => 8 + roll(headerEnd - 8);

/** Declares the header's length anew after `change` bytes came or went. */
function resized(bytes: Uint8Array<ArrayBuffer>, change: number): Uint8Array<ArrayBuffer> {
  if (bytes.length < 8) return bytes;
  const view = new DataView(bytes.buffer), length = view.getBigUint64(0, true);
  view.setBigUint64(0, BigInt.asUintN(64, length + BigInt(change)), true);
  return bytes;
}

const mutations: Record<string, Mutation> = {
  "a bit of the header": (b) => {
    b[Math.min(b.length - 1, inHeader())] ^= 1 << roll(8);
    return b;
  },
  "a letter of the header": (b) => {
    b[Math.min(b.length - 1, inHeader())] = pick([...'{}[]":,\\0123456789FIUB'])!.charCodeAt(0);
    return b;
  },
  "the length": (b) => {
    if (b.length >= 8) new DataView(b.buffer).setBigUint64(0, pick(LENGTHS), true);
    return b;
  },
  "a byte of the length": (b) => {
    b[roll(Math.min(8, b.length))] = roll(256);
    return b;
  },
  "the end": (b) => b.slice(0, 1 + roll(b.length)),
  "more at the end": (b) =>
    spliced(b, { start: b.length, removed: 0, inserted: new Uint8Array(1 + roll(16)) }),
  "a fragment in the header, its length kept right": (b) => {
    const inserted = new TextEncoder().encode(pick(FRAGMENTS)), removed = roll(12);
    const start = Math.min(b.length, inHeader());
    const gone = Math.min(removed, b.length - start);
    return resized(spliced(b, { start, removed: gone, inserted }), inserted.length - gone);
  },
  "a fragment in place": (b) => {
    const inserted = new TextEncoder().encode(pick(FRAGMENTS));
    return spliced(b, { start: inHeader(), removed: inserted.length, inserted });
  },
  "a stretch of the header repeated, its length kept right": (b) => {
    const start = Math.min(b.length, inHeader());
    const inserted = b.slice(start, start + 1 + roll(80));
    return resized(spliced(b, { start, removed: 0, inserted }), inserted.length);
  },
};

/** What decoding gives, or the message that it refuses with; anything else fails the test. */
async function outcome(decode: () => unknown): Promise<unknown> {
  try {
    return await decode();
  } catch (error) {
    assert(error instanceof Error && error.constructor === Error, `${error}`);
    const { message } = error;
    assert(message.startsWith("Cannot read safetensors: "), message);
    // deno-lint-ignore no-control-regex
    assert(message.length < 600 && !/[\x00-\x1f]/.test(message), JSON.stringify(message));
    return message;
  }
}

const FILES = 20_000;

Deno.test(`${FILES} damaged files give whole tensors or one clear line`, async () => {
  let read = 0, refused = 0, slowest = 0;
  const reasons = new Set<string>();
  for (let k = 0; k < FILES; k++) {
    let bytes = original.slice();
    const names = Array.from({ length: 1 + roll(3) }, () => pick(Object.keys(mutations)));
    for (const name of names) bytes = mutations[name](bytes);
    const start = performance.now();
    const whole = await outcome(() => decodeSafetensors(bytes));
    slowest = Math.max(slowest, performance.now() - start);
    const streamed = await outcome(async () => {
      const reader = await SafetensorsReader.open(new Blob([bytes]));
      const tensors = Object.fromEntries(await Array.fromAsync(reader));
      return { tensors, metadata: reader.metadata };
    });
    if (typeof whole === "string") {
      refused++;
      reasons.add(whole.replace(/"[^ ]*"|\d+/g, "_"));
      // Reading tensors in another order may find another fault first, but never none.
      assert(typeof streamed === "string", `${names}: only ${whole}`);
      continue;
    }
    read++;
    assertEquals(streamed, whole);
    const { tensors, metadata } = whole as ReturnType<typeof decodeSafetensors>;
    for (const { shape, data } of Object.values(tensors)) assertEquals(sizeOf(shape), data.length);
    assertEquals(decodeSafetensors(encodeSafetensors(tensors, metadata)), whole);
  }
  console.log(
    `${read} read, ${refused} refused for ${reasons.size} kinds of reasons, ` +
      `the slowest after ${slowest.toFixed(1)} ms`,
  );
  assert(read > FILES / 100 && refused > FILES / 2 && reasons.size > 20);
  assert(slowest < 1000);
});
