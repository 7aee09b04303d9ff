import {
  add,
  cast,
  clipGradNorm,
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
  type Precision,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { isLatent } from "../plugin/mod.ts";
import { type Acgan, encodeAll, hasHead } from "./acgan.ts";
import { health, HEALTH_NAMES } from "./health.ts";
import type { Verdicts } from "./judge.ts";
import { discriminatorTerms, generatorTerms } from "./losses.ts";
import type { MetricRing } from "./metric_ring.ts";
import { type Described, type Moment, momentOf } from "./moment.ts";
import { fromBytes } from "./pictures.ts";
import { namedValues, realValues, type Values } from "./values.ts";
import { type Loss, weigh, type Weights } from "./terms.ts";

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

/** Real pictures in [-1, 1] with their values, and what fakes are drawn from: what one gradient is taken of. */
export interface Microbatch {
  readonly images: Tensor;
  /** In the order of the conditions whose values are read from labels. */
  readonly values: Values;
  readonly draw: Draw;
}

/** The microbatches of a step. */
export interface Rounds {
  /** Those of each update of the discriminator. */
  readonly forD: readonly (readonly Microbatch[])[];
  /** Those of the generator's update. */
  readonly forG: readonly Microbatch[];
}

/** What may be changed in a step. */
export interface StepOptions {
  readonly weights?: Weights;
  /** The most that the global norm of a network's gradients may be; they are scaled down to it. */
  readonly clipNorm?: number;
  /** Whether to look at how the training fares: see {@linkcode health}. */
  readonly health?: boolean;
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
  const { images, values, forD, forG } = inputs;
  const rounds = {
    forD: [[{ images, values, draw: forD }]],
    forG: [{ images, values, draw: forG }],
  };
  return trainRounds(model, rounds, options);
}

/**
 * A {@linkcode trainStep} in which the discriminator learns once or more often before the generator does, and
 * each of them from the mean of its microbatches' gradients. Metrics are means over microbatches.
 */
export function trainRounds(
  model: Acgan,
  rounds: Rounds,
  options: StepOptions = {},
): Record<string, Tensor> {
  const { optimizers, plugins } = model;
  const real = realOnce(model);
  const ofD = rounds.forD.map((batches) =>
    learn(
      [optimizers.discriminator, ...plugins.optimizers],
      batches.map((batch) => () =>
        discriminatorLoss(model, described(model, batch, real), options)
      ),
      { prefix: "d", ...options },
    )
  );
  const ofG = learn(
    [optimizers.generator],
    rounds.forG.map((batch) => () => generatorLoss(model, described(model, batch, real), options)),
    { prefix: "g", ...options },
  );
  return {
    ...averages(ofD.map(({ terms }) => terms)),
    ...ofG.terms,
    ...averages(ofD.map(({ metrics }) => metrics)),
    ...ofG.metrics,
    ...plugins.checks(),
  };
}

/** A loss, and what is to be logged of the way to it. */
interface Lesson extends Loss {
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** Real pictures and fakes, as moments of the step take them. */
interface Pair {
  readonly real: Described;
  readonly fake: Described;
}

/** The real pictures of a batch as moments take them; what both networks see is measured once. */
function realOnce({ conditions }: Acgan): (batch: Microbatch) => Described {
  const known = new Map<Tensor, Described>();
  return ({ images, values }) => {
    const real = known.get(images) ??
      { images, values: realValues(conditions, images, { read: values }) };
    known.set(images, real);
    return real;
  };
}

function described(
  { generator, conditions }: Acgan,
  batch: Microbatch,
  real: (batch: Microbatch) => Described,
): Pair {
  const { z, values } = batch.draw;
  return {
    real: real(batch),
    fake: {
      images: generator.forward(z, encodeAll(conditions, values)),
      values: namedValues(conditions, values),
    },
  };
}

function discriminatorLoss(model: Acgan, { real, fake }: Pair, options: StepOptions): Lesson {
  const { plugins } = model, { weights = {} } = options;
  // Two passes, so that batch norm sees real pictures and fakes apart.
  const moment = momentOf(model, "discriminator", { real, fake });
  const loss = weigh(discriminatorTerms(model), moment, { weights });
  const metrics = {
    ...accuracies(model, moment),
    ...(options.health && health({
      real: { images: real.images, source: moment.real.source },
      fake: { images: fake.images, source: moment.fake.source },
    })),
    ...plugins.metrics(moment),
  };
  plugins.requireUse(loss.total);
  return { ...loss, metrics };
}

function generatorLoss(model: Acgan, pair: Pair, { weights = {} }: StepOptions): Lesson {
  const moment = momentOf(model, "generator", pair);
  return { ...weigh(generatorTerms(model), moment, { weights }), metrics: {} };
}

/**
 * One step of several optimisers against the mean of losses. Their gradients are taken one after the other: what
 * one pass needs is free again for the next.
 */
function learn(
  optimizers: readonly Optimizer[],
  losses: readonly (() => Lesson)[],
  options: StepOptions & { readonly prefix: string },
): { terms: Record<string, Tensor>; metrics: Record<string, Tensor> } {
  const { prefix, clipNorm } = options;
  const parameters = optimizers.map((optimizer) => optimizer.parameters);
  const lessons: Lesson[] = [];
  let gradients: readonly Tensor[] = [];
  for (const loss of losses) {
    const lesson = loss(), more = grad(lesson.total, parameters.flat());
    lessons.push(lesson);
    gradients = gradients.length === 0 ? more : gradients.map((sum, i) => add(sum, more[i]));
  }
  if (losses.length > 1) gradients = gradients.map((sum) => mul(sum, 1 / losses.length));
  const clipped = clipNorm === undefined
    ? undefined
    : clipGradNorm(gradients, { maxNorm: clipNorm });
  gradients = clipped?.gradients ?? gradients;
  let at = 0;
  optimizers.forEach((optimizer, i) => {
    optimizer.step(gradients.slice(at, at += parameters[i].length));
  });
  return {
    terms: averages(lessons.map(({ values }) => values)),
    metrics: {
      ...averages(lessons.map(({ metrics }) => metrics)),
      ...(clipped && { [`${prefix}.grad_norm`]: clipped.norm }),
    },
  };
}

/** The mean of each of several records' scalars. */
function averages(records: readonly Readonly<Record<string, Tensor>>[]): Record<string, Tensor> {
  const [first, ...others] = records;
  if (others.length === 0) return first;
  return Object.fromEntries(
    Object.keys(first).map((name) => [
      name,
      mul(records.map((record) => record[name]).reduce((a, b) => add(a, b)), 1 / records.length),
    ]),
  );
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

/** A training step as the loop calls it: images and values in, state changed, nothing to wait for. */
export type CompiledStep = Compiled<void>;

/** What a step is compiled for. */
export interface CompileStepOptions {
  /** Pictures in a microbatch. */
  readonly batch: number;
  readonly weights: Weights;
  readonly emaImages: number;
  readonly ring: MetricRing;
  /** Updates of the discriminator before one of the generator; 1 unless given. */
  readonly dSteps?: number;
  /** Microbatches whose gradients make an update; 1 unless given. */
  readonly accumulate?: number;
  readonly clipNorm?: number;
  readonly precision?: Precision;
}

/** How many batches of real pictures a step learns from. */
export function batchesPerStep(
  { dSteps = 1, accumulate = 1 }: Pick<CompileStepOptions, "dSteps" | "accumulate">,
): number {
  return dSteps * accumulate;
}

/**
 * Compiles the whole step into one plan: pictures from bytes `[batch, 3, size, size]`, noise and asked
 * values drawn on the GPU, both networks, their averages, and the step's metrics put into `ring`.
 *
 * Its arguments are {@linkcode batchesPerStep} times the pictures and the values of a batch. The generator
 * is shown those of the discriminator's last update.
 */
export function compileStep(model: Acgan, options: CompileStepOptions): CompiledStep {
  const { batch, ring, accumulate = 1, precision } = options;
  const { random, conditions } = model;
  const draw = (): Draw => ({
    z: random.normal([batch, model.generator.latent]),
    values: conditions.map((condition) => condition.sample(random, batch)),
  });
  return compile((...args: Tensor[]) => {
    model.rates.update(model.step.value);
    const real = inParts(args, batchesPerStep(options)).map(([bytes, ...values]) => ({
      images: fromBytes(bytes),
      values,
    }));
    const forD = real.map((batch) => ({ ...batch, draw: draw() }));
    const forG = real.slice(-accumulate).map((batch) => ({ ...batch, draw: draw() }));
    const rounds = { forD: inParts(forD, forD.length / accumulate), forG };
    ring.push(trainRounds(model, rounds, { ...options, health: true }));
    model.step.assign(add(model.step, 1));
    model.averaging.update(
      averageDecay(model.step.value, { ...options, batch: batch * accumulate }),
    );
  }, { name: "train", precision });
}

/** A list in so many parts of the same length. */
function inParts<T>(list: readonly T[], count: number): T[][] {
  const length = list.length / count;
  return Array.from({ length: count }, (_, i) => list.slice(i * length, (i + 1) * length));
}
