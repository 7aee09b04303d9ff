// Whole training steps of both networks against PyTorch in float64.

import { assertLessOrEqual } from "@std/assert";
import { CHECKED_BATCH, distances, firstSteps, tolerances } from "../../bench/check.ts";
import { Device } from "../../engine/mod.ts";

await Device.open();

for (const name of ["acgan32", "acgan64"] as const) {
  Deno.test(`Three steps of ${name} are PyTorch's`, async () => {
    const far = distances(name, await firstSteps(name, CHECKED_BATCH));
    console.log(`farthest from PyTorch: ${far.map((x) => x.toExponential(1)).join(", ")}`);
    far.forEach((distance, i) => assertLessOrEqual(distance, tolerances[name][i]));
  });
}
