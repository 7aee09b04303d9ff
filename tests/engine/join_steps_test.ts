// How many dispatches whole steps take where kernels are joined, and how much memory.

import { assertLessOrEqual } from "@std/assert";
import { type WorkloadName, workloads } from "../../bench/workloads.ts";
import type { Target } from "../../engine/compile/lower.ts";
import { livenessBound } from "../../engine/compile/memory.ts";
import type { Passes } from "../../engine/compile/passes.ts";
import { dispatchesOf } from "../../engine/compile/sites.ts";
import type { Tensor, Variable } from "../../engine/mod.ts";
import { withBindings } from "../../engine/variable.ts";

const limits = {
  maxComputeInvocationsPerWorkgroup: 1024,
  maxComputeWorkgroupStorageSize: 49_152,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBuffersPerShaderStage: 64,
  maxBufferSize: 2 ** 31 - 4,
};

/** At most so many dispatches of a step, with not much more memory than where each kernel has its own. */
function assertJoined(
  target: Omit<Target, "limits">,
  most: readonly (readonly [WorkloadName, number, number])[],
): void {
  for (const [name, batch, dispatches] of most) {
    const { step, inputs } = workloads[name].make(batch);
    const assignments = new Map<Variable, Tensor>();
    const outputs = Object.values(withBindings(assignments, () => step(...inputs(0))));
    const whole = { ...target, limits: { ...limits, maxTextureDimension2D: 16_384 } };
    const plan = (passes: Partial<Passes>) =>
      dispatchesOf({ name, outputs, assignments }, whole, { passes });
    const joined = plan({}), bytes = livenessBound(plan({ join: false }));
    assertLessOrEqual(livenessBound(joined), Math.max(9 / 8 * bytes, bytes + 2 ** 27));
    assertLessOrEqual(joined.length, dispatches, name);
  }
}

Deno.test("steps take half of the dispatches on a GPU, and not much more memory", () =>
  assertJoined({ cpu: false, images: false, subgroups: { enable: "" } }, [
    ["acgan32", 32, 85],
    ["acgan64", 64, 126],
    ["double-backward", 64, 65],
    ["moe-sample", 16, 79],
  ]));

Deno.test("steps take three quarters of the dispatches on a CPU adapter, and not much more memory", () =>
  assertJoined({ cpu: true, images: true }, [
    ["acgan32", 1, 128],
    ["acgan32", 32, 138],
    ["acgan64", 16, 182],
    ["double-backward", 16, 128],
    ["moe-sample", 16, 151],
  ]));
