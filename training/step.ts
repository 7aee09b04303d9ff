import {
  add,
  cast,
  compile,
  type Compiled,
  div,
  exp,
  mean,
  minimum,
  mul,
  sub,
  type Tensor,
} from "../engine/mod.ts";
import type { Verdict } from "../models/mod.ts";
import { type Acgan, encodeAll } from "./acgan.ts";
import type { Condition } from "./condition.ts";
import { discriminatorTerms, generatorTerms, type Values } from "./losses.ts";
import type { MetricRing } from "./metric_ring.ts";
import { weigh, type Weights } from "./terms.ts";

/** What a batch of fakes is made from. */
export interface Draw {
  /** Noise, `[batch, latent]`. */
  readonly z: Tensor;
  readonly values: Values;
}

/** The inputs of one step: real pictures in [-1, 1] with their values, and a draw for each network. */
export interface StepInputs {
  readonly images: Tensor;
  readonly values: Values;
  readonly forD: Draw;
  readonly forG: Draw;
}

/**
 * One step of AC-GAN on both networks, to be traced: the discriminator learns from a batch of real
 * pictures and one of fakes, then the generator learns from the discriminator so changed. Returns the
 * value of every loss term, and of `accuracy.<condition>.real` and `.fake`.
 */
export function trainStep(
  model: Acgan,
  inputs: StepInputs,
  options: { weights?: Weights } = {},
): Record<string, Tensor> {
  const { generator, discriminator, conditions, optimizers } = model;
  const { weights = {} } = options;
  const draw = ({ z, values }: Draw) => generator.forward(z, encodeAll(conditions, values));

  const fakes = draw(inputs.forD);
  // Two passes, so that batch norm sees real pictures and fakes apart.
  const real = { verdict: discriminator.forward(inputs.images), values: inputs.values };
  const fake = { verdict: discriminator.forward(fakes), values: inputs.forD.values };
  const lossD = weigh(discriminatorTerms(conditions, real, fake), weights);
  optimizers.discriminator.minimize(lossD.total);

  const judged = {
    verdict: discriminator.forward(draw(inputs.forG)),
    values: inputs.forG.values,
  };
  const lossG = weigh(generatorTerms(conditions, judged), weights);
  optimizers.generator.minimize(lossG.total);

  return {
    ...lossD.values,
    ...lossG.values,
    ...accuracies(model, real, "real"),
    ...accuracies(model, fake, "fake"),
  };
}

function accuracies(
  { conditions }: Acgan,
  judged: { verdict: Verdict; values: Values },
  of: string,
): Record<string, Tensor> {
  return Object.fromEntries(conditions.map((condition, i) => [
    `accuracy.${condition.name}.${of}`,
    mean(condition.score(judged.verdict.heads[condition.name], judged.values[i])),
  ]));
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

/** The names of what {@linkcode trainStep} returns: the terms that weigh anything, and the accuracies. */
export function metricNames(conditions: readonly Condition[], weights: Weights): string[] {
  return [
    ...Object.keys(weights).filter((name) => weights[name] !== 0),
    ...conditions.map(({ name }) => `accuracy.${name}.real`),
    ...conditions.map(({ name }) => `accuracy.${name}.fake`),
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

/** Pictures as networks take them, in [-1, 1], from bytes. */
export function fromBytes(bytes: Tensor): Tensor {
  return sub(div(cast(bytes, "f32"), 127.5), 1);
}
