import {
  add,
  cast,
  compile,
  type Compiled,
  div,
  exp,
  grad,
  maximum,
  mean,
  minimum,
  mul,
  type Optimizer,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { isLatent } from "../plugin/mod.ts";
import { type Acgan, encodeAll, hasHead } from "./acgan.ts";
import type { Verdicts } from "./judge.ts";
import { discriminatorTerms, generatorTerms } from "./losses.ts";
import type { MetricRing } from "./metric_ring.ts";
import { type Moment, momentOf } from "./moment.ts";
import { fromBytes } from "./pictures.ts";
import { namedValues, realValues, type Values } from "./values.ts";
import { weigh, type Weights } from "./terms.ts";

/** What a batch of fakes is made from. */
export interface Draw {
  /** Noise, `[batch, latent]`. */
  readonly z: Tensor;
  /** A value of each condition, in their order. */
  readonly values: Values;
}

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
  options: { weights?: Weights } = {},
): Record<string, Tensor> {
  const { generator, conditions, optimizers, plugins } = model;
  const { weights = {} } = options;
  const draw = ({ z, values }: Draw) => ({
    images: generator.forward(z, encodeAll(conditions, values)),
    values: namedValues(conditions, values),
  });
  const { images } = inputs;
  const real = { images, values: realValues(conditions, images, { read: inputs.values }) };

  // Two passes, so that batch norm sees real pictures and fakes apart.
  const forD = momentOf(model, "discriminator", { real, fake: draw(inputs.forD) });
  const lossD = weigh(discriminatorTerms(model), forD, { weights });
  const metrics = { ...accuracies(model, forD), ...plugins.metrics(forD) };
  plugins.requireUse(lossD.total);
  minimize([optimizers.discriminator, ...plugins.optimizers], lossD.total);

  const forG = momentOf(model, "generator", { real, fake: draw(inputs.forG) });
  const lossG = weigh(generatorTerms(model), forG, { weights });
  optimizers.generator.minimize(lossG.total);

  return { ...lossD.values, ...lossG.values, ...metrics, ...plugins.checks() };
}

/** One step of several optimisers against one loss. */
function minimize(optimizers: readonly Optimizer[], loss: Tensor): void {
  const parameters = optimizers.map((optimizer) => optimizer.parameters);
  const gradients = grad(loss, parameters.flat());
  let at = 0;
  optimizers.forEach((optimizer, i) => {
    optimizer.step(gradients.slice(at, at += parameters[i].length));
  });
}

function accuracies({ conditions }: Acgan, moment: Moment): Record<string, Tensor> {
  const named: [string, Tensor][] = [];
  for (const pictures of ["real", "fake"] as const) {
    for (const condition of conditions.filter(hasHead)) {
      const { name } = condition, { heads, values }: Verdicts = moment[pictures];
      if (pictures === "real" && isLatent(condition)) continue;
      const score = condition.score(heads[name], values[name]);
      const known = pictures === "real" ? condition.known?.(values[name]) : undefined;
      named.push([
        `accuracy.${name}.${pictures}`,
        known ? div(sum(mul(score, known)), maximum(sum(known), 1)) : mean(score),
      ]);
    }
  }
  return Object.fromEntries(named);
}

/**
 * The share of itself that the averaged generator keeps at a step: 0.5^(batch / n), so that after n
 * pictures half of the past is forgotten. n is `emaImages`, but early on only a twentieth of the pictures
 * seen so far, lest the random start be remembered for long.
 */
function averageDecay(
  stepsDone: Tensor,
  options: { batch: number; emaImages: number },
): Tensor {
  const seen = mul(cast(stepsDone, "f32"), options.batch);
  const halfLife = minimum(mul(seen, 0.05), options.emaImages);
  return exp(div(-Math.LN2 * options.batch, halfLife));
}

/** The names of what {@linkcode trainStep} returns, of terms those that weigh anything. */
export function metricNames(
  { conditions, plugins }: Pick<Acgan, "conditions" | "plugins">,
  weights: Weights,
): string[] {
  const recovered = conditions.filter(hasHead);
  return [
    ...Object.keys(weights).filter((name) => weights[name] !== 0),
    ...recovered.filter((it) => !isLatent(it)).map(({ name }) => `accuracy.${name}.real`),
    ...recovered.map(({ name }) => `accuracy.${name}.fake`),
    ...plugins.metricNames,
    ...plugins.checkNames,
  ];
}

/** A training step as the loop calls it: images and values in, state changed, nothing to wait for. */
export type CompiledStep = Compiled<void>;

/**
 * Compiles the whole step into one plan: pictures from bytes `[batch, 3, size, size]`, noise and asked
 * values drawn on the GPU, both networks, their averages, and the step's metrics put into `ring`.
 */
export function compileStep(
  model: Acgan,
  options: { batch: number; weights: Weights; emaImages: number; ring: MetricRing },
): CompiledStep {
  const { batch, weights, ring } = options;
  const { random, conditions } = model;
  const draw = (): Draw => ({
    z: random.normal([batch, model.generator.widths.latent]),
    values: conditions.map((condition) => condition.sample(random, batch)),
  });
  return compile((bytes: Tensor, ...values: Tensor[]) => {
    const inputs = { images: fromBytes(bytes), values, forD: draw(), forG: draw() };
    ring.push(trainStep(model, inputs, { weights }));
    model.step.assign(add(model.step, 1));
    model.averaging.update(averageDecay(model.step.value, options));
  }, { name: "train" });
}
