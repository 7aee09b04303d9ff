import { loadDataset, UserError } from "../data/mod.ts";
import { presets } from "../models/mod.ts";
import {
  checkSettings,
  defaultSchedule,
  LARGEST_SEED,
  prepareRunFolder,
  presetSettings,
  train,
  type TrainSettings,
  type Weights,
} from "../training/mod.ts";
import { defineCommand } from "./command.ts";
import { deviceOptions, openDevice } from "./device.ts";
import type { GivenValues, Options } from "../plugin/mod.ts";
import { evalOptions, evaluationOf } from "./evaluation.ts";
import { stopSignal } from "./stop_signal.ts";
import { countAloud, formatProgress } from "./progress.ts";
import { reservedNames } from "./sample.ts";
import { choosePlugins, columnsOf, findMore, pluginTrainOptions } from "./train_plugins.ts";
import { kernelChooser, tuneOptions } from "./tuning.ts";

const presetNames = Object.keys(presets) as (keyof typeof presets)[];

/** What decides the numbers of a run; each of these left out is as the run or its preset has it. */
const settingOptions = {
  preset: {
    type: "choice",
    choices: presetNames,
    help: `Networks to begin with: ${
      presetNames.map((name) => `${name} (${presets[name].help})`).join(", ")
    }; by default small32 on a CPU, else acgan64`,
  },
  size: { type: "integer", min: 4, help: "Side of the pictures in pixels" },
  latent: { type: "integer", min: 1, max: 65536, help: "Length of the noise vector" },
  generatorChannels: {
    type: "list",
    placeholder: "n,n,...",
    help: "Channels of the generator, from the first 4x4 map on; each further one doubles the side",
  },
  discriminatorChannels: {
    type: "list",
    placeholder: "n,n,...",
    help: "Channels of the discriminator; each convolution halves the side",
  },
  batch: { type: "integer", min: 2, help: "Pictures in a batch" },
  seed: { type: "integer", min: 0, max: LARGEST_SEED, help: "Seed of everything random" },
  lr: { type: "number", min: 0, help: "Step size of Adam" },
  classOn: {
    type: "choice",
    choices: ["real", "both"],
    help: "Which pictures teach the discriminator its classes: real ones, or fakes as well",
  },
  weights: {
    type: "list",
    placeholder: "term=n,...",
    help: "Weights of loss terms by the names that the progress line shows; 0 turns a term off",
  },
  flip: { type: "boolean", default: true, help: "Do not mirror pictures at random" },
  holdout: {
    type: "number",
    min: 0,
    max: 0.9,
    help: "Share of pictures kept to test the classifier",
  },
  emaImages: {
    type: "integer",
    min: 1,
    help: "Pictures in which the averaged generator half forgets",
  },
} as const;

/** With `--tune fast` a run measures kernels for so long before it begins. */
const TUNING_SECONDS = 40;

const options = {
  out: { type: "string", placeholder: "folder", help: "The run: checkpoints, grids, metrics" },
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
  options,
  moreOptions: (early) => findMore(early, options),
}, async ({ options, given, positionals, more, found }) => {
  const { out: folder, steps, logEvery, gridEvery, checkpointEvery } = options;
  if (folder === undefined) throw new UserError("Missing --out: the folder of the run");
  const before = await prepareRunFolder(folder);
  const device = await openDevice(options);
  const preset = presetSettings(device.adapter.cpu ? "small32" : "acgan64");
  const settings = settingsOf(given, before ?? preset);
  checkSettings(settings);

  const plugins = choosePlugins(found, { more, columns: options.columns });
  const wanted = columnsOf(plugins);
  const dataset = await loadDataset(positionals.data, {
    size: settings.size,
    cache: options.cache,
    ...wanted,
    reserved: reservedNames,
    minimum: settings.batch,
    onProgress: countAloud("Read"),
  });
  for (const { file, row, reason } of dataset.problems) {
    console.error(`Left out ${file}${row === undefined ? "" : ` (row ${row})`}: ${reason}`);
  }
  const kinds = dataset.columns.map(({ name, classes }) => `${classes.length} of ${name}`);
  console.error(`${dataset.count} pictures; labels: ${kinds.join(", ") || "none"}`);
  for (const { name, classes } of dataset.columns) {
    if (classes.length <= dataset.count / 2 || wanted.also.includes(name)) continue;
    console.error(
      `Hardly two pictures share their ${name}, so it cannot be learnt: --columns leaves it out`,
    );
  }
  console.error(`Grids go to ${folder}/grids, losses to ${folder}/metrics.jsonl`);

  const chooseKernels = kernelChooser(device, options, { seconds: TUNING_SECONDS });
  const about = { settings, claimed: wanted.also, chooseKernels };
  const evaluate = await evaluationOf(dataset, options, about);
  using stop = stopSignal();
  const step = await train(dataset, {
    folder,
    settings,
    schedule: { steps, logEvery, gridEvery, checkpointEvery },
    plugins,
    dropPlugins: options.dropPlugin,
    reserved: reservedNames,
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

/** Lays the options that were given over `base`; a preset that was given replaces `base`. */
function settingsOf(
  given: GivenValues<typeof settingOptions>,
  base: TrainSettings,
): TrainSettings {
  const { preset, latent, generatorChannels, discriminatorChannels, weights, ...plain } =
    pickSettings(
      given,
    );
  const from = preset === undefined ? base : presetSettings(preset);
  return {
    ...from,
    ...plain,
    generator: {
      ...from.generator,
      ...(latent === undefined ? {} : { latent }),
      ...(generatorChannels ? { channels: channelsOf("generator", generatorChannels) } : {}),
    },
    discriminator: discriminatorChannels
      ? { channels: channelsOf("discriminator", discriminatorChannels) }
      : from.discriminator,
    weights: weights ? weightsOf(weights) : from.weights,
  };
}

function pickSettings(
  given: GivenValues<typeof settingOptions>,
): GivenValues<typeof settingOptions> {
  return Object.fromEntries(Object.entries(given).filter(([key]) => key in settingOptions));
}

function channelsOf(network: string, words: readonly string[]): number[] {
  return words.map((word) => {
    const channels = Number(word);
    if (Number.isInteger(channels) && channels > 0) return channels;
    throw new UserError(`--${network}-channels must be whole numbers above 0, not ${word}`);
  });
}

function weightsOf(words: readonly string[]): Weights {
  return Object.fromEntries(words.map((word) => {
    const [term, text] = word.split("=");
    const weight = Number(text || NaN);
    if (Number.isFinite(weight)) return [term, weight];
    throw new UserError(`--weights must look like g.adv=1,d.adv_real=0.5, not ${word}`);
  }));
}
