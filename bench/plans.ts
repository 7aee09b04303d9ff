// The plans that a workload's step has on GPUs and on CPU adapters, made without one: how many dispatches, and how
// much memory they pass over.

import { withBindings } from "../engine/variable.ts";
import type { Passes } from "../engine/compile/passes.ts";
import { dispatchesOf } from "../engine/compile/sites.ts";
import { allSlots } from "../engine/kernels/dispatch.ts";
import { Tensor, type Variable } from "../engine/mod.ts";
import type { LeafOp } from "../engine/op.ts";
import { table } from "./table.ts";
import { type WorkloadName, workloads } from "./workloads.ts";

/** A plan, counted. */
export interface PlanCount {
  readonly dispatches: number;
  /** Bytes of all that is bound to a dispatch, summed over the dispatches: each is a pass over memory. */
  readonly bytes: number;
}

/** WebGPU's defaults, but for the buffers of a kernel, of which Dawn gives 10 on a GPU. */
const gpuLimits = {
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBuffersPerShaderStage: 10,
  maxBufferSize: 2 ** 28,
  maxTextureDimension2D: 16_384,
};

/** What differs from step to step. */
const inputOp: LeafOp = { name: "input", kind: "leaf" };

/** What decides on a plan that llvmpipe gives more of: buffers of a kernel. */
const cpuLimits = { ...gpuLimits, maxStorageBuffersPerShaderStage: 32 };

/**
 * Counts the plan of a workload's step, without what only runs where variables changed; `passes` are improvements to
 * leave out.
 */
export function countPlan(
  name: WorkloadName,
  options: { batch: number; cpu?: boolean; passes?: Partial<Passes> },
): PlanCount {
  const { cpu = false } = options;
  const { step, inputs } = workloads[name].make(options.batch);
  const assignments = new Map<Variable, Tensor>();
  const given = inputs(0).map(({ shape, dtype }) => new Tensor(inputOp, [], {}, shape, dtype));
  const outputs = Object.values(withBindings(assignments, () => step(...given)));
  const target = { cpu, images: cpu, limits: cpu ? cpuLimits : gpuLimits };
  const dispatches = dispatchesOf({ name, outputs, assignments }, target, options)
    .filter(({ constant }) => !constant);
  const bytes = dispatches.flatMap(allSlots).reduce((sum, slot) => sum + slot.bytes, 0);
  return { dispatches: dispatches.length, bytes };
}

/** A workload's plans, and what they would be without what saves most: on GPUs epilogues, on CPU adapters instances. */
export interface PlanReport {
  readonly workload: WorkloadName;
  readonly gpu: {
    readonly batch: number;
    readonly plan: PlanCount;
    readonly without_epilogues: PlanCount;
  };
  readonly cpu: {
    readonly batch: number;
    readonly plan: PlanCount;
    readonly without_instances: PlanCount;
  };
}

/** Counts a workload's plans, at a batch or at the adapters' usual ones. */
export function reportPlan(workload: WorkloadName, batch?: number): PlanReport {
  const { batch: usual } = workloads[workload];
  const gpu = { batch: batch ?? usual.gpu }, cpu = { batch: batch ?? usual.cpu, cpu: true };
  return {
    workload,
    gpu: {
      batch: gpu.batch,
      plan: countPlan(workload, gpu),
      without_epilogues: countPlan(workload, { ...gpu, passes: { epilogues: false } }),
    },
    cpu: {
      batch: cpu.batch,
      plan: countPlan(workload, cpu),
      without_instances: countPlan(workload, { ...cpu, passes: { instances: false } }),
    },
  };
}

/** Plans as two tables. */
export function formatPlans(reports: readonly PlanReport[]): string {
  const megabytes = ({ bytes }: PlanCount): string => String(Math.round(bytes / 1e6));
  const gpu = table(
    ["GPU", "batch", "dispatches", "without epilogues", "MB passed over", "without epilogues"],
    reports.map(({ workload, gpu: { batch, plan, without_epilogues: without } }) => [
      workload,
      String(batch),
      String(plan.dispatches),
      String(without.dispatches),
      megabytes(plan),
      megabytes(without),
    ]),
  );
  const cpu = table(
    ["CPU adapter", "batch", "dispatches", "without instances"],
    reports.map(({ workload, cpu: { batch, plan, without_instances: without } }) => [
      workload,
      String(batch),
      String(plan.dispatches),
      String(without.dispatches),
    ]),
  );
  return `${gpu}\n\n${cpu}`;
}
