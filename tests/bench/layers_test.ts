import { assertAlmostEquals } from "@std/assert";
import { roofOf } from "../../bench/layers.ts";

Deno.test("a product's roof is lower where much memory is passed over, and by less where the two overlap", () => {
  const rates = { product: 50, read: 20, written: 10 };
  // 2 ms of operations, 0.2 ms of reading and 0.3 ms of writing.
  const work = { flops: 1e8, read: 4e6, written: 3e6 };
  assertAlmostEquals(roofOf(work, { cpu: true, ...rates }), 0.8, 1e-12);
  assertAlmostEquals(roofOf(work, { cpu: false, ...rates }), 1, 1e-12);
  assertAlmostEquals(roofOf({ ...work, written: 3.8e7 }, { cpu: false, ...rates }), 0.5, 1e-12);
});
