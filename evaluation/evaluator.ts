// Evaluation while training: few samples, and the figures that tell whether a run gets better or collapses.

import type { Evaluation } from "../training/mod.ts";
import { accuracyByColumn } from "./accuracy.ts";
import { FEATURES } from "./classifier.ts";
import type { KeptClassifier } from "./classifier_store.ts";
import { DiversityMeter } from "./diversity.ts";
import { featureScorer } from "./feature_scores.ts";
import { Judge } from "./judge.ts";
import { realPictures } from "./material.ts";
import { first, type LabelledPictures, picturesOf } from "./pictures.ts";
import { drawSamples } from "./samples.ts";
import type { Split } from "./split.ts";

/** Pictures of the training set that samples are compared to, at most. */
const REFERENCE = 2000;

/**
 * An evaluation for the time of training. Each run draws the same requests, so that figures of two steps differ
 * by the weights alone. It gives
 *
 * - `accuracy.COLUMN`, the share that the classifier takes for what it was asked to be;
 * - `ms_ssim.COLUMN`, the mean over classes of how alike two samples of a class are, and
 *   `ms_ssim.excess.COLUMN`, by how much that is above real pictures': it grows when a run collapses;
 * - `frechet`, `kernel_distance`, `precision`, `recall`, `density` and `coverage` in the classifier's features.
 *
 * @param options.samples how many are drawn each time, 500 by default.
 * @param options.pairs pairs a class for MS-SSIM, 25 by default.
 */
export async function evaluator(
  { split, classifier, flip }: { split: Split; classifier: KeptClassifier; flip: boolean },
  options: { every: number; seed: number; samples?: number; pairs?: number },
): Promise<Evaluation> {
  const { every, seed, samples: count = 500, pairs = 25 } = options, { train, heldOut } = split;
  const { columns, size } = train;
  const judge = new Judge(classifier.classifier), meter = new DiversityMeter(size, { pairs });
  const real = realPictures(train, { flip, seed }), unseen = picturesOf(heldOut);
  const reference = await judge.ask(first(real.reference, REFERENCE));
  const score = featureScorer(reference.features, { dimensions: FEATURES, seed });
  const ofUnseen = { of: unseen, opinion: await judge.ask(unseen) };
  const alike = (of: LabelledPictures): Promise<Record<string, number | null>> =>
    meter.means(of, columns, { seed });
  const alikeReal = await alike(real.seen);
  return {
    every,
    async run(pictures) {
      const samples = await drawSamples(pictures, train, { count, seed });
      const ofSamples = { of: samples, opinion: await judge.ask(samples) };
      const accuracy = accuracyByColumn(columns, { samples: ofSamples, real: ofUnseen });
      const alikeSamples = await alike(samples);
      const { frechet, kernel, precision, recall, density, coverage } = score(
        ofSamples.opinion.features,
      );
      const figures: [string, number | null][] = columns.flatMap(({ name }) => {
        const samples = alikeSamples[name], real = alikeReal[name];
        const excess = samples === null || real === null ? null : samples - real;
        return [
          [`accuracy.${name}`, accuracy[name].samples],
          [`ms_ssim.${name}`, samples],
          [`ms_ssim.excess.${name}`, excess],
        ];
      });
      const known = figures.filter((entry): entry is [string, number] => entry[1] !== null);
      return {
        ...Object.fromEntries(known),
        frechet,
        kernel_distance: kernel,
        precision,
        recall,
        density,
        coverage,
      };
    },
  };
}
