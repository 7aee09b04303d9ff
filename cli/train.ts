import { loadDataset, UserError } from "../data/mod.ts";
import {
  checkSettings,
  defaultSchedule,
  findBeginning,
  type KeepBest,
  prepareRunFolder,
  presetSettings,
  readRun,
  train,
  type TrainSettings,
} from "../training/mod.ts";
import { defineCommand } from "./command.ts";
import { deviceOptions, openDevice } from "./device.ts";
import type { Options } from "../plugin/mod.ts";
import { describeTraining } from "./dry_run.ts";
import { evalOptions, evaluationOf } from "./evaluation.ts";
import { stopSignal } from "./stop_signal.ts";
import { countAloud, formatProgress } from "./progress.ts";
import { reservedNames } from "./sample/mod.ts";
import { settingOptions, settingsOf } from "./settings.ts";
import { resolvedConfig } from "./train_config.ts";
import { choosePlugins, columnsOf, findMore, pluginTrainOptions } from "./train_plugins.ts";
import { kernelChooser, tuneOptions } from "./tuning.ts";

/** With `--tune fast` a run measures kernels for so long before it begins. */
const TUNING_SECONDS = 40;

/** The options of {@linkcode command}. */
export const trainOptions = {
  out: { type: "string", placeholder: "folder", help: "The run: checkpoints, grids, metrics" },
  from: {
    type: "string",
    placeholder: "run",
    help: "Begin with the weights of another run, or of a checkpoint of one, where they fit",
  },
  steps: {
    type: "integer",
    min: 1,
    default: defaultSchedule.steps,
    help: "Steps in all, earlier starts included",
  },
  columns: {
    type: "list",
    help: "Label columns whose values are classes; by default all that no plugin reads",
  },
  ...pluginTrainOptions,
  ...settingOptions,
  logEvery: {
    type: "integer",
    min: 1,
    default: defaultSchedule.logEvery,
    help: "Steps between lines of progress",
  },
  gridEvery: {
    type: "integer",
    min: 1,
    default: defaultSchedule.gridEvery,
    help: "Steps between sample grids",
  },
  checkpointEvery: {
    type: "integer",
    min: 1,
    default: defaultSchedule.checkpointEvery,
    help: "Steps between checkpoints",
  },
  ...evalOptions,
  cache: {
    type: "string",
    placeholder: "folder",
    default: "runs/cache",
    help: "Where decoded pictures are kept for the next start",
  },
  keepBest: {
    type: "string",
    placeholder: "metric",
    help:
      "Keep the checkpoint with the best value of a metric as the log names it, such as holdout.hair; NAME:min or " +
      "NAME:max says which is better",
  },
  dryRun: {
    type: "boolean",
    help: "Tell what would be trained, and what it takes, without beginning or writing anything",
  },
  ...tuneOptions,
  ...deviceOptions,
} as const satisfies Options;

/** `kao train`: trains, and goes on with what an earlier start of the same command did. */
export const command = defineCommand({
  name: "train",
  summary: "Train on labelled pictures; run it again to go on where it was",
  positionals: {
    data: { help: "Folder of pictures with labels.csv, or with a folder a class" },
  },
  options: trainOptions,
  moreOptions: (early) => findMore(early, trainOptions),
}, async ({ options, given, positionals, more, found }) => {
  const { steps, logEvery, gridEvery, checkpointEvery, dryRun } = options;
  if (options.out === undefined && !dryRun) {
    throw new UserError("Missing --out: the folder of the run");
  }
  const folder = options.out ?? "";
  const before = dryRun ? folder && await readRun(folder) : await prepareRunFolder(folder);
  const device = await openDevice(options);
  const { cpu } = device.adapter;
  const preset = presetSettings(cpu ? "small32" : "acgan64");
  const settings = withDecayEnd(settingsOf(given, before || preset), steps);
  checkSettings(settings);
  const schedule = { steps, logEvery, gridEvery, checkpointEvery };
  const keepBest = options.keepBest === undefined ? undefined : keepBestOf(options.keepBest);

  const plugins = choosePlugins(found, { more, columns: options.columns });
  const wanted = columnsOf(plugins);
  const dataset = await loadDataset(positionals.data, {
    size: settings.size,
    cache: options.cache,
    keep: !dryRun,
    ...wanted,
    reserved: reservedNames,
    minimum: settings.batch,
    onProgress: countAloud("Read"),
  });
  for (const { file, row, reason } of dataset.problems) {
    console.error(`Left out ${file}${row === undefined ? "" : ` (row ${row})`}: ${reason}`);
  }
  dataset.columns.forEach(({ name }, i) => {
    const missing = dataset.labels[i].filter((label) => label < 0).length;
    if (missing > 0) console.error(`${missing} of ${dataset.count} pictures have no ${name}`);
  });
  const kinds = dataset.columns.map(({ name, classes }) => `${classes.length} of ${name}`);
  console.error(`${dataset.count} pictures; labels: ${kinds.join(", ") || "none"}`);
  for (const { name, classes } of dataset.columns) {
    if (classes.length <= dataset.count / 2 || wanted.also.includes(name)) continue;
    console.error(
      `Hardly two pictures share their ${name}, so it cannot be learnt: --columns leaves it out`,
    );
  }
  const about = { settings, schedule, plugins, keepBest, reserved: reservedNames };
  if (dryRun) {
    // Evaluations have not been prepared, and nobody knows yet what they will measure.
    const known = keepBest?.metric.startsWith("eval.") ? undefined : keepBest;
    const { ancestor } = await findBeginning(folder, options);
    console.log(await describeTraining(dataset, { ...about, keepBest: known, ancestor, cpu }));
    return;
  }
  console.error(`Grids go to ${folder}/grids, losses to ${folder}/metrics.jsonl`);

  const chooseKernels = kernelChooser(device, options, { seconds: TUNING_SECONDS });
  const judged = { settings, claimed: wanted.also, chooseKernels };
  const evaluate = await evaluationOf(dataset, options, judged);
  using stop = stopSignal();
  const step = await train(dataset, {
    ...about,
    folder,
    dropPlugins: options.dropPlugin,
    from: options.from,
    config: resolvedConfig({
      data: positionals.data,
      declared: trainOptions,
      ...{ options, settings, plugins },
    }),
    chooseKernels,
    evaluate,
    signal: stop.signal,
    onProgress: (progress) => console.log(formatProgress(progress)),
    onMessage: (message) => console.error(message),
  });
  console.log(
    step < steps
      ? `Stopped and saved at step ${step}; the same command goes on`
      : `Trained for ${step} steps. Grids are in ${folder}/grids; next: deno task sample ${folder}`,
  );
});

/** Step sizes that fall do so up to the last step, unless it is said otherwise. */
function withDecayEnd(settings: TrainSettings, steps: number): TrainSettings {
  const { lrSchedule = "constant", lrDecayTo = steps } = settings;
  if (lrSchedule === "constant") return settings;
  if (steps > lrDecayTo) {
    console.error(`Step sizes are 0 from step ${lrDecayTo} on: later steps change nothing`);
  }
  return { ...settings, lrDecayTo };
}

/** `NAME`, `NAME:min` or `NAME:max`. */
function keepBestOf(text: string): KeepBest {
  const [, metric, goal] = text.match(/^(.*?)(?::(min|max))?$/)!;
  return { metric, ...(goal && { goal: goal as "min" | "max" }) };
}
