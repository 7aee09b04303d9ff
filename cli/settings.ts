// The options that decide the numbers of a run, and the settings that they are.

import { UserError } from "../data/mod.ts";
import { type PresetName, presets } from "../models/mod.ts";
import type { GivenValues, Options } from "../plugin/mod.ts";
import {
  LARGEST_SEED,
  presetSettings,
  rateSchedules,
  type TrainSettings,
  usualSettings,
  type Weights,
} from "../training/mod.ts";
import { networkOptions, networksOf, networkValues } from "./networks.ts";

/** All presets. */
export const presetNames = Object.keys(presets) as PresetName[];

/** What decides the numbers of a run; each of these left out is as the run or its preset has it. */
export const settingOptions = {
  preset: {
    type: "choice",
    choices: presetNames,
    help: `Networks to begin with: ${
      presetNames.map((name) => `${name} (${presets[name].help})`).join(", ")
    }; by default small32 on a CPU, else acgan64`,
  },
  ...networkOptions,
  batch: { type: "integer", min: 2, help: "Pictures in a batch" },
  accumulate: {
    type: "integer",
    min: 1,
    help:
      "Batches whose gradients make one update, as if the batch were so much larger: memory is that of one, and " +
      "batch norm sees one at a time; 1 unless given",
  },
  dSteps: {
    type: "integer",
    min: 1,
    help: "Updates of the discriminator before each of the generator; 1 unless given",
  },
  seed: { type: "integer", min: 0, max: LARGEST_SEED, help: "Seed of everything random" },
  lr: { type: "number", min: 0, help: "Step size of Adam" },
  lrD: { type: "number", min: 0, help: "Step size of the discriminator's Adam, where it differs" },
  betas: {
    type: "list",
    placeholder: "n,n",
    help: "Adam's decay rates of the first and second moments",
  },
  lrSchedule: {
    type: "choice",
    choices: rateSchedules,
    help: "How step sizes fall to 0: not at all, in a straight line, or by half a cosine",
  },
  lrWarmup: { type: "integer", min: 0, help: "First steps in which step sizes grow from 0" },
  lrDecayFrom: {
    type: "integer",
    min: 0,
    help: "The step at which step sizes begin to fall; 0 unless given",
  },
  lrDecayTo: {
    type: "integer",
    min: 1,
    help:
      "The step from which on step sizes are 0; the last one of the run's first start unless given",
  },
  clipNorm: {
    type: "number",
    min: 0,
    help: "The most that the norm of a network's gradients may be; not clipped unless given",
  },
  precision: {
    type: "choice",
    choices: ["f32", "f16"],
    help: "Operands of products in 16 bits, on GPUs that can; sums and weights stay in 32",
  },
  classOn: {
    type: "choice",
    choices: ["real", "both"],
    help: "Which pictures teach the discriminator its classes: real ones, or fakes as well",
  },
  weights: {
    type: "list",
    placeholder: "term=n,...",
    help: "Weights of loss terms by the names that the progress line shows; 0 turns a term off",
  },
  flip: { type: "boolean", default: true, help: "Do not mirror pictures at random" },
  holdout: {
    type: "number",
    min: 0,
    max: 0.9,
    help: "Share of pictures kept to test the classifier",
  },
  emaImages: {
    type: "integer",
    min: 1,
    help: "Pictures in which the averaged generator half forgets",
  },
} as const satisfies Options;

/** Those of {@linkcode settingOptions} that were given. */
export type GivenSettings = GivenValues<typeof settingOptions>;

/** Lays the options that were given over `base`; a preset that was given replaces `base`. */
export function settingsOf(given: GivenSettings, base: TrainSettings): TrainSettings {
  const { preset, weights, betas, ...plain } = pickSettings(given);
  const from = preset === undefined ? base : presetSettings(preset);
  const others = Object.entries(plain).filter(([key]) => !Object.hasOwn(networkOptions, key));
  return {
    ...from,
    ...Object.fromEntries(others),
    ...networksOf(plain, from),
    ...(betas && { betas: betasOf(betas) }),
    weights: weights ? weightsOf(weights) : from.weights,
  };
}

/**
 * The options that make settings what they are: {@linkcode settingsOf} makes the same of them again. They name the
 * preset that is the most like them.
 */
export function valuesOf(settings: TrainSettings): GivenSettings {
  const { weights, betas } = settings;
  const plain = Object.entries({ ...usualSettings, ...settings }).filter(([key]) =>
    Object.hasOwn(settingOptions, key) && !Object.hasOwn(networkOptions, key)
  );
  const values = {
    ...Object.fromEntries(plain),
    ...networkValues(settings),
    betas: betas.map(String),
    weights: Object.entries(weights).map(([term, weight]) => `${term}=${weight}`),
  };
  return { preset: nearestPreset(settings), ...values };
}

/** The preset from which the fewest settings differ. */
function nearestPreset(settings: TrainSettings): PresetName {
  const differing = (name: PresetName): number => {
    const preset: Partial<Record<string, unknown>> = { ...presetSettings(name) };
    return Object.entries(settings)
      .filter(([key, value]) => JSON.stringify(preset[key]) !== JSON.stringify(value)).length;
  };
  const counts = presetNames.map(differing);
  return presetNames[counts.indexOf(Math.min(...counts))];
}

function pickSettings(given: GivenSettings): GivenSettings {
  return Object.fromEntries(Object.entries(given).filter(([key]) => key in settingOptions));
}

function weightsOf(words: readonly string[]): Weights {
  return Object.fromEntries(words.map((word) => {
    const [term, text] = word.split("=");
    const weight = Number(text || NaN);
    if (Number.isFinite(weight)) return [term, weight];
    throw new UserError(`--weights must look like g.adv=1,d.adv_real=0.5, not ${word}`);
  }));
}

function betasOf(words: readonly string[]): [number, number] {
  const [first, second, ...others] = words.map(Number);
  const fits = (x: number | undefined): boolean => x !== undefined && x >= 0 && x < 1;
  if (fits(first) && fits(second) && others.length === 0) return [first, second];
  throw new UserError(
    `--betas must be two numbers from 0 to below 1, such as 0.5,0.999, not ${words.join(",")}`,
  );
}
