import { featureMoments, frechetDistance, kernelDistance, manifoldScores } from "../metrics/mod.ts";
import type { FeatureDistance, FeatureReport, FeatureScores } from "./report.ts";

/** Fewer pictures than this tell nothing of a distribution. */
export const LEAST_PICTURES = 12;

/** Features of sets of pictures by one network, `[count, dimensions]` each. */
export interface FeatureSets {
  /** The first half of the training set, which the others are compared to. */
  readonly reference: Float32Array;
  readonly samples: Float32Array;
  /** Pictures of the other half. */
  readonly others: Float32Array;
  /** Pictures that the run was not trained on; there may be none. */
  readonly heldOut: Float32Array;
}

/** Every figure in the features of one network. Those of too few pictures are null. */
export function featureReport(
  { reference, samples, others, heldOut }: FeatureSets,
  options: { dimensions: number; seed: number; onScored?: () => void },
): FeatureReport {
  const { dimensions, onScored } = options;
  const enough = (features: Float32Array) => features.length >= LEAST_PICTURES * dimensions;
  const scorer = enough(reference) ? featureScorer(reference, options) : undefined;
  const scored = (features: Float32Array): FeatureScores | null => {
    const scores = scorer && enough(features) ? scorer(features) : null;
    onScored?.();
    return scores;
  };
  return {
    samples: scored(samples),
    real: scored(others.subarray(0, samples.length)),
    heldOut: scored(heldOut),
    samplesAsHeldOut: scored(samples.subarray(0, heldOut.length)),
  };
}

/**
 * Tells how near the distribution of features is to that of `reference`, both `[count, dimensions]`. Precision,
 * recall, density and coverage depend on counts, and so are taken at equal ones: the first vectors of the larger set.
 */
export function featureScorer(
  reference: Float32Array,
  options: { dimensions: number; seed: number },
): (features: Float32Array) => FeatureScores {
  const { dimensions } = options, distance = distanceTo(reference, options);
  return (features) => {
    const equal = Math.min(reference.length, features.length);
    return {
      ...distance(features),
      ...manifoldScores(reference.subarray(0, equal), features.subarray(0, equal), { dimensions }),
    };
  };
}

/** Tells the Frechet and the kernel distance of features to all of `reference`. */
export function distanceTo(
  reference: Float32Array,
  { dimensions, seed }: { dimensions: number; seed: number },
): (features: Float32Array) => FeatureDistance {
  const moments = featureMoments(reference, { dimensions });
  return (features) => {
    const { value, standardError } = kernelDistance(reference, features, { dimensions, seed });
    const own = featureMoments(features, { dimensions });
    // The first one is the one of which a root is taken: that of fewer vectors is smaller.
    const fewer = features.length < reference.length;
    return {
      count: features.length / dimensions,
      frechet: fewer ? frechetDistance(own, moments) : frechetDistance(moments, own),
      kernel: value,
      kernelStandardError: Number.isFinite(standardError) ? standardError : null,
    };
  };
}
