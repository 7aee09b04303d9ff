// One op by itself: its kernels on operands of noise, without the step around it.

import { type Device, type Shape, sizeOf, Tensor, Variable } from "../engine/mod.ts";
import { Plan } from "../engine/compile/plan.ts";
import { reachable } from "../engine/compile/simplify.ts";
import type { Dispatch } from "../engine/kernels/dispatch.ts";
import { variableOp } from "../engine/variable.ts";
import { withBindings } from "../engine/variable.ts";
import { type PlanTime, timePlan } from "./clock.ts";
import { type WorkloadName, workloads } from "./workloads.ts";

/** What one op took. */
export interface Alone {
  readonly time: PlanTime;
  readonly dispatches: readonly Dispatch[];
  /** Operations, counted as the direct form needs them. */
  readonly flops: number;
  /** Bytes of operands and result. */
  readonly bytes: number;
}

/** Numbers between -1 and 1 without a pattern, in a variable of their own; zeros can run at another speed. */
export function filled(shape: Shape): Tensor {
  const numbers = new Float32Array(sizeOf(shape));
  for (let i = 0; i < numbers.length; i++) numbers[i] = i * 0.6180339887 % 2 - 1;
  return new Variable(numbers, shape).value;
}

/** Times what computes one tensor, and frees it and the variables that it is computed from. */
export async function timeAlone(
  device: Device,
  value: Tensor,
  options: { variant?: string } = {},
): Promise<Alone> {
  const { variant } = options;
  const leaves = reachable([value]).filter(({ op }) => op === variableOp);
  const program = { name: value.op.name, outputs: [value], assignments: new Map() };
  const plan = new Plan(device, program, { variant });
  try {
    const { dispatches } = plan;
    const operands = [value, ...leaves];
    return {
      time: await timePlan(device, plan),
      dispatches,
      flops: dispatches.reduce((sum, { flops }) => sum + flops, 0),
      bytes: operands.reduce((sum, { size }) => sum + 4 * size, 0),
    };
  } finally {
    plan.destroy();
    for (const { attributes } of leaves) attributes.variable.destroy();
  }
}

/** The different ops of a workload's step that have kernels of their own, in order. */
export function kernelOps(name: WorkloadName, batch: number): Tensor[] {
  const { step, inputs } = workloads[name].make(batch);
  const assignments = new Map<Variable, Tensor>();
  const results = withBindings(assignments, () => step(...inputs(0)));
  const found = new Map<string, Tensor>();
  for (const node of reachable([...Object.values(results), ...assignments.values()])) {
    if (node.op.kind !== "kernel") continue;
    const shapes = node.inputs.map((input) => input.shape);
    const key = JSON.stringify([node.op.name, node.attributes, shapes]);
    if (!found.has(key)) found.set(key, node);
  }
  return [...found.values()];
}

/** The same op on operands of noise. */
export function onNoise(node: Tensor): Tensor {
  const operands = node.inputs.map(({ shape }) => filled(shape));
  return new Tensor(node.op, operands, node.attributes, node.shape, node.dtype);
}
