import { assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { HostGenerator, philox4x32 } from "../../engine/nn/mod.ts";

Deno.test("philox gives the known answers of its authors' library", () => {
  assertEquals(
    philox4x32([0, 0, 0, 0], [0, 0]),
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  );
  const ones = 0xffffffff;
  assertEquals(
    philox4x32([ones, ones, ones, ones], [ones, ones]),
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  );
  assertEquals(
    philox4x32([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0]),
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  );
});

Deno.test("a generator's stream depends on the whole seed and on nothing else", () => {
  const draw = (seed: number) => {
    const generator = new HostGenerator(seed);
    return Array.from({ length: 9 }, () => generator.uint32());
  };
  assertEquals(draw(7), draw(7));
  assertNotEquals(draw(7), draw(8));
  assertNotEquals(draw(7), draw(7 + 2 ** 32));
  assertEquals(draw(0).slice(0, 4), [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
});

Deno.test("a seed that is not a whole number from 0 on is refused", () => {
  for (const seed of [-1, 0.5, NaN, 2 ** 53]) {
    assertThrows(() => new HostGenerator(seed), RangeError, String(seed));
  }
});

Deno.test("uniform numbers fill [0, 1) evenly, normal ones have mean 0, variance 1 and kurtosis 3", () => {
  const generator = new HostGenerator(3), count = 40_000;
  const bins = new Array<number>(10).fill(0);
  for (let i = 0; i < count; i++) bins[Math.floor(generator.uniform() * 10)]++;
  // 5 standard deviations of a bin's count are 300.
  for (const bin of bins) assertAlmostEquals(bin, count / 10, 300);
  const power = [0, 0, 0, 0, 0];
  for (let i = 0; i < count; i++) {
    const value = generator.normal();
    for (let k = 1; k <= 4; k++) power[k] += value ** k / count;
  }
  assertAlmostEquals(power[1], 0, 5 / Math.sqrt(count));
  assertAlmostEquals(power[2], 1, 5 * Math.sqrt(2 / count));
  assertAlmostEquals(power[4], 3, 5 * Math.sqrt(96 / count));
});
