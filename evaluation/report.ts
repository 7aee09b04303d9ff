// What an evaluation found, as it is written to report.json.

import type { ManifoldScores } from "../metrics/mod.ts";
import type { InceptionVariant } from "./inception_layers.ts";

/** A figure of samples beside that of real pictures; null where there were too few pictures for it. */
export interface Beside {
  readonly samples: number | null;
  /** Of pictures that neither the run nor the classifier was trained on, unless it says otherwise. */
  readonly real: number | null;
}

/** What the classifier makes of one class. */
export interface ClassAccuracy extends Beside {
  readonly name: string;
  /** Pictures of the class. */
  readonly counts: { readonly samples: number; readonly real: number };
}

/** What the classifier makes of one label column. */
export interface ColumnAccuracy extends Beside {
  readonly classes: readonly ClassAccuracy[];
  /** Pictures by the class that they are of (rows) and that they are taken for (columns). */
  readonly confusion: { readonly samples: number[][]; readonly real: number[][] };
}

/** Mean MS-SSIM of random pairs within a class; `real` are the pictures of the training set. */
export interface ClassDiversity extends Beside {
  readonly name: string;
}

/** MS-SSIM by class, and over classes. */
export interface ColumnDiversity {
  readonly mean: Beside;
  readonly classes: readonly ClassDiversity[];
  /** The share of classes that are at most as alike as the real class that is most alike. */
  readonly classesBelowRealMaximum: number | null;
}

/** How MS-SSIM was taken. */
export interface DiversityConvention {
  readonly pairs: number;
  readonly windowSize: number;
  readonly sigma: number;
  /** The exponent of each scale. */
  readonly weights: readonly number[];
}

/** How near a set of pictures is to another, in the features of a network. */
export interface FeatureDistance {
  /** Pictures in the set. */
  readonly count: number;
  /** Squared Frechet distance. */
  readonly frechet: number;
  /** Squared maximum mean discrepancy. */
  readonly kernel: number;
  readonly kernelStandardError: number | null;
}

/** How near a set of pictures is to the training set, with what neighbourhoods tell. */
export interface FeatureScores extends FeatureDistance, ManifoldScores {}

/** Sets of pictures against half of the training set; null where there were too few pictures. */
export interface FeatureReport {
  readonly samples: FeatureScores | null;
  /** Further pictures of the training set, as many as samples where there are enough. */
  readonly real: FeatureScores | null;
  /** Pictures that neither the run nor the classifier was trained on. */
  readonly heldOut: FeatureScores | null;
  /** As many samples as there are held-out pictures. */
  readonly samplesAsHeldOut: FeatureScores | null;
}

/** What was measured in the features of an Inception v3 whose weights were given. */
export interface InceptionReport extends FeatureReport {
  /** Whose weights these are: figures compare between equal ones alone. */
  readonly weights: {
    readonly file: string;
    readonly sha256: string;
    readonly variant: InceptionVariant;
  };
  /** Pictures of each set that were looked at, at most; null for all. */
  readonly most: number | null;
  /** Samples against both halves of the training set, as published figures mostly are. */
  readonly whole: (FeatureDistance & { readonly reference: number }) | null;
}

/** Quantiles of the distance to the nearest training picture or its mirror image. */
export interface DistanceQuantiles {
  readonly least: number;
  readonly twentieth: number;
  readonly median: number;
}

/** Whether samples are nearer to training pictures than new real pictures are. */
export interface Memorisation {
  readonly samples: DistanceQuantiles;
  readonly real: DistanceQuantiles | null;
  /** The share of samples that are nearer than the nearest twentieth of held-out pictures: 0.05 is usual. */
  readonly nearerThanTwentieth: number | null;
}

/** Everything that an evaluation found. */
export interface Report {
  readonly format: 1;
  /** The run's folder, its last part. */
  readonly run: string;
  readonly step: number;
  readonly weights: "averaged" | "last";
  readonly size: number;
  readonly seed: number;
  readonly adapter: string;
  readonly samples: number;
  readonly data: {
    readonly fingerprint: string;
    /** Whether the run was trained on this data. */
    readonly same: boolean;
    readonly train: number;
    readonly heldOut: number;
  };
  readonly classifier: {
    readonly name: string;
    readonly features: number;
    readonly picturesSeen: number;
    /** On held-out pictures, by label column. */
    readonly accuracy: Readonly<Record<string, number>>;
  };
  readonly accuracy: Readonly<Record<string, ColumnAccuracy>>;
  /** Accuracy by label column of pictures that were brought down to `size` and back up. */
  readonly discriminability: readonly {
    readonly size: number;
    readonly columns: Readonly<Record<string, Beside>>;
  }[];
  readonly msSsim: {
    readonly convention: DiversityConvention;
    readonly columns: Readonly<Record<string, ColumnDiversity>>;
  };
  /** In the classifier's features. */
  readonly features: FeatureReport;
  /** The same in Inception's, where its weights were given. */
  readonly inception?: InceptionReport;
  readonly neighbours: { readonly pixels: Memorisation; readonly features: Memorisation };
  /** How long each part took. */
  readonly seconds: Readonly<Record<string, number>>;
}

/** JSON has no NaN: what could not be told is null. */
export function orNull(x: number): number | null {
  return Number.isFinite(x) ? x : null;
}
