/**
 * How alike pictures are, how far apart the distributions of two sets of features, and what a classifier makes
 * of pictures.
 *
 * @module
 */

export { msSsim, type MsSsimOptions, msSsimTerms, msSsimWeights } from "./ms_ssim.ts";
export { ssim, type SsimOptions, type SsimTerms, ssimTerms } from "./ssim.ts";
export { type FeatureMoments, featureMoments, frechetDistance } from "./frechet.ts";
export { accuracyOf, type Confusion, confusion, recallByClass } from "./confusion.ts";
export { type KernelDistance, kernelDistance } from "./kernel_distance.ts";
export { type ManifoldScores, manifoldScores } from "./manifold.ts";
export { type Nearest, nearest } from "./neighbours.ts";
