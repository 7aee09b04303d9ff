// Structural similarity at several scales: Wang, Simoncelli, Bovik, "Multiscale structural similarity
// for image quality assessment", 2003.

import { avgPool2d, gt, mean, mul, pow, stack, type Tensor, where } from "../engine/mod.ts";
import { checkPictures, type SsimOptions, ssimTerms } from "./ssim.ts";

/** Wang et al. 2003, section 3.2, the finest scale first. */
const WEIGHTS = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333];

/** Settings of {@linkcode msSsim}. */
export interface MsSsimOptions extends SsimOptions {
  /** The exponent of each scale, the finest first; Wang et al.'s five where left out. */
  readonly weights?: readonly number[];
}

/**
 * The multi-scale structural similarity of each picture in `x` to the one at its place in `y`, two f32
 * tensors [N, C, H, W], as [N] numbers in [0, 1]; 1 for equal ones.
 *
 * From one scale to the next, 2 x 2 pixels are averaged into one. A channel's similarity is the product
 * over scales of term^weight, where the term is {@linkcode ssim}'s mean of contrast and structure, at
 * the last scale with luminance as well (Wang et al. 2003, equation 7); a negative term counts as 0. The
 * result is the mean over channels.
 *
 * The window has to fit at the last scale: five scales need 176 x 176 pixels, three 44 x 44. For smaller
 * pictures give fewer weights, such as those of {@linkcode msSsimWeights}.
 *
 * @throws {RangeError} where shapes differ, or the picture is smaller than the window at the last scale.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { Device, read, tensor } from "../engine/mod.ts";
 * import { msSsim, msSsimWeights } from "./mod.ts";
 * await Device.open();
 * const x = tensor(Array.from({ length: 32 * 32 }, (_, i) => i / 1024), [1, 1, 32, 32]);
 * const [itself] = await read([msSsim(x, x, { range: 1, weights: msSsimWeights(2) })]);
 * assertAlmostEquals(itself[0], 1, 1e-4);
 * ```
 */
export function msSsim(x: Tensor, y: Tensor, options: MsSsimOptions): Tensor {
  const { weights = WEIGHTS } = options;
  const factors = termsOf(x, y, options).map((term, scale) => {
    // The power is taken of 1 where the term is not positive, for there its derivative is no number.
    const positive = gt(term, 0);
    return where(positive, pow(where(positive, term, 1), weights[scale]), 0);
  });
  return mean(factors.reduce((a, b) => mul(a, b)), { dim: 1 });
}

/**
 * The terms that {@linkcode msSsim} multiplies, negative ones as they are: [scales, N, C].
 *
 * @throws {RangeError} where shapes differ, or the picture is smaller than the window at the last scale.
 */
export function msSsimTerms(x: Tensor, y: Tensor, options: MsSsimOptions): Tensor {
  return stack(termsOf(x, y, options));
}

/**
 * Weights for a number of scales from 1 to 5: Wang et al.'s for the finest ones, divided by their sum.
 * All five are as published, with a sum of 1.0001.
 *
 * @throws {RangeError} for another number of scales.
 */
export function msSsimWeights(scales: number): number[] {
  if (!(Number.isInteger(scales) && scales >= 1 && scales <= WEIGHTS.length)) {
    throw new RangeError(
      `Cannot choose msSsimWeights for ${scales} scales: 1 to ${WEIGHTS.length} have weights`,
    );
  }
  if (scales === WEIGHTS.length) return [...WEIGHTS];
  const chosen = WEIGHTS.slice(0, scales), total = chosen.reduce((a, b) => a + b);
  return chosen.map((weight) => weight / total);
}

function termsOf(x: Tensor, y: Tensor, options: MsSsimOptions): Tensor[] {
  const { weights = WEIGHTS, range, windowSize = 11, sigma = 1.5 } = options;
  const scales = weights.length;
  if (!(scales > 0 && weights.every((weight) => weight >= 0))) {
    throw new RangeError(
      `Cannot msSsim with weights [${
        weights.join(", ")
      }]: one number of at least 0 a scale is needed`,
    );
  }
  checkPictures("msSsim", [x, y], { range, windowSize, sigma, scales });
  return weights.map((_, scale) => {
    const { ssim, contrastStructure } = ssimTerms(x, y, options);
    if (scale === scales - 1) return ssim;
    [x, y] = [x, y].map((picture) => avgPool2d(picture, { kernelSize: 2 }));
    return contrastStructure;
  });
}
