import { Device } from "../engine/mod.ts";
import type { PictureSource } from "../plugin/mod.ts";
import { accuracyByColumn, discriminabilityCurve, type Judged } from "./accuracy.ts";
import { FEATURES } from "./classifier.ts";
import type { KeptClassifier } from "./classifier_store.ts";
import { diversityByColumn, DiversityMeter } from "./diversity.ts";
import { featureReport } from "./feature_scores.ts";
import { acrossValues, classStrips, type Gallery, interpolations } from "./gallery.ts";
import { type InceptionJudge, inceptionReport } from "./inception_report.ts";
import { Judge } from "./judge.ts";
import { realPictures } from "./material.ts";
import { memorisation } from "./memorisation.ts";
import { first, type LabelledPictures, picturesOf } from "./pictures.ts";
import type { Report } from "./report.ts";
import { drawSamples } from "./samples.ts";
import { type Split, withMirrors } from "./split.ts";
import { type StageListener, Stages } from "./stages.ts";

/** Samples whose nearest neighbours are looked for: as many as held-out pictures, within these bounds. */
const SOUGHT = { least: 100, most: 250 };

/** What is evaluated, and against what. */
export interface Subject {
  readonly pictures: PictureSource;
  readonly split: Split;
  readonly classifier: KeptClassifier;
  /** Whether training mirrored pictures: then real ones are, too. */
  readonly flip: boolean;
  /** A second network to measure distances in. */
  readonly inception?: InceptionJudge;
}

/** How much is looked at. */
export interface EvaluationOptions extends StageListener {
  /** Samples to draw. */
  readonly samples: number;
  /** Pairs a class for MS-SSIM; the paper's 100 by default. */
  readonly pairs?: number;
  readonly seed: number;
}

/** What of a report does not come from measuring. */
export type Heading = Pick<Report, "run" | "step" | "weights"> & {
  readonly data: Pick<Report["data"], "fingerprint" | "same">;
};

/**
 * Measures samples of a run against its data: every figure of a {@linkcode Report}, and pictures to look at.
 * The same subject, seed and adapter give the same figures, but for the times.
 */
export async function evaluate(
  subject: Subject,
  heading: Heading,
  options: EvaluationOptions,
): Promise<{ report: Report; gallery: Gallery }> {
  const { pictures, split, classifier, flip } = subject, { seed, pairs = 100 } = options;
  const { size, columns } = split.train;
  const stages = new Stages(options), judge = new Judge(classifier.classifier);
  const real = realPictures(split.train, { flip, seed }), heldOut = picturesOf(split.heldOut);

  const samples = await stages.run(
    "samples",
    (onProgress) =>
      drawSamples(pictures, split.train, { count: options.samples, seed, onProgress }),
  );
  const others = first(real.others, samples.count);
  const [ofSamples, ofReference, ofOthers, ofHeldOut] = await stages.run(
    "classifier",
    (onProgress) => judgeAll(judge, [samples, real.reference, others, heldOut], onProgress),
  );
  const accuracy = accuracyByColumn(columns, { samples: ofSamples, real: ofHeldOut });
  const discriminability = await stages.run(
    "discriminability",
    (onProgress) => discriminabilityCurve(judge, columns, { samples, real: heldOut, onProgress }),
  );
  const meter = new DiversityMeter(size, { pairs });
  const diversity = await stages.run(
    "MS-SSIM",
    (onProgress) =>
      diversityByColumn(meter, columns, { samples, real: real.seen, seed, onProgress }),
  );
  const unseen = split.unseenByRun ? ofHeldOut : firstOf(ofHeldOut, 0);
  const features = await stages.run("distances", (onProgress) => {
    const [reference, samples, others, heldOut] = [ofReference, ofSamples, ofOthers, unseen]
      .map(({ opinion }) => opinion.features);
    let done = 0;
    return featureReport({ reference, samples, others, heldOut }, {
      dimensions: FEATURES,
      seed,
      onScored: () => onProgress(++done, 4),
    });
  });
  const inception = subject.inception && await inceptionReport(
    subject.inception,
    { ...real, samples, heldOut: unseen.of },
    { seed, stages },
  );
  const sought = Math.max(SOUGHT.least, Math.min(SOUGHT.most, unseen.of.count));
  const [known] = await stages.run(
    "features of the training set",
    (onProgress) => judgeAll(judge, [withMirrors(real.train)], onProgress),
  );
  const neighbours = await stages.run(
    "nearest neighbours",
    (onProgress) =>
      memorisation(known, {
        samples: firstOf(ofSamples, sought),
        novel: firstOf(unseen, sought),
        onProgress,
      }),
  );
  const gallery = await stages.run("pictures of the report", async (): Promise<Gallery> => ({
    classes: await classStrips(columns, { samples, real: real.seen }),
    across: await acrossValues(pictures, { seed }),
    interpolations: await interpolations(pictures, { seed }),
    nearest: neighbours.shown,
  }));

  const { name, picturesSeen } = classifier;
  const report: Report = {
    format: 1,
    ...heading,
    size,
    seed,
    adapter: Device.default.adapter.name,
    samples: samples.count,
    data: { ...heading.data, train: split.train.count, heldOut: heldOut.count },
    classifier: { name, features: FEATURES, picturesSeen, accuracy: classifier.accuracy },
    accuracy,
    discriminability,
    msSsim: { convention: meter.convention, columns: diversity },
    features,
    ...(inception && { inception }),
    neighbours: neighbours.figures,
    seconds: stages.seconds,
  };
  return { report, gallery };
}

async function judgeAll(
  judge: Judge,
  sets: readonly LabelledPictures[],
  onProgress: (done: number, total: number) => void,
): Promise<Judged[]> {
  const total = sets.reduce((sum, { count }) => sum + count, 0), judged: Judged[] = [];
  let before = 0;
  for (const of of sets) {
    const told = (done: number) => onProgress(before + done, total);
    judged.push({ of, opinion: await judge.ask(of, { onProgress: told }) });
    before += of.count;
  }
  return judged;
}

/** The first so many pictures with what the classifier says of them. */
function firstOf({ of, opinion }: Judged, count: number): Judged {
  const part = first(of, count);
  const guesses = Object.entries(opinion.guesses).map(([name, guess]) =>
    [name, guess.subarray(0, part.count)] as const
  );
  return {
    of: part,
    opinion: {
      features: opinion.features.subarray(0, part.count * FEATURES),
      guesses: Object.fromEntries(guesses),
    },
  };
}
