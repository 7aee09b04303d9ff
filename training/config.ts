import { UserError } from "../data/mod.ts";
import {
  checkNetworks,
  type NetworkSettings,
  type Preset,
  type PresetName,
  presets,
} from "../models/mod.ts";
import type { Weights } from "./terms.ts";

/** Everything that decides what a run computes. Two runs of the same settings and data are the same run. */
export interface TrainSettings extends NetworkSettings {
  readonly batch: number;
  readonly seed: number;
  /** Step size of Adam, for both networks. */
  readonly lr: number;
  /** Adam's decay rates of the first and second moments. */
  readonly betas: readonly [number, number];
  /**
   * Which pictures teach the discriminator its classes. `both` is the paper's; `real` keeps the
   * classifier honest, for it never learns from a fake that was drawn wrongly.
   */
  readonly classOn: "real" | "both";
  /** Weights of loss terms by name; 0 turns a term off, and what is not named weighs 1. */
  readonly weights: Weights;
  /** Whether pictures are mirrored at random. */
  readonly flip: boolean;
  /** Share of the pictures that is kept out of training, to check D's classifier on. */
  readonly holdout: number;
  /** Pictures after which the averaged generator has forgotten half of what it was. */
  readonly emaImages: number;
}

/** How long a run goes on and how often it reports: these may change from one start to the next. */
export interface Schedule {
  /** Steps in all, those of earlier starts included. */
  readonly steps: number;
  /** Steps between two lines of progress. */
  readonly logEvery: number;
  /** Steps between two sample grids. */
  readonly gridEvery: number;
  /** Steps between two checkpoints. */
  readonly checkpointEvery: number;
}

/** The networks and the batch of a preset, with every default of training. */
export function presetSettings(name: PresetName): TrainSettings {
  const { size, generator, discriminator, batch, lr, betas = [0.5, 0.999] }: Preset = presets[name];
  return {
    size,
    generator,
    discriminator,
    batch,
    seed: 1,
    lr,
    betas,
    classOn: "real",
    weights: {},
    flip: true,
    holdout: 0.05,
    emaImages: 10_000,
  };
}

/** The default {@linkcode Schedule}. */
export const defaultSchedule: Schedule = {
  steps: 20_000,
  logEvery: 20,
  gridEvery: 500,
  checkpointEvery: 500,
};

/**
 * Checks settings against each other. Throws a `UserError` that names the setting and says what
 * would be right.
 */
export function checkSettings(settings: TrainSettings): void {
  const { batch, holdout, lr } = settings;
  try {
    checkNetworks(settings);
  } catch (error) {
    throw new UserError((error as Error).message);
  }
  if (batch < 2) throw new UserError(`batch must be 2 or more for batch norm, not ${batch}`);
  if (!(holdout >= 0 && holdout < 1)) {
    throw new UserError(`holdout must be at least 0 and below 1, not ${holdout}`);
  }
  if (!(lr > 0)) throw new UserError(`lr must be above 0, not ${lr}`);
}
