import { assertEquals, assertThrows } from "@std/assert";
import { digits, median, ratios, spread } from "../../bench/statistics.ts";

Deno.test("The median is the middle one, or halfway between the two in the middle", () => {
  assertEquals(median([30, 10, 20]), 20);
  assertEquals(median([4, 1, 3, 2]), 2.5);
  assertThrows(() => median([]), RangeError, "no numbers");
});

Deno.test("A spread does not depend on the order, nor changes it", () => {
  const times = [5, 1, 9, 3];
  assertEquals(spread(times), { min: 1, median: 4, max: 9 });
  assertEquals(times, [5, 1, 9, 3]);
});

Deno.test("Ratios are taken round by round, without the rounds in which the other failed", () => {
  // The machine was twice as slow in the second round, for both: the ratio of medians would be 1.75.
  assertEquals(ratios([10, 20, 10], [30, 60, undefined]), { rounds: [3, 3], median: 3 });
  assertEquals(ratios([10], [undefined]), undefined);
});

Deno.test("Three digits count", () => {
  assertEquals([1234.5, 123.45, 1.2345, 0.012345, 0].map(digits), [
    "1235",
    "123",
    "1.23",
    "0.0123",
    "0",
  ]);
});
