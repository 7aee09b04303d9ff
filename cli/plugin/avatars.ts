// What plugins are tried out on: drawn avatars, whose labels are true, and networks of a size.

import { avatarDataset, type Dataset } from "../../data/mod.ts";
import type { Plugin } from "../../plugin/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import { type ChosenPlugin, claimedColumns, type TrainSettings } from "../../training/mod.ts";

/** How many avatars are drawn, for a few batches. */
const BATCHES = 6;

/** Avatars with the label columns that plugins ask for, enough for some batches. */
export function avatarsFor(plugins: readonly ChosenPlugin[], settings: TrainSettings): Dataset {
  const count = Math.max(48, BATCHES * settings.batch);
  const also = claimedColumns(plugins);
  return avatarDataset({ count, size: settings.size, seed: 1, also });
}

/** A training by the classifier, of hair colours alone, and the plugin on top of it. */
export function withClassifier(chosen: ChosenPlugin): ChosenPlugin[] {
  return isClassifier(chosen.plugin) ? [chosen] : [classifier, chosen];
}

/** A training by the classifier alone. */
export const classifier: ChosenPlugin = {
  plugin: builtIn.classifier,
  source: "classifier",
  options: { columns: ["hair"] },
};

/** Whether a plugin is the one that the others are compared with. */
export function isClassifier(plugin: Plugin): boolean {
  return plugin === builtIn.classifier;
}
