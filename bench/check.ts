// The results of a workload's first steps, and what an engine in float64 makes of the same numbers.

import { compile, read } from "../engine/mod.ts";
import { type WorkloadName, workloads } from "./workloads.ts";

/** Steps that are compared. */
const STEPS = 3;

/** The batch that {@linkcode references} hold for. */
export const CHECKED_BATCH = 4;

/**
 * What PyTorch computes in float64, batch 4, step by step. Adam's first steps are as long as the learning rate
 * whatever the gradient's length, so rounding in gradients of nearly 0 shows in later losses: of `acgan64`,
 * where it shows most, the third step says little in float32, PyTorch's own included.
 */
export const references: Readonly<Record<WorkloadName, readonly Record<string, number>[]>> = {
  "acgan64": [
    { loss_D: 6.595426, loss_G: 3.811333 },
    { loss_D: 6.725357, loss_G: 3.929248 },
    { loss_D: 6.798394, loss_G: 3.940161 },
  ],
  "moe-sample": [
    { mean: -0.079459, mean_square: 0.296421, inner: 0.402901 },
    { mean: -0.081732, mean_square: 0.305367, inner: 0.193042 },
    { mean: -0.080076, mean_square: 0.302212, inner: -0.228425 },
  ],
  "acgan32": [
    { loss_D: 6.196055, loss_G: 3.350515 },
    { loss_D: 6.375956, loss_G: 3.25594 },
    { loss_D: 6.383808, loss_G: 3.164064 },
  ],
  "double-backward": [{ loss_D: 6.431356 }, { loss_D: 6.493586 }, { loss_D: 6.209155 }],
};

/**
 * How far a step in float32 may be from the reference, by workload and step. In the third of `acgan32` PyTorch's own
 * in float32 is 7e-4 away.
 */
export const tolerances: Readonly<Record<WorkloadName, readonly number[]>> = {
  "acgan64": [1e-4, 1e-2, Infinity],
  "moe-sample": [1e-3, 1e-3, 1e-3],
  "acgan32": [1e-4, 1e-4, 2e-3],
  "double-backward": [1e-3, 1e-3, 1e-3],
};

/** The figures of each of the first steps of a workload. */
export async function firstSteps(
  name: WorkloadName,
  batch: number,
): Promise<Record<string, number>[]> {
  const { step, inputs, compared, figures } = workloads[name].make(batch);
  const compiled = compile(step, { name });
  const steps = [];
  for (let i = 0; i < STEPS; i++) {
    const results = compiled(...inputs(i));
    steps.push(figures(await read(compared.map((result) => results[result]))));
  }
  return steps;
}

/** The largest distance of each step from the reference, over its figures. */
export function distances(
  name: WorkloadName,
  steps: readonly Readonly<Record<string, number>>[],
): number[] {
  return references[name].map((reference, i) =>
    Math.max(...Object.entries(reference).map(([key, value]) => Math.abs(steps[i][key] - value)))
  );
}
