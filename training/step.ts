import { compile, grad, type Tensor } from "../engine/mod.ts";
import { isLatent } from "../plugin/mod.ts";
import { type Acgan, hasHead } from "./acgan.ts";
import {
  batchesPerStep,
  type CompiledStep,
  type CompileStepOptions,
  drawBatch,
  finish,
} from "./compiled_step.ts";
import { HEALTH_NAMES } from "./health.ts";
import {
  describeReal,
  discriminatorLesson,
  type Draw,
  generatorLesson,
  learnersOf,
  type Lesson,
  type StepOptions,
  update,
} from "./lessons.ts";
import { fromBytes } from "./pictures.ts";
import { compileRounds } from "./rounds.ts";
import type { Weights } from "./terms.ts";
import type { Values } from "./values.ts";

export { batchesPerStep, type CompiledStep, type CompileStepOptions } from "./compiled_step.ts";

/** The inputs of one step: real pictures in [-1, 1] with their values, and a draw for each network. */
export interface StepInputs {
  readonly images: Tensor;
  /** In the order of the conditions whose values are read from labels. */
  readonly values: Values;
  readonly forD: Draw;
  readonly forG: Draw;
}

/**
 * One step of AC-GAN on both networks, to be traced: the discriminator learns from a batch of real
 * pictures and one of fakes, then the generator learns from the discriminator so changed. Returns the
 * value of every loss term, of `accuracy.<condition>.real` and `.fake`, and of the plugins' metrics and
 * checks.
 */
export function trainStep(
  model: Acgan,
  inputs: StepInputs,
  options: StepOptions = {},
): Record<string, Tensor> {
  const { plugins } = model, { images, values, forD, forG } = inputs, { clipNorm } = options;
  const real = describeReal(model, images, { read: values });
  const learn = (network: "d" | "g", { total }: Lesson): Record<string, Tensor> => {
    const learners = learnersOf(model, network);
    const gradients = grad(total, learners.flatMap(({ parameters }) => parameters));
    return update(learners, gradients, { clipNorm, network });
  };
  const ofD = discriminatorLesson(model, real, { ...options, draw: forD });
  const normOfD = learn("d", ofD);
  const ofG = generatorLesson(model, real, { ...options, draw: forG });
  const normOfG = learn("g", ofG);
  return {
    ...{ ...ofD.values, ...ofG.values },
    ...ofD.metrics,
    ...{ ...normOfD, ...normOfG },
    ...plugins.checks(),
  };
}

/** The names of what a compiled step puts into its ring, of terms those that weigh anything. */
export function metricNames(
  { conditions, plugins }: Pick<Acgan, "conditions" | "plugins">,
  weights: Weights,
  options: { clipNorm?: number } = {},
): string[] {
  const recovered = conditions.filter(hasHead);
  return [
    ...Object.keys(weights).filter((name) => weights[name] !== 0),
    ...recovered.filter((it) => !isLatent(it)).map(({ name }) => `accuracy.${name}.real`),
    ...recovered.map(({ name }) => `accuracy.${name}.fake`),
    ...HEALTH_NAMES,
    ...(options.clipNorm === undefined ? [] : ["d.grad_norm", "g.grad_norm"]),
    ...plugins.metricNames,
    ...plugins.checkNames,
  ];
}

/**
 * Compiles the whole step into one plan: pictures from bytes `[batch, 3, size, size]`, noise and asked
 * values drawn on the GPU, both networks, their averages, and the step's metrics put into `ring`.
 *
 * Its arguments are the pictures and the values of a batch. Where it learns from several, see
 * {@linkcode compileRounds}.
 */
export function compileStep(model: Acgan, options: CompileStepOptions): CompiledStep {
  if (batchesPerStep(options) > 1) return compileRounds(model, options);
  const { ring, precision } = options;
  return compile((bytes: Tensor, ...values: Tensor[]) => {
    model.rates.update(model.step.value);
    const inputs = {
      images: fromBytes(bytes),
      values,
      forD: drawBatch(model, options),
      forG: drawBatch(model, options),
    };
    ring.push(trainStep(model, inputs, { ...options, health: true }));
    finish(model, options);
  }, { name: "train", precision });
}
