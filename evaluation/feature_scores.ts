import { featureMoments, frechetDistance, kernelDistance, manifoldScores } from "../metrics/mod.ts";
import { FEATURES } from "./classifier.ts";
import type { FeatureScores } from "./report.ts";

/** Fewer pictures than this tell nothing of a distribution. */
export const LEAST_PICTURES = 12;

/**
 * How near the distribution of `features` is to that of `reference`, both `[count, FEATURES]`. The kernel
 * distance and the Frechet distance are to all of the reference; precision, recall, density and coverage
 * depend on counts, and so are taken at equal ones: the first vectors of the larger set.
 */
export function featureScores(
  reference: Float32Array,
  features: Float32Array,
  { seed }: { seed: number },
): FeatureScores {
  const dimensions = FEATURES, equal = Math.min(reference.length, features.length);
  const { value, standardError } = kernelDistance(reference, features, { dimensions, seed });
  return {
    count: features.length / dimensions,
    frechet: frechetDistance(
      featureMoments(reference, { dimensions }),
      featureMoments(features, { dimensions }),
    ),
    kernel: value,
    kernelStandardError: Number.isFinite(standardError) ? standardError : null,
    ...manifoldScores(reference.subarray(0, equal), features.subarray(0, equal), { dimensions }),
  };
}
