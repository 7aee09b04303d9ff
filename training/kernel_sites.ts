import { type Estimate, type KernelSite, type Tensor, tensor } from "../engine/mod.ts";
import { Acgan } from "./acgan.ts";
import type { Condition } from "../plugin/mod.ts";
import type { TrainSettings } from "./config.ts";
import { termWeights } from "./losses.ts";
import { MetricRing } from "./metric_ring.ts";
import { Plugins } from "./plugins.ts";
import { Sampler } from "./sampler.ts";
import { batchesPerStep, type CompiledStep, compileStep, metricNames } from "./step.ts";

/** The kernels of a training step and of drawing pictures, of a run that need not exist. */
export function kernelSites(
  settings: TrainSettings,
  conditions: readonly Condition[],
): KernelSite[] {
  const { step, inputs, model } = stepOf(settings, conditions, new Plugins());
  const sampler = new Sampler(model.average, conditions);
  return [...step.sites(...inputs), ...sampler.sites()];
}

/**
 * What a training step would take, of a run and on a machine that need not exist.
 *
 * @param options.plugins those that bring the conditions; none unless given.
 */
export function estimateStep(
  settings: TrainSettings,
  conditions: readonly Condition[],
  { cpu, plugins = new Plugins() }: { cpu: boolean; plugins?: Plugins },
): Estimate {
  const { step, inputs } = stepOf(settings, conditions, plugins);
  return step.estimate(inputs, { cpu });
}

function stepOf(
  settings: TrainSettings,
  conditions: readonly Condition[],
  plugins: Plugins,
): { step: CompiledStep; inputs: Tensor[]; model: Acgan } {
  const { batch, size } = settings;
  const model = new Acgan(settings, conditions, { plugins });
  const weights = termWeights(model, settings);
  const ring = new MetricRing(metricNames(model, weights, settings), { capacity: 1 });
  const step = compileStep(model, { ...settings, weights, ring });
  const images = tensor(new Uint8Array(batch * 3 * size ** 2), [batch, 3, size, size]);
  // Labels tell only those that are read from them.
  const values = conditions.filter(({ read }) => read).map((condition) =>
    condition.tensor(new Array(batch).fill(condition.showcase()[0].value))
  );
  const inputs = new Array(batchesPerStep(settings)).fill([images, ...values]).flat();
  return { step, inputs, model };
}
