/**
 * The built-in plugins. Each is one file on the public interface alone, as a user's would be.
 *
 * @module
 */

import type { Plugin } from "../plugin/mod.ts";
import ada from "./ada.ts";
import adc from "./adc.ts";
import attributes from "./attributes.ts";
import classifier from "./classifier.ts";
import conditionalBatchNorm from "./conditional_batch_norm.ts";
import continuousLabels from "./continuous_labels.ts";
import d2dCe from "./d2d_ce.ts";
import diffAugment from "./diff_augment.ts";
import dragan from "./dragan.ts";
import hinge from "./hinge.ts";
import infoGan from "./info_gan.ts";
import labelSmoothing from "./label_smoothing.ts";
import leastSquares from "./least_squares.ts";
import multiScale from "./multi_scale.ts";
import projection from "./projection.ts";
import r1 from "./r1.ts";
import sgan from "./sgan.ts";
import spectralNorm from "./spectral_norm.ts";
import tac from "./tac.ts";
import wasserstein from "./wasserstein.ts";

/** Every built-in plugin by its name. */
export const builtIn: Readonly<Record<string, Plugin>> = Object.fromEntries(
  [
    ada,
    adc,
    attributes,
    classifier,
    conditionalBatchNorm,
    continuousLabels,
    d2dCe,
    diffAugment,
    dragan,
    hinge,
    infoGan,
    labelSmoothing,
    leastSquares,
    multiScale,
    projection,
    r1,
    sgan,
    spectralNorm,
    tac,
    wasserstein,
  ].map((plugin) => [plugin.name, plugin]),
);
