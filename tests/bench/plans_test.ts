import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { countPlan, formatPlans, reportPlan } from "../../bench/plans.ts";

Deno.test("epilogues save dispatches and passes over memory", () => {
  for (const [workload, batch] of [["acgan32", 32], ["moe-sample", 16]] as const) {
    // Not joined, for what is left to do afterwards finds room beside other kernels.
    const plan = countPlan(workload, { batch, passes: { join: false } });
    const without = countPlan(workload, { batch, passes: { join: false, epilogues: false } });
    const less = [without.dispatches - plan.dispatches, without.bytes - plan.bytes];
    assert(less[0] >= 9 && less[1] >= 20e6, `${workload}: ${less}`);
  }
  for (const [workload, batch, saved] of [["acgan32", 32, 6], ["moe-sample", 16, 36]] as const) {
    const plan = countPlan(workload, { batch, cpu: true });
    const without = countPlan(workload, { batch, cpu: true, passes: { epilogues: false } });
    const less = [without.dispatches - plan.dispatches, without.bytes - plan.bytes];
    assert(less[0] >= saved && less[1] >= 9e6, `${workload} on a CPU adapter: ${less}`);
  }
});

Deno.test("a training step takes half of the dispatches of its first version, on a GPU, which joins them, 40 %", () => {
  const first = 343, report = reportPlan("acgan32"), { gpu, cpu } = report;
  assertEquals([gpu.batch, cpu.batch], [64, 32]);
  assertLessOrEqual(cpu.plan.dispatches, 0.44 * first);
  assertLessOrEqual(gpu.plan.dispatches, 0.4 * first);
  assertLessOrEqual(cpu.plan.dispatches, cpu.without_instances.dispatches - 45);
  const rows = formatPlans([report]).split("\n").filter((row) => row.includes("acgan32"));
  assertEquals(rows.map((row) => row.match(/\d+/g)!.slice(1, 3).map(Number)), [
    [gpu.batch, gpu.plan.dispatches],
    [cpu.batch, cpu.plan.dispatches],
  ]);
});
