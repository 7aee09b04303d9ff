// What compiled training steps have in common, whatever they learn from.

import {
  add,
  cast,
  type Compiled,
  div,
  exp,
  minimum,
  mul,
  type Precision,
  type Tensor,
} from "../engine/mod.ts";
import type { Acgan } from "./acgan.ts";
import type { Draw } from "./lessons.ts";
import type { MetricRing } from "./metric_ring.ts";
import type { Weights } from "./terms.ts";

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

/** A draw of fakes by the model's own random numbers. */
export function drawBatch(
  { random, generator, conditions }: Acgan,
  { batch }: { batch: number },
): Draw {
  return {
    z: random.normal([batch, generator.latent]),
    values: conditions.map((condition) => condition.sample(random, batch)),
  };
}

/** Counts a step, and moves the averaged generator. */
export function finish(model: Acgan, options: CompileStepOptions): void {
  const { batch, accumulate = 1, emaImages } = options;
  model.step.assign(add(model.step, 1));
  model.averaging.update(
    averageDecay(model.step.value, { batch: batch * accumulate, emaImages }),
  );
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
