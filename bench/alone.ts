// One op by itself: its kernels on operands of noise, without the step around it.

import {
  type Device,
  type Precision,
  type Shape,
  sizeOf,
  Tensor,
  Variable,
} from "../engine/mod.ts";
import { Plan } from "../engine/compile/plan.ts";
import { reachable } from "../engine/compile/simplify.ts";
import type { Dispatch, Slot } from "../engine/kernels/dispatch.ts";
import { TexelSlot } from "../engine/kernels/texels.ts";
import type { KernelOp } from "../engine/op.ts";
import { variableOp, withBindings } from "../engine/variable.ts";
import { type PlanTime, type Timekeeping, timePlan } from "./clock.ts";
import { type WorkloadName, workloads } from "./workloads.ts";

/** What one op took. */
export interface Alone {
  readonly time: PlanTime;
  readonly dispatches: readonly Dispatch[];
  /** Operations, counted as the direct form needs them. */
  readonly flops: number;
  /** Bytes of operands, and of the result. */
  readonly read: number;
  readonly written: number;
}

/** A variable of its own with numbers between -1 and 1; zeros can run at another speed. */
export function filled(shape: Shape): Tensor {
  const size = sizeOf(shape);
  if (noise.length < size) noise = Float32Array.from({ length: size }, (_, i) => i * PHI % 2 - 1);
  return new Variable(noise.subarray(0, size), shape).value;
}

/** The golden ratio, whose multiples repeat nothing. */
const PHI = 0.6180339887;
/** Numbers that {@linkcode filled} copies. */
let noise = new Float32Array(0);

/** Times what computes one tensor, and frees it and the variables that it is computed from. */
export async function timeAlone(
  device: Device,
  value: Tensor,
  options: Timekeeping & { variant?: string; precision?: Precision } = {},
): Promise<Alone> {
  const { variant, precision } = options;
  const leaves = reachable([value]).filter(({ op }) => op === variableOp);
  const program = { name: value.op.name, outputs: [value], assignments: new Map() };
  // Its operands are variables, and what is laid out of them would be kept.
  const plan = new Plan(device, program, {
    variant,
    passes: { constants: false },
    target: { precision },
  });
  try {
    const { dispatches } = plan;
    return {
      time: await timePlan(device, plan, options),
      dispatches,
      flops: dispatches.reduce((sum, { flops }) => sum + flops, 0),
      read: leaves.reduce((sum, { size }) => sum + 4 * size, 0),
      written: 4 * value.size,
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

/**
 * The same op as it runs within a step on a CPU adapter: what is not a variable there lies in texels, and so does the
 * result. Nobody fills these, for a CPU multiplies zeros no faster.
 *
 * @param options.variables the operands that are variables in the step, by their places.
 */
export function inTexels(value: Tensor, options: { variables?: readonly boolean[] } = {}): Tensor {
  const { op, inputs, attributes, shape, dtype } = value, { variables = [] } = options;
  if (op.kind !== "kernel") throw new Error(`Cannot lay operands of ${op.name} in texels`);
  const texels = ({ bytes }: Slot): Slot => new TexelSlot(bytes);
  const launch: KernelOp["launch"] = (context, node, slots) =>
    op.launch(context, node, {
      inputs: slots.inputs.map((slot, i) => variables[i] ? slot : texels(slot)),
      output: texels(slots.output),
    });
  return new Tensor({ ...op, launch }, inputs, attributes, shape, dtype);
}
