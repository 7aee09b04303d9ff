// Whole steps as GPUs run them, on whatever adapter there is: their products, epilogues, rows and shared transforms
// together, against PyTorch in float64 and against the adapter's own.

import { assertLessOrEqual } from "@std/assert";
import { CHECKED_BATCH, distances, references, tolerances } from "../../bench/check.ts";
import { workloads } from "../../bench/workloads.ts";
import { Plan } from "../../engine/compile/plan.ts";
import { typedArray } from "../../engine/dtype.ts";
import { Device, type Tensor, type Variable } from "../../engine/mod.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { withBindings } from "../../engine/variable.ts";

const device = await Device.open();

/** The figures of three steps with the same inputs. */
async function steps(
  name: keyof typeof workloads,
  options: { cpu: boolean },
): Promise<Record<string, number>[]> {
  const { step, inputs, compared, figures } = workloads[name].make(CHECKED_BATCH);
  const assignments = new Map<Variable, Tensor>();
  const results = withBindings(assignments, () => step(...inputs(0)));
  const outputs = compared.map((result) => results[result]);
  const target = options.cpu ? {} : { cpu: false, images: false, subgroups: device.subgroups };
  const plan = new Plan(device, { name, outputs, assignments }, { target });
  const all: Record<string, number>[] = [];
  for (let i = 0; i < 3; i++) {
    plan.run();
    const bytes = await readBuffers(device, plan.outputs);
    all.push(figures(outputs.map(({ size, dtype }, at) => typedArray(bytes[at], size, dtype))));
  }
  plan.destroy();
  return all;
}

for (const name of ["acgan32", "double-backward", "moe-sample"] as const) {
  Deno.test(`Steps of ${name} as GPUs run them are PyTorch's, and this adapter's`, async () => {
    const asGpu = await steps(name, { cpu: false });
    const [first] = distances(name, [asGpu[0], ...references[name].slice(1)]);
    assertLessOrEqual(first, tolerances[name][0]);
    if (!device.adapter.cpu) return;
    (await steps(name, { cpu: true })).forEach((figures, i) => {
      for (const [key, value] of Object.entries(figures)) {
        assertLessOrEqual(Math.abs(asGpu[i][key] - value), tolerances[name][i], `${key} ${i}`);
      }
    });
  });
}
