// What `kao eval` and `kao train --eval-every` have in common.

import { type Dataset, UserError } from "../data/mod.ts";
import {
  evaluator,
  type KeptClassifier,
  keptClassifier,
  type Split,
  splitLikeRun,
} from "../evaluation/mod.ts";
import type { Options } from "../plugin/mod.ts";
import type { ChooseKernels, Evaluation } from "../training/mod.ts";
import { countAloud, formatDuration } from "./progress.ts";

/** The options of `train` for evaluations on the way. */
export const evalOptions = {
  evalEvery: {
    type: "integer",
    min: 1,
    help:
      "Steps between evaluations by a separate classifier, logged as eval.NAME; by default none",
  },
  evalSamples: {
    type: "integer",
    min: 12,
    max: 100_000,
    default: 500,
    help: "Samples of each of them",
  },
} as const satisfies Options;

/** How often progress is told. */
const SAY_MS = 2000;

/** The seed of what is drawn to be evaluated while training; another one than any picture of a grid has. */
const SEED = 1_000_000;

/** Splits the data as the run does, and finds or trains the classifier that judges. */
export async function findClassifier(
  dataset: Dataset,
  options: { holdout: number; seed: number; cache: string; chooseKernels?: ChooseKernels },
): Promise<{ split: Split; classifier: KeptClassifier }> {
  const onMessage = (message: string): void => console.error(message);
  const split = splitLikeRun(dataset, {
    ...options,
    onProgress: countAloud("Looked for copies of", "held-out pictures"),
  });
  if (split.copies > 0) {
    onMessage(
      `Left out ${split.copies} held-out pictures: the training set has them, or their mirror image`,
    );
  }
  const classifier = await keptClassifier(split, {
    folder: `${options.cache}/classifiers`,
    chooseKernels: options.chooseKernels,
    onMessage,
    onProgress: slowly(({ step, steps, secondsLeft, accuracy }) => {
      const shares = Object.entries(accuracy).map(([name, share]) => `${name} ${percent(share)}`);
      const held = shares.length > 0 ? `  held-out: ${shares.join(", ")}` : "";
      onMessage(`classifier ${step}/${steps}  ${formatDuration(secondsLeft)} left${held}`);
    }),
  });
  if (classifier.reused) {
    onMessage(`Classifier ${classifier.name}, as kept in ${options.cache}/classifiers`);
  }
  return { split, classifier };
}

/**
 * The evaluation that `train` was asked for, if it was.
 *
 * @param about.claimed label columns that are no classes.
 */
export async function evaluationOf(
  dataset: Dataset,
  options: { readonly evalEvery?: number; readonly evalSamples: number; readonly cache: string },
  about: {
    settings: { readonly holdout: number; readonly seed: number; readonly flip: boolean };
    claimed: readonly string[];
    chooseKernels?: ChooseKernels;
  },
): Promise<Evaluation | undefined> {
  const { evalEvery: every, evalSamples: samples, cache } = options;
  if (every === undefined) return undefined;
  const { settings: { holdout, seed, flip }, claimed, chooseKernels } = about;
  const classes = withColumns(
    dataset,
    dataset.columns.map(({ name }) => name).filter((name) => !claimed.includes(name)),
  );
  if (classes.columns.length === 0) {
    throw new UserError(
      "--eval-every needs a label column of classes, for the classifier to learn",
    );
  }
  const judge = await findClassifier(classes, { holdout, seed, cache, chooseKernels });
  return await evaluator({ ...judge, flip }, { every, samples, seed: SEED });
}

/** A data set with some of its label columns. */
export function withColumns(dataset: Dataset, names: readonly string[]): Dataset {
  const { columns, labels } = dataset;
  return {
    ...dataset,
    columns: columns.filter(({ name }) => names.includes(name)),
    labels: labels.filter((_, i) => names.includes(columns[i].name)),
  };
}

/** Calls a function at most every {@linkcode SAY_MS}. */
export function slowly<T>(say: (value: T) => void): (value: T) => void {
  let saidAt = performance.now();
  return (value) => {
    if (performance.now() - saidAt < SAY_MS) return;
    saidAt = performance.now();
    say(value);
  };
}

/** A share in per cent, with one digit more than whole ones. */
export function percent(share: number | null): string {
  return share === null ? "–" : `${(100 * share).toFixed(1)}%`;
}
