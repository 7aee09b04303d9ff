// How long the steps of the optimisers are, as a function of the step.

import {
  add,
  cast,
  cos,
  div,
  maximum,
  minimum,
  mul,
  sub,
  type Tensor,
  Variable,
} from "../engine/mod.ts";
import type { TrainSettings } from "./config.ts";

/** The settings that step lengths depend on. */
export type RateSettings = Pick<
  TrainSettings,
  "lr" | "lrD" | "lrSchedule" | "lrWarmup" | "lrDecayFrom" | "lrDecayTo"
>;

/**
 * The step length of each network's optimiser: a number, or where it is scheduled a variable, which
 * {@linkcode LearningRates.update} sets in every step from the number of the step. It is no part of a
 * checkpoint, since the step tells it.
 */
export class LearningRates {
  readonly generator: number | Variable;
  /** Of the discriminator, and of networks that plugins bring. */
  readonly discriminator: number | Variable;
  readonly #settings: RateSettings;

  constructor(settings: RateSettings) {
    const { lr, lrD = lr, lrSchedule = "constant", lrWarmup = 0 } = settings;
    const changes = lrSchedule !== "constant" || lrWarmup > 0;
    const rate = (lr: number): number | Variable => changes ? new Variable([lr], []) : lr;
    this.#settings = settings;
    this.generator = rate(lr);
    this.discriminator = lrD === lr ? this.generator : rate(lrD);
  }

  /** Sets the step lengths for a step, counted from 0. Only inside `compile`; before the optimisers step. */
  update(step: Tensor): void {
    const { lr, lrD = lr } = this.#settings;
    const factor = () => rateFactor(step, this.#settings);
    if (this.generator instanceof Variable) this.generator.assign(mul(factor(), lr));
    if (this.discriminator instanceof Variable && this.discriminator !== this.generator) {
      this.discriminator.assign(mul(factor(), lrD));
    }
  }
}

/**
 * The share of the full step length at a step: it grows in a straight line over the first `lrWarmup` steps, then
 * stays at 1, and from `lrDecayFrom` to `lrDecayTo` falls to 0 in a straight line, or along half a period
 * of the cosine (Loshchilov & Hutter 2017, equation 5).
 */
export function rateFactor(step: Tensor, settings: RateSettings): Tensor {
  const { lrSchedule = "constant", lrWarmup = 0, lrDecayFrom = 0, lrDecayTo } = settings;
  const done = cast(step, "f32");
  const grown = lrWarmup > 0 ? minimum(div(add(done, 1), lrWarmup), 1) : undefined;
  if (lrSchedule === "constant" || lrDecayTo === undefined) return grown ?? add(mul(done, 0), 1);
  const way = minimum(maximum(div(sub(done, lrDecayFrom), lrDecayTo - lrDecayFrom), 0), 1);
  const left = lrSchedule === "linear" ? sub(1, way) : mul(add(cos(mul(way, Math.PI)), 1), 0.5);
  return grown ? mul(grown, left) : left;
}
