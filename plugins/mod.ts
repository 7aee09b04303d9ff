/**
 * The built-in plugins. Each is one file on the public interface alone, as a user's would be.
 *
 * @module
 */

import type { Plugin } from "../plugin/mod.ts";
import attributes from "./attributes.ts";
import classifier from "./classifier.ts";
import conditionalBatchNorm from "./conditional_batch_norm.ts";
import continuousLabels from "./continuous_labels.ts";
import diffAugment from "./diff_augment.ts";
import dragan from "./dragan.ts";
import infoGan from "./info_gan.ts";
import multiScale from "./multi_scale.ts";
import spectralNorm from "./spectral_norm.ts";

/** Every built-in plugin by its name. */
export const builtIn: Readonly<Record<string, Plugin>> = Object.fromEntries(
  [
    attributes,
    classifier,
    conditionalBatchNorm,
    continuousLabels,
    diffAugment,
    dragan,
    infoGan,
    multiScale,
    spectralNorm,
  ].map((plugin) => [plugin.name, plugin]),
);
