// Trainings of a few steps with a plugin, on data of a test's own.

import { assertEquals } from "@std/assert";
import type { Dataset } from "../../data/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import { type ChosenPlugin, NEWEST, train, type TrainSettings } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyDataset, tinySettings } from "../training/tiny.ts";

/** A built-in plugin with options. */
export function chosen(name: string, options: Record<string, unknown> = {}): ChosenPlugin {
  return { plugin: builtIn[name], source: name, options };
}

/** {@linkcode tinyDataset} with a column of numbers more, and one of yes and no. */
export function numberedDataset(): Dataset {
  const dataset = tinyDataset(), { count } = dataset;
  const numbers = Array.from({ length: 8 }, (_, k) => (k / 4 - 1).toFixed(2));
  return {
    ...dataset,
    columns: [
      ...dataset.columns,
      { name: "lean", classes: numbers },
      { name: "hat", classes: ["no", "yes"] },
    ],
    labels: [
      ...dataset.labels,
      Int32Array.from({ length: count }, (_, i) => (i * 5) % numbers.length),
      Int32Array.from({ length: count }, (_, i) => i % 4 === 0 ? 1 : 0),
    ],
  };
}

/** Trains in `folder`; the last line of its metrics. */
export async function trainTiny(
  folder: string,
  plugins: readonly ChosenPlugin[],
  options: { steps?: number; stopAt?: number; dataset?: Dataset; settings?: TrainSettings } = {},
): Promise<Record<string, number>> {
  const { steps = 6, stopAt, dataset = numberedDataset(), settings = tinySettings } = options;
  const controller = new AbortController();
  await train(dataset, {
    folder,
    settings,
    schedule: { steps, logEvery: 2, gridEvery: steps, checkpointEvery: steps },
    plugins,
    signal: controller.signal,
    onProgress: ({ step }) => step === stopAt && controller.abort(),
  });
  const lines = (await Deno.readTextFile(`${folder}/metrics.jsonl`)).trim().split("\n");
  return JSON.parse(lines.at(-1)!);
}

/** Trains with plugins at once and in two starts, which must end with the same bytes; the last metrics. */
export async function trainsAndResumes(
  plugins: () => readonly ChosenPlugin[],
  options: { dataset?: Dataset; settings?: TrainSettings } = {},
): Promise<Record<string, number>> {
  using whole = temporaryFolder();
  using stopped = temporaryFolder();
  const metrics = await trainTiny(whole.path, plugins(), options);
  await trainTiny(stopped.path, plugins(), { ...options, stopAt: 2 });
  await trainTiny(stopped.path, plugins(), options);
  const bytes = (folder: string) => Deno.readFile(`${folder}/${NEWEST}`);
  assertEquals(await bytes(stopped.path), await bytes(whole.path));
  return metrics;
}
