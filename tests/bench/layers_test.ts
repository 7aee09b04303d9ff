import { assertAlmostEquals } from "@std/assert";
import { roofOf } from "../../bench/layers.ts";

Deno.test("a product's roof is lower where much memory is passed over, and by less where the two overlap", () => {
  const rates = { product: 50, copy: 10 };
  // 2 ms of operations and 0.5 ms of copying.
  const work = { flops: 1e8, bytes: 5e6 };
  assertAlmostEquals(roofOf(work, { cpu: true, ...rates }), 0.8, 1e-12);
  assertAlmostEquals(roofOf(work, { cpu: false, ...rates }), 1, 1e-12);
  assertAlmostEquals(roofOf({ ...work, bytes: 4e7 }, { cpu: false, ...rates }), 0.5, 1e-12);
});
