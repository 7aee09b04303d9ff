import { assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { compile, Generator, read, type TypedArray } from "../../engine/mod.ts";
import { device } from "./device.ts";

await device();

Deno.test("uniform numbers are the known words of Philox 4x32-10 for counter and key zero", async () => {
  // Random123's known-answer test vector.
  const words = [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8];
  const random = new Generator(0);
  const [numbers] = await read([compile(() => random.uniform([4]))()]);
  assertEquals([...numbers], words.map((word) => (word >>> 8) / 2 ** 24));
});

Deno.test("normal numbers have mean 0, variance 1, and the tails of a normal distribution", async () => {
  const n = 200_000;
  const random = new Generator(5);
  const [x] = await read([compile(() => random.normal([n]))()]);
  const moment = (k: number): number => [...x].reduce((sum, value) => sum + value ** k, 0) / n;
  assertAlmostEquals(moment(1), 0, 0.01);
  assertAlmostEquals(moment(2), 1, 0.02);
  assertAlmostEquals(moment(3), 0, 0.05);
  assertAlmostEquals(moment(4), 3, 0.15);
});

Deno.test("draws of one step differ, and so do those of the next", async () => {
  const random = new Generator(5);
  const step = compile(() => [random.uniform([8]), random.uniform([8]), random.normal([8])]);
  const [a, b, c] = await read(step());
  assertNotEquals(a, b);
  assertNotEquals(b, c);
  const [d] = await read(step());
  assertNotEquals(a, d);
  assertEquals((await read([random.state]))[0][2], 6);
});

Deno.test("a stream continues exactly from its saved state", async () => {
  const draw = async (random: Generator, times: number): Promise<TypedArray[]> => {
    const step = compile(() => random.normal([5]));
    const out: TypedArray[] = [];
    for (let i = 0; i < times; i++) out.push((await read([step()]))[0]);
    return out;
  };
  const whole = await draw(new Generator(9), 4);
  const first = new Generator(9);
  await draw(first, 2);
  const resumed = new Generator(0);
  resumed.state.set((await read([first.state]))[0]);
  assertEquals(await draw(resumed, 2), whole.slice(2));
});

Deno.test("whole numbers are evenly spread over their range", async () => {
  const random = new Generator(3);
  const [x] = await read([compile(() => random.randint(5, [10_000]))()]);
  const counts = [0, 0, 0, 0, 0];
  x.forEach((value) => counts[value]++);
  counts.forEach((count) => assertAlmostEquals(count, 2000, 200));
});

Deno.test("a seed that is no whole number is refused", () => {
  assertThrows(() => new Generator(-1), RangeError, "Cannot seed a generator with -1");
});
