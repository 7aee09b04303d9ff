// A data set and a pair of networks so small that a step takes milliseconds.

import type { Dataset } from "../../data/mod.ts";
import { Categorical } from "../../plugin/mod.ts";
import { presetSettings, type TrainSettings } from "../../training/mod.ts";

/** Side of the pictures in pixels. */
export const SIZE = 8;

const HAIR = ["black", "blonde", "red"];
const EYES = ["blue", "green"];

/** Settings for {@linkcode tinyDataset}. */
export const tinySettings: TrainSettings = {
  ...presetSettings("small32"),
  size: SIZE,
  generator: { latent: 6, base: 4, channels: [8, 4] },
  discriminator: { channels: [4, 8] },
  batch: 4,
  seed: 3,
  holdout: 0.2,
};

/** Noisy pictures whose upper half tells the hair, and whose lower half the eyes. */
export function tinyDataset(count = 40): Dataset {
  const labels = [
    Int32Array.from({ length: count }, (_, i) => i % HAIR.length),
    Int32Array.from({ length: count }, (_, i) => i % EYES.length),
  ];
  const area = SIZE * SIZE;
  const images = Uint8Array.from({ length: count * 3 * area }, (_, at) => {
    const picture = Math.floor(at / (3 * area));
    const channel = Math.floor(at / area) % 3;
    const label = labels[at % area < area / 2 ? 0 : 1][picture];
    return 100 + (channel === label ? 100 : 0) + (at * 7919) % 31;
  });
  const columns = [{ name: "hair", classes: HAIR }, { name: "eyes", classes: EYES }];
  return { count, size: SIZE, columns, images, labels, problems: [], fingerprint: `tiny ${count}` };
}

/** The conditions of {@linkcode tinyDataset}: hair and eyes. */
export function tinyConditions(): Categorical[] {
  const { columns, labels } = tinyDataset();
  return columns.map(({ name, classes }, i) => Categorical.fromLabels(name, classes, labels[i]));
}
