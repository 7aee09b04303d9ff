// The plans that a workload's step has on GPUs, made without one: how many dispatches, and how much memory they
// pass over.

import { withBindings } from "../engine/variable.ts";
import type { Passes } from "../engine/compile/passes.ts";
import { dispatchesOf } from "../engine/compile/sites.ts";
import { allSlots } from "../engine/kernels/dispatch.ts";
import type { Tensor, Variable } from "../engine/mod.ts";
import { table } from "./table.ts";
import { type WorkloadName, workloads } from "./workloads.ts";

/** A plan, counted. */
export interface PlanCount {
  readonly dispatches: number;
  /** Bytes of all that is bound to a dispatch, summed over the dispatches: each is a pass over memory. */
  readonly bytes: number;
}

/** WebGPU's defaults, but for the buffers of a kernel, of which Dawn gives 10. */
const limits = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBuffersPerShaderStage: 10,
  maxBufferSize: 2 ** 28,
  maxTextureDimension2D: 16_384,
};

/** Counts the plan of a workload's step; `passes` are improvements to leave out. */
export function countPlan(
  name: WorkloadName,
  options: { batch: number; passes?: Partial<Passes> },
): PlanCount {
  const { step, inputs } = workloads[name].make(options.batch);
  const assignments = new Map<Variable, Tensor>();
  const outputs = Object.values(withBindings(assignments, () => step(...inputs(0))));
  const target = { cpu: false, images: false, limits };
  const dispatches = dispatchesOf({ name, outputs, assignments }, target, options);
  const bytes = dispatches.flatMap(allSlots).reduce((sum, slot) => sum + slot.bytes, 0);
  return { dispatches: dispatches.length, bytes };
}

/** A workload's plan, and what it would be without epilogues. */
export interface PlanReport {
  readonly workload: WorkloadName;
  readonly batch: number;
  readonly plan: PlanCount;
  readonly without_epilogues: PlanCount;
}

/** Counts a workload's plan with and without epilogues. */
export function reportPlan(workload: WorkloadName, batch: number): PlanReport {
  return {
    ...{ workload, batch },
    plan: countPlan(workload, { batch }),
    without_epilogues: countPlan(workload, { batch, passes: { epilogues: false } }),
  };
}

/** Plans as a table. */
export function formatPlans(reports: readonly PlanReport[]): string {
  const megabytes = ({ bytes }: PlanCount): string => String(Math.round(bytes / 1e6));
  return table(
    ["", "batch", "dispatches", "without epilogues", "MB passed over", "without epilogues"],
    reports.map(({ workload, batch, plan, without_epilogues: without }) => [
      workload,
      String(batch),
      String(plan.dispatches),
      String(without.dispatches),
      megabytes(plan),
      megabytes(without),
    ]),
  );
}
