/**
 * How alike two pictures are, and how far apart the distributions of two sets of features.
 *
 * @module
 */

export { msSsim, type MsSsimOptions, msSsimTerms, msSsimWeights } from "./ms_ssim.ts";
export { ssim, type SsimOptions, type SsimTerms, ssimTerms } from "./ssim.ts";
export { type FeatureMoments, featureMoments, frechetDistance } from "./frechet.ts";
