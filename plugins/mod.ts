/**
 * The built-in plugins. Each is one file on the public interface alone, as a user's would be.
 *
 * @module
 */

import type { Plugin } from "../plugin/mod.ts";
import classifier from "./classifier.ts";
import diffAugment from "./diff_augment.ts";
import dragan from "./dragan.ts";
import multiScale from "./multi_scale.ts";

/** Every built-in plugin by its name. */
export const builtIn: Readonly<Record<string, Plugin>> = Object.fromEntries(
  [classifier, diffAugment, dragan, multiScale].map((plugin) => [plugin.name, plugin]),
);
