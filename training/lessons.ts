// What each network learns from a batch: the parts that a step is made of.

import {
  clipGradNorm,
  div,
  maximum,
  mean,
  mul,
  type Optimizer,
  sum,
  type Tensor,
} from "../engine/mod.ts";
import { isLatent } from "../plugin/mod.ts";
import { type Acgan, encodeAll, hasHead } from "./acgan.ts";
import { health } from "./health.ts";
import type { Verdicts } from "./judge.ts";
import { discriminatorTerms, generatorTerms } from "./losses.ts";
import { type Described, type Moment, momentOf } from "./moment.ts";
import { type Loss, weigh, type Weights } from "./terms.ts";
import { namedValues, realValues, type Values } from "./values.ts";

/** What a batch of fakes is made from. */
export interface Draw {
  /** Noise, `[batch, latent]`. */
  readonly z: Tensor;
  /** A value of each condition, in their order. */
  readonly values: Values;
}

/** What may be changed in a step. */
export interface StepOptions {
  readonly weights?: Weights;
  /** The most that the global norm of a network's gradients may be; they are scaled down to it. */
  readonly clipNorm?: number;
  /** Whether to look at how the training fares: see {@linkcode health}. */
  readonly health?: boolean;
}

/** A loss, and what is to be logged of the way to it. */
export interface Lesson extends Loss {
  readonly metrics: Readonly<Record<string, Tensor>>;
}

/** Real pictures as moments of a step take them. `read` has the values that labels tell. */
export function describeReal(
  { conditions }: Acgan,
  images: Tensor,
  { read }: { read: Values },
): Described {
  return { images, values: realValues(conditions, images, { read }) };
}

/** What the discriminator learns from real pictures and a draw of fakes. */
export function discriminatorLesson(
  model: Acgan,
  real: Described,
  options: StepOptions & { readonly draw: Draw },
): Lesson {
  const { plugins } = model, { weights = {}, draw } = options;
  const fake = drawn(model, draw);
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

/** What the generator learns from the discriminator's verdicts on a draw of fakes. */
export function generatorLesson(
  model: Acgan,
  real: Described,
  { weights = {}, draw }: StepOptions & { readonly draw: Draw },
): Lesson {
  const moment = momentOf(model, "generator", { real, fake: drawn(model, draw) });
  return { ...weigh(generatorTerms(model), moment, { weights }), metrics: {} };
}

function drawn({ generator, conditions }: Acgan, { z, values }: Draw): Described {
  return {
    images: generator.forward(z, encodeAll(conditions, values)),
    values: namedValues(conditions, values),
  };
}

/** Who learns from a network's loss. */
export function learnersOf(model: Acgan, network: "d" | "g"): readonly Optimizer[] {
  const { optimizers, plugins } = model;
  return network === "d"
    ? [optimizers.discriminator, ...plugins.optimizers]
    : [optimizers.generator];
}

/**
 * One step of optimisers against the gradients of all their parameters. Returns what is to be logged of it, by
 * the network's letter.
 */
export function update(
  optimizers: readonly Optimizer[],
  gradients: readonly Tensor[],
  { clipNorm, network }: { clipNorm: number | undefined; network: "d" | "g" },
): Record<string, Tensor> {
  const clipped = clipNorm === undefined
    ? undefined
    : clipGradNorm(gradients, { maxNorm: clipNorm });
  let at = 0;
  for (const optimizer of optimizers) {
    const count = optimizer.parameters.length;
    optimizer.step((clipped?.gradients ?? gradients).slice(at, at += count));
  }
  return clipped ? { [`${network}.grad_norm`]: clipped.norm } : {};
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
