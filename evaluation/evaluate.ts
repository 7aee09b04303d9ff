import { Device, HostGenerator } from "../engine/mod.ts";
import { accuracyOf, confusion, nearest, recallByClass } from "../metrics/mod.ts";
import type { PictureSource } from "../plugin/mod.ts";
import { FEATURES } from "./classifier.ts";
import type { KeptClassifier } from "./classifier_store.ts";
import { DiversityMeter } from "./diversity.ts";
import { featureScores, LEAST_PICTURES } from "./feature_scores.ts";
import { acrossValues, classStrips, type Gallery, interpolations, plate } from "./gallery.ts";
import { Judge, type Opinion } from "./judge.ts";
import { memorisation } from "./memorisation.ts";
import { first, type LabelledPictures, mirrored, pick, picturesOf, shuffled } from "./pictures.ts";
import type { ColumnAccuracy, ColumnDiversity, Report } from "./report.ts";
import { drawSamples } from "./samples.ts";
import { type Split, withMirrors } from "./split.ts";
import { type StageListener, Stages } from "./stages.ts";

/** The smallest side that pictures are brought down to for the curve of discriminability. */
const SMALLEST = 4;
/** Samples that nearest neighbours are looked for, at most, and how many of them are shown. */
const SOUGHT = 500, SHOWN = 8;

/** What is evaluated, and against what. */
export interface Subject {
  readonly pictures: PictureSource;
  readonly split: Split;
  readonly classifier: KeptClassifier;
  /** Whether training mirrored pictures: then real ones are, too. */
  readonly flip: boolean;
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

/** Measures samples of a run against its data: every figure of a {@linkcode Report}, and pictures to look at. */
export async function evaluate(
  subject: Subject,
  heading: Heading,
  options: EvaluationOptions,
): Promise<{ report: Report; gallery: Gallery }> {
  const { pictures, split, classifier, flip } = subject, { seed, pairs = 100 } = options;
  const { train, unseenByRun } = split, { size, columns } = train;
  const stages = new Stages(options), judge = new Judge(classifier.classifier);
  const generator = new HostGenerator(seed);

  // Real pictures as training saw them, in a random order, and those that it did not see.
  const known = picturesOf(train);
  const seen = pick(known, shuffled(known.count, generator));
  const shown = flip ? mirrored(seen, () => generator.uniform() < 0.5) : seen;
  const heldOut = picturesOf(split.heldOut);
  const half = Math.ceil(shown.count / 2);
  const reference = first(shown, half);
  const others = first(
    pick(shown, Array.from({ length: shown.count - half }, (_, i) => half + i)),
    options.samples,
  );

  const samples = await stages.run(
    "samples",
    (onProgress) =>
      drawSamples(pictures, train, { ...options, count: options.samples, onProgress }),
  );
  const [ofSamples, ofReference, ofOthers, ofHeldOut] = await stages.run(
    "classifier",
    async (onProgress): Promise<Opinion[]> => {
      const sets = [samples, reference, others, heldOut], opinions: Opinion[] = [];
      const total = sets.reduce((sum, { count }) => sum + count, 0);
      let before = 0;
      for (const set of sets) {
        opinions.push(
          await judge.ask(set, { onProgress: (done) => onProgress(before + done, total) }),
        );
        before += set.count;
      }
      return opinions;
    },
  );

  const accuracy: Record<string, ColumnAccuracy> = Object.fromEntries(
    columns.map(({ name, classes }) => [
      name,
      columnAccuracy(name, classes, {
        samples: { of: samples, opinion: ofSamples },
        real: { of: heldOut, opinion: ofHeldOut },
      }),
    ]),
  );
  const discriminability = await stages.run("discriminability", async (onProgress) => {
    const rows: Report["discriminability"][number][] = [], asked = first(samples, MOST_SHRUNK);
    const sides = smallerSides(size);
    for (const [i, side] of sides.entries()) {
      const ask = { shrunk: size / side };
      const opinions = {
        samples: await judge.ask(asked, ask),
        real: await judge.ask(heldOut, ask),
      };
      const entries = columns.map(({ name, classes }) => {
        const score = (of: LabelledPictures, { guesses }: Opinion): number | null =>
          orNull(
            accuracyOf(confusion(of.labels[name], guesses[name], { classes: classes.length })),
          );
        return [name, {
          samples: score(asked, opinions.samples),
          real: score(heldOut, opinions.real),
        }];
      });
      rows.push({ size: side, columns: Object.fromEntries(entries) });
      onProgress(i + 1, sides.length);
    }
    return rows;
  });

  const meter = new DiversityMeter(size, { pairs });
  const diversity = await stages.run("MS-SSIM", async (onProgress) => {
    const total = 2 * columns.reduce((sum, { classes }) => sum + classes.length, 0);
    const result: Record<string, ColumnDiversity> = {};
    let done = 0;
    for (const { name, classes } of columns) {
      const measure = (of: LabelledPictures): Promise<(number | null)[]> =>
        meter.measure(of, name, {
          classes: classes.length,
          seed,
          onClass: () => onProgress(++done, total),
        });
      result[name] = columnDiversity(classes, {
        samples: await measure(samples),
        real: await measure(shown),
      });
    }
    return result;
  });

  const features = await stages.run("distances", (onProgress) => {
    const sets = {
      samples: ofSamples.features,
      real: ofOthers.features,
      heldOut: unseenByRun ? ofHeldOut.features : new Float32Array(),
      samplesAsHeldOut: ofSamples.features.subarray(0, unseenByRun ? ofHeldOut.features.length : 0),
    };
    const enough = (set: Float32Array): boolean => set.length >= LEAST_PICTURES * FEATURES;
    const scores = Object.entries(sets).map(([name, set], i) => {
      const score = enough(set) ? featureScores(ofReference.features, set, { seed }) : null;
      onProgress(i + 1, 4);
      return [name, score];
    });
    return Object.fromEntries(scores) as Report["features"];
  });

  const sought = first(samples, Math.min(SOUGHT, Math.max(heldOut.count, 100)));
  const neighbours = await stages.run("nearest neighbours", async (onProgress) => {
    const all = withMirrors(known),
      novel = unseenByRun ? first(heldOut, SOUGHT) : first(heldOut, 0);
    const total = 2 * (sought.count + novel.count);
    const allFeatures = (await judge.ask(all)).features;
    let before = 0;
    const find = (queries: Uint8Array | Float32Array, norm: "l1" | "l2") => {
      const length = norm === "l1" ? 3 * size ** 2 : FEATURES;
      const found = nearest(queries, norm === "l1" ? all.images : allFeatures, {
        length,
        norm,
        onProgress: (done) => onProgress(before + done, total),
      });
      before += queries.length / length;
      return norm === "l1"
        ? { ...found, distance: found.distance.map((sum) => sum / length) }
        : found;
    };
    const part = (opinion: Opinion, count: number) =>
      opinion.features.subarray(0, count * FEATURES);
    const ofPixels = find(sought.images, "l1"), ofNovelPixels = find(novel.images, "l1");
    const ofFeatures = find(part(ofSamples, sought.count), "l2");
    const ofNovelFeatures = find(part(ofHeldOut, novel.count), "l2");
    const shownPairs = await Promise.all(
      [...ofPixels.distance.keys()].sort((a, b) => ofPixels.distance[a] - ofPixels.distance[b])
        .slice(0, SHOWN).map(async (i) => {
          const one = async (found: typeof ofPixels) => ({
            index: found.index[i] % known.count,
            mirrored: found.index[i] >= known.count,
            distance: found.distance[i],
            plate: await plate(pick(all, [found.index[i]]).images, size, 1),
          });
          return {
            sample: await plate(pick(sought, [i]).images, size, 1),
            pixels: await one(ofPixels),
            features: await one(ofFeatures),
          };
        }),
    );
    return {
      pixels: memorisation(ofPixels.distance, ofNovelPixels.distance),
      features: memorisation(ofFeatures.distance, ofNovelFeatures.distance),
      shown: shownPairs,
    };
  });

  const gallery = await stages.run("pictures of the report", async (): Promise<Gallery> => ({
    classes: await classStrips(columns, { samples, real: seen }),
    across: await acrossValues(pictures, { seed }),
    interpolations: await interpolations(pictures, { seed }),
    nearest: neighbours.shown,
  }));
  const { name, accuracy: onHeldOut, picturesSeen } = classifier;
  const report: Report = {
    format: 1,
    ...heading,
    size,
    seed,
    adapter: Device.default.adapter.name,
    samples: samples.count,
    data: { ...heading.data, train: train.count, heldOut: heldOut.count },
    classifier: { name, features: FEATURES, picturesSeen, accuracy: onHeldOut },
    accuracy,
    discriminability,
    msSsim: { convention: meter.convention, columns: diversity },
    features,
    neighbours: { pixels: neighbours.pixels, features: neighbours.features },
    seconds: stages.seconds,
  };
  return { report, gallery };
}

/** Samples that are judged at each lower size. */
const MOST_SHRUNK = 1000;

/** Every power-of-two share of a side, the whole one last. */
function smallerSides(size: number): number[] {
  const sides = [size];
  while (sides[0] % 2 === 0 && sides[0] / 2 >= SMALLEST) sides.unshift(sides[0] / 2);
  return sides;
}

interface Judged {
  readonly of: LabelledPictures;
  readonly opinion: Opinion;
}

function columnAccuracy(
  column: string,
  classes: readonly string[],
  sets: { samples: Judged; real: Judged },
): ColumnAccuracy {
  const [samples, real] = [sets.samples, sets.real].map(({ of, opinion }) =>
    confusion(of.labels[column], opinion.guesses[column], { classes: classes.length })
  );
  const [bySamples, byReal] = [samples, real].map(recallByClass);
  const count = (row: readonly number[]): number => row.reduce((sum, n) => sum + n, 0);
  return {
    samples: orNull(accuracyOf(samples)),
    real: orNull(accuracyOf(real)),
    classes: classes.map((name, i) => ({
      name,
      samples: orNull(bySamples[i]),
      real: orNull(byReal[i]),
      counts: { samples: count(samples[i]), real: count(real[i]) },
    })),
    confusion: { samples, real },
  };
}

function columnDiversity(
  classes: readonly string[],
  { samples, real }: { samples: (number | null)[]; real: (number | null)[] },
): ColumnDiversity {
  const greatest = Math.max(...real.filter((x) => x !== null));
  const told = samples.filter((x) => x !== null);
  return {
    mean: { samples: meanOf(samples), real: meanOf(real) },
    classes: classes.map((name, i) => ({ name, samples: samples[i], real: real[i] })),
    classesBelowRealMaximum: orNull(told.filter((x) => x <= greatest).length / told.length),
  };
}

function meanOf(numbers: readonly (number | null)[]): number | null {
  const known = numbers.filter((x) => x !== null);
  return orNull(known.reduce((sum, x) => sum + x, 0) / known.length);
}

/** JSON has no NaN: what could not be told is null. */
function orNull(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}
