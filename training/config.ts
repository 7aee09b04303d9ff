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
  /** Updates of the discriminator, each on pictures of its own, before one of the generator; 1 unless given. */
  readonly dSteps?: number;
  /**
   * Microbatches whose gradients make one update, so that `accumulate * batch` pictures do; 1 unless given. Batch
   * norm sees a microbatch at a time.
   */
  readonly accumulate?: number;
  /** The most that the norm of all of a network's gradients together may be. Not clipped unless given. */
  readonly clipNorm?: number;
  /** Step size of the discriminator, where it is not `lr`. */
  readonly lrD?: number;
  /** How step sizes fall from `lrDecayFrom` to 0 at `lrDecayTo`; they do not unless given. */
  readonly lrSchedule?: RateSchedule;
  /** First steps in which step sizes grow from 0; none unless given. */
  readonly lrWarmup?: number;
  /** The step at which step sizes begin to fall; 0 unless given. */
  readonly lrDecayFrom?: number;
  /** The step from which on step sizes are 0: needed where they fall. */
  readonly lrDecayTo?: number;
  /** `f16` rounds operands of products to 16 bits, on GPUs that can; sums stay in f32. */
  readonly precision?: "f32" | "f16";
}

/** How step sizes fall. */
export type RateSchedule = typeof rateSchedules[number];

/** All of {@linkcode RateSchedule}. */
export const rateSchedules = ["constant", "linear", "cosine"] as const;

/** What settings are that need not be given. */
export const usualSettings: Partial<TrainSettings> = {
  dSteps: 1,
  accumulate: 1,
  lrSchedule: "constant",
  lrWarmup: 0,
  lrDecayFrom: 0,
  precision: "f32",
};

/**
 * Settings without those that are as they are when they are not given: two runs that compute the same are
 * described in the same words, whether or not they were made before a setting was.
 */
export function withoutDefaults<S extends TrainSettings>(settings: S): S {
  const { lr, lrSchedule = "constant" } = settings;
  const usual: Partial<TrainSettings> = { ...usualSettings, lrD: lr };
  const idle = lrSchedule === "constant" ? ["lrDecayFrom", "lrDecayTo"] : [];
  return Object.fromEntries(
    Object.entries(settings).filter(([key, value]) =>
      value !== undefined && value !== usual[key as keyof TrainSettings] && !idle.includes(key)
    ),
  ) as unknown as S;
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
  const { size, generator, discriminator, batch, lr, betas = [0.5, 0.999], dSteps }: Preset =
    presets[name];
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
    ...(dSteps !== undefined && { dSteps }),
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
  checkSteps(settings);
}

function checkSteps(settings: TrainSettings): void {
  const { dSteps = 1, accumulate = 1, lrWarmup = 0, clipNorm, lrD, lrSchedule } = settings;
  const { lrDecayFrom = 0, lrDecayTo } = settings;
  for (
    const [name, value, least] of [
      ["dSteps", dSteps, 1],
      ["accumulate", accumulate, 1],
      ["lrWarmup", lrWarmup, 0],
    ] as const
  ) {
    if (Number.isInteger(value) && value >= least) continue;
    throw new UserError(`${name} must be a whole number of at least ${least}, not ${value}`);
  }
  for (const [name, value] of [["clipNorm", clipNorm], ["lrD", lrD]] as const) {
    if (value === undefined || value > 0) continue;
    throw new UserError(`${name} must be above 0, not ${value}`);
  }
  if (lrSchedule === undefined || lrSchedule === "constant") return;
  if (lrDecayTo !== undefined && lrDecayTo > lrDecayFrom) return;
  throw new UserError(
    `With lrSchedule ${lrSchedule}, lrDecayTo must be a step after lrDecayFrom (${lrDecayFrom}), ` +
      `not ${lrDecayTo}`,
  );
}
