import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { noiseOf } from "../../training/noise.ts";

const LENGTH = 5000;

Deno.test("Truncated noise stays within the threshold, and is spread as the truncated normal is", () => {
  const z = noiseOf(7, LENGTH, { truncation: 0.5 });
  assert(z.every((x) => Math.abs(x) <= 0.5));
  // Of N(0, 1) within [-t, t] the variance is 1 - 2 t phi(t) / (2 Phi(t) - 1): 0.0807 for t = 0.5.
  const mean = z.reduce((sum, x) => sum + x, 0) / LENGTH;
  const variance = z.reduce((sum, x) => sum + (x - mean) ** 2, 0) / LENGTH;
  assertAlmostEquals(mean, 0, 0.015);
  assertAlmostEquals(variance, 0.0807, 0.004);
});

Deno.test("Noise depends on the seed, the attempt and the threshold alone, and a wide one changes nothing", () => {
  assertEquals(noiseOf(3, 10, { truncation: 0.7 }), noiseOf(3, 10, { truncation: 0.7 }));
  assertEquals(noiseOf(3, 10, { truncation: 40 }), noiseOf(3, 10));
  assertEquals(noiseOf(3, 10, { attempt: 0 }), noiseOf(3, 10));
  assertNotEquals(noiseOf(3, 10, { attempt: 1 }), noiseOf(3, 10));
  assertNotEquals(noiseOf(4, 10), noiseOf(3, 10));
  // Attempts are stretches of one stream.
  assertEquals([...noiseOf(3, 5), ...noiseOf(3, 5, { attempt: 1 })], [...noiseOf(3, 10)]);
  assertThrows(() => noiseOf(3, 10, { truncation: 0 }), RangeError, "above 0");
});
