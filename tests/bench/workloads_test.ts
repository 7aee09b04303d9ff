// Whole steps against PyTorch in float64: forward, both gradients, gradients of gradients, batch norm in both
// modes and Adam, at once.

import { assertLessOrEqual } from "@std/assert";
import { CHECKED_BATCH, distances, firstSteps, tolerances } from "../../bench/check.ts";
import { Device } from "../../engine/mod.ts";

await Device.open();

// The training steps of both networks take longer: tests/long/workloads_long.ts.
for (const name of ["double-backward", "moe-sample"] as const) {
  Deno.test(`Three steps of ${name} are PyTorch's`, async () => {
    const far = distances(name, await firstSteps(name, CHECKED_BATCH));
    console.log(`farthest from PyTorch: ${far.map((x) => x.toExponential(1)).join(", ")}`);
    far.forEach((distance, i) => assertLessOrEqual(distance, tolerances[name][i]));
  });
}
