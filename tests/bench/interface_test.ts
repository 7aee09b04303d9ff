import { assert, assertEquals } from "@std/assert";
import { formatInterface, measureInterface, quartiles } from "../../bench/interface.ts";
import { Device } from "../../engine/mod.ts";

Deno.test("The interface of plugins is measured against the step by hand: as many kernels, the same results", async () => {
  await Device.open();
  const report = await measureInterface({ batch: 4, steps: 2 });
  assertEquals(report.plugins.dispatches, report.by_hand.dispatches);
  assertEquals([report.same_results, report.ratio.pairs], [true, 2]);
  const { min, median, max, quartiles: [low, high] } = report.ratio;
  assert(min <= low && low <= median && median <= high && high <= max);
  assert(
    /by plugins over by hand: .* of 2 pairs, .*; the same results$/.test(formatInterface(report)),
  );
});

Deno.test("Quartiles are the middles of both halves", () => {
  assertEquals(quartiles([4, 1, 3, 2]), [1.5, 3.5]);
  assertEquals(quartiles([5, 1, 3, 2, 4]), [2, 4]);
  assertEquals(quartiles([7]), [7, 7]);
});
