import { type KernelSite, tensor } from "../engine/mod.ts";
import { Acgan } from "./acgan.ts";
import type { Condition } from "../plugin/mod.ts";
import type { TrainSettings } from "./config.ts";
import { termWeights } from "./losses.ts";
import { MetricRing } from "./metric_ring.ts";
import { Sampler } from "./sampler.ts";
import { batchesPerStep, compileStep, metricNames } from "./step.ts";

/** The kernels of a training step and of drawing pictures, of a run that need not exist. */
export function kernelSites(
  settings: TrainSettings,
  conditions: readonly Condition[],
): KernelSite[] {
  const { batch, size } = settings;
  const model = new Acgan(settings, conditions);
  const weights = termWeights(model, settings);
  const ring = new MetricRing(metricNames(model, weights, settings), { capacity: 1 });
  const step = compileStep(model, { ...settings, weights, ring });
  const images = tensor(new Uint8Array(batch * 3 * size ** 2), [batch, 3, size, size]);
  const values = conditions.map((condition) =>
    condition.tensor(new Array(batch).fill(condition.showcase()[0].value))
  );
  const sampler = new Sampler(model.average, conditions);
  const args = new Array(batchesPerStep(settings)).fill([images, ...values]).flat();
  return [...step.sites(...args), ...sampler.sites()];
}
