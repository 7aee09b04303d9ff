import { assertEquals } from "@std/assert";
import { copies, copyOf, passOver } from "../../bench/traffic.ts";
import { Device, read, tensor } from "../../engine/mod.ts";

await Device.open();

Deno.test("The copies that set the roof copy", async () => {
  const numbers = Float32Array.from({ length: 16 * 77 }, (_, i) => Math.sin(i));
  const results = await read(copies.map((way) => copyOf(tensor(numbers), way)));
  for (const result of results) assertEquals(result, numbers);
});

Deno.test("The passes that set a layer's roof read all numbers, and write all", async () => {
  const numbers = Float32Array.from({ length: 8 * 64 * 3 }, (_, i) => i % 11);
  const source = tensor(numbers);
  const [sums, written] = await read([
    passOver(source, { type: "read", each: 8, lanes: 64 }),
    passOver(source, { type: "write", each: 8, lanes: 64 }),
  ]);
  const total = (x: ArrayLike<number>): number => Array.from(x).reduce((a, b) => a + b, 0);
  assertEquals([sums.length, total(sums)], [64 * 3, total(numbers)]);
  // Thread 64 k + lane writes 512 k + lane + 64 i with 64 k + lane + i.
  const wanted = numbers.map((_, at) =>
    Math.floor(at / 512) * 64 + at % 64 + Math.floor(at % 512 / 64)
  );
  assertEquals(written, wanted);
});
