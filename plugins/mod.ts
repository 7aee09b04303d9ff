/**
 * The built-in plugins. Each is one file on the public interface alone, as a user's would be.
 *
 * @module
 */

import type { Plugin } from "../plugin/mod.ts";
import attributes from "./attributes.ts";
import classifier from "./classifier.ts";
import continuousLabels from "./continuous_labels.ts";
import diffAugment from "./diff_augment.ts";
import dragan from "./dragan.ts";
import hinge from "./hinge.ts";
import infoGan from "./info_gan.ts";
import leastSquares from "./least_squares.ts";
import multiScale from "./multi_scale.ts";
import r1 from "./r1.ts";
import wasserstein from "./wasserstein.ts";

/** Every built-in plugin by its name. */
export const builtIn: Readonly<Record<string, Plugin>> = Object.fromEntries(
  [
    attributes,
    classifier,
    continuousLabels,
    diffAugment,
    dragan,
    hinge,
    infoGan,
    leastSquares,
    multiScale,
    r1,
    wasserstein,
  ].map((plugin) => [plugin.name, plugin]),
);
