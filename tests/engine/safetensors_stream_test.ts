import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  type ByteSource,
  decodeSafetensors,
  encodeSafetensors,
  type LazyTensor,
  SafetensorsReader,
  streamSafetensors,
  type TypedArray,
} from "../../engine/mod.ts";

/** An open file as a source that keeps the largest stretch it was asked for. */
class FileSource implements ByteSource {
  largest = 0;
  constructor(readonly file: Deno.FsFile, readonly size: number) {}

  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> } {
    this.largest = Math.max(this.largest, end - start);
    return {
      arrayBuffer: async () => {
        const bytes = new Uint8Array(end - start);
        await this.file.seek(start, Deno.SeekMode.Start);
        let at = 0;
        for (let read: number | null = 0; read !== null && at < bytes.length; at += read ?? 0) {
          read = await this.file.read(bytes.subarray(at));
        }
        return bytes.buffer.slice(0, at);
      },
    };
  }
}

const blob = (bytes: Uint8Array<ArrayBuffer>): Blob => new Blob([bytes]);

const small = {
  a: { dtype: "f32", shape: [2], data: new Float32Array([1, 2]) },
  b: { dtype: "f16", shape: [3], data: new Float16Array([3, 4, 5]) },
  none: { dtype: "i32", shape: [0], data: new Int32Array() },
} as const;

function lazy(tensors: typeof small): Record<string, LazyTensor> {
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { dtype, shape, data }]) => [
      name,
      { dtype, shape, load: () => data as TypedArray },
    ]),
  );
}

Deno.test("a large file is written and read one tensor at a time", async () => {
  const path = await Deno.makeTempFile();
  try {
    const length = 2 ** 20, count = 24;
    let alive = 0;
    const numbers = (k: number): Float32Array<ArrayBuffer> =>
      Float32Array.from({ length }, (_, i) => k + i / length);
    const tensors: Record<string, LazyTensor> = {};
    for (let k = 0; k < count; k++) {
      tensors[`t${k}`] = {
        dtype: "f32",
        shape: [1024, 1024],
        load: () => {
          alive++;
          return Promise.resolve(numbers(k));
        },
      };
    }
    using file = await Deno.open(path, { read: true, write: true });
    let pieces = 0;
    for await (const piece of streamSafetensors(tensors, { format: "pt" })) {
      // Each tensor is loaded only when the one before has been taken.
      assertEquals(alive, pieces++);
      for (let at = 0; at < piece.length;) at += await file.write(piece.subarray(at));
    }
    assertEquals(pieces, count + 1);

    const source = new FileSource(file, (await file.stat()).size);
    assert(source.size > count * 4 * length);
    const reader = await SafetensorsReader.open(source);
    assertEquals(reader.metadata, { format: "pt" });
    assertEquals(reader.tensors.t7, { dtype: "f32", shape: [1024, 1024] });
    assert(source.largest < 10_000, "opening reads the header alone");
    let read = 0;
    for await (const [name, { data }] of reader) {
      const k = Number(name.slice(1));
      assertEquals([data.length, data[0], data[length / 2]], [length, k, k + 0.5]);
      read++;
    }
    assertEquals([read, source.largest], [count, 4 * length]);
    assertEquals((await reader.read("t3")).data[length / 4], 3.25);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a stream has the bytes that encoding at once has, and is read back alike", async () => {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of streamSafetensors(lazy(small), { step: "1" })) pieces.push(piece);
  const whole = encodeSafetensors(small, { step: "1" });
  assertEquals(new Uint8Array(await new Blob(pieces).arrayBuffer()), whole);
  const reader = await SafetensorsReader.open(blob(whole));
  const tensors = Object.fromEntries(await Array.fromAsync(reader));
  assertEquals({ tensors, metadata: reader.metadata }, decodeSafetensors(whole));
});

Deno.test("what a reader lacks, and what a loader gives wrongly, is named", async () => {
  const bytes = encodeSafetensors(small);
  const reader = await SafetensorsReader.open(blob(bytes));
  await assertRejects(() => reader.read("c"), RangeError, '"c": there is none');
  await assertRejects(() => reader.read("toString"), RangeError, "there is none");
  await assertRejects(() => SafetensorsReader.open(blob(bytes.slice(0, 5))), Error, "5 bytes");
  const broken = { ...lazy(small), a: { dtype: "f32", shape: [3], load: () => small.a.data } };
  await assertRejects(
    () => Array.fromAsync(streamSafetensors(broken as Record<string, LazyTensor>)),
    Error,
    "3 elements vs 2",
  );
  // Cut short after it was opened: the size is what it was.
  const cut = { size: bytes.length, slice: (a: number, b: number) => blob(bytes.slice(a, b - 1)) };
  await assertRejects(() => SafetensorsReader.open(cut), Error, "of the 8 bytes from byte 0");
});
