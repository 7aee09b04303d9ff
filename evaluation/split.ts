import { type Dataset, splitDataset } from "../data/mod.ts";
import { nearest } from "../metrics/mod.ts";
import { joined, type LabelledPictures, mirrored, picturesOf } from "./pictures.ts";

/** Pictures whose mean difference is below this, of 255, are copies, or made of one by another encoder. */
const COPY = 2;
/** Held out for the classifier where a run held nothing out. */
const HOLDOUT = 0.05;

/** A data set as a run split it, with held-out pictures that have no copy among those trained on. */
export interface Split {
  readonly train: Dataset;
  readonly heldOut: Dataset;
  /** Whether the run was trained without them, too. */
  readonly unseenByRun: boolean;
  /** Held-out pictures that were left out, for the training set has them or their mirror image. */
  readonly copies: number;
}

/**
 * Splits a data set as training with these settings does. Where training held nothing out, the classifier
 * still has to be tried on something, and the run was trained on that.
 */
export function splitLikeRun(
  dataset: Dataset,
  options: { holdout: number; seed: number; onProgress?: (done: number, total: number) => void },
): Split {
  const { holdout, seed, onProgress } = options;
  const given = splitDataset(dataset, { holdout, seed });
  const unseenByRun = given.holdout.count > 0;
  const { train, holdout: apart } = unseenByRun
    ? given
    : splitDataset(dataset, { holdout: Math.max(1, Math.round(HOLDOUT * dataset.count)), seed });
  const length = 3 * dataset.size ** 2;
  const { index } = nearest(apart.images, withMirrors(picturesOf(train)).images, {
    length,
    width: dataset.size,
    norm: "l1",
    within: COPY * length,
    onProgress,
  });
  const kept = Array.from(index.keys()).filter((i) => index[i] < 0);
  const heldOut = kept.length === 0 || kept.length === apart.count ? apart : only(apart, kept);
  return { train, heldOut, unseenByRun, copies: apart.count - heldOut.count };
}

/** Pictures, and then their mirror images. */
export function withMirrors(pictures: LabelledPictures): LabelledPictures {
  return joined(pictures, mirrored(pictures));
}

function only(dataset: Dataset, picks: readonly number[]): Dataset {
  const bytes = 3 * dataset.size ** 2, images = new Uint8Array(picks.length * bytes);
  picks.forEach((from, to) => {
    images.set(dataset.images.subarray(from * bytes, (from + 1) * bytes), to * bytes);
  });
  return {
    ...dataset,
    count: picks.length,
    images,
    labels: dataset.labels.map((column) => Int32Array.from(picks, (i) => column[i])),
    fingerprint: `${dataset.fingerprint} without copies`,
  };
}
