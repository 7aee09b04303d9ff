import { type Estimate, type KernelSite, type Tensor, tensor } from "../engine/mod.ts";
import { Acgan } from "./acgan.ts";
import type { Condition } from "../plugin/mod.ts";
import type { TrainSettings } from "./config.ts";
import { termWeights } from "./losses.ts";
import { MetricRing } from "./metric_ring.ts";
import { Sampler } from "./sampler.ts";
import { type CompiledStep, compileStep, metricNames } from "./step.ts";

/** The kernels of a training step and of drawing pictures, of a run that need not exist. */
export function kernelSites(
  settings: TrainSettings,
  conditions: readonly Condition[],
): KernelSite[] {
  const { step, inputs, model } = stepOf(settings, conditions);
  const sampler = new Sampler(model.average, conditions);
  return [...step.sites(...inputs), ...sampler.sites()];
}

/** What a training step would take, of a run and on a machine that need not exist. */
export function estimateStep(
  settings: TrainSettings,
  conditions: readonly Condition[],
  options: { cpu: boolean },
): Estimate {
  const { step, inputs } = stepOf(settings, conditions);
  return step.estimate(inputs, options);
}

function stepOf(
  settings: TrainSettings,
  conditions: readonly Condition[],
): { step: CompiledStep; inputs: Tensor[]; model: Acgan } {
  const { batch, size, emaImages } = settings;
  const model = new Acgan(settings, conditions);
  const weights = termWeights(model, settings);
  const ring = new MetricRing(metricNames(model, weights), { capacity: 1 });
  const step = compileStep(model, { batch, weights, emaImages, ring });
  const images = tensor(new Uint8Array(batch * 3 * size ** 2), [batch, 3, size, size]);
  const values = conditions.map((condition) =>
    condition.tensor(new Array(batch).fill(condition.showcase()[0].value))
  );
  return { step, inputs: [images, ...values], model };
}
