import { assert } from "@std/assert";
import { reportPlan } from "../../bench/plans.ts";

Deno.test("epilogues save dispatches and passes over memory", () => {
  const training = reportPlan("acgan32", 32), sampling = reportPlan("moe-sample", 16);
  for (const { plan, without_epilogues: without, workload } of [training, sampling]) {
    const less = [without.dispatches - plan.dispatches, without.bytes - plan.bytes];
    assert(less[0] >= 12 && less[1] >= 30e6, `${workload}: ${less}`);
  }
});
