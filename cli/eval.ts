import { type Dataset, loadDataset, UserError } from "../data/mod.ts";
import {
  evaluate,
  type FeatureReport,
  type InceptionJudge,
  type LoadedInception,
  loadInception,
  readCurves,
  type Report,
  reportPage,
} from "../evaluation/mod.ts";
import {
  LARGEST_SEED,
  loadGenerator,
  readRun,
  replaceFile,
  restoreCondition,
  restoreKernels,
  Sampler,
} from "../training/mod.ts";
import type { Device } from "../engine/mod.ts";
import type { Condition, Options } from "../plugin/mod.ts";
import { defineCommand } from "./command.ts";
import { deviceOptions, openDevice } from "./device.ts";
import { findClassifier, percent, slowly, withColumns } from "./evaluation.ts";
import { drawingPlugins, kindsOf, layersOf, loadPlugins, withPlugins } from "./plugins.ts";
import { countAloud, formatDuration } from "./progress.ts";
import { columnsOf } from "./train_plugins.ts";
import { kernelChooser, tuneOptions } from "./tuning.ts";

/** Samples that are drawn by default on a GPU, and on a CPU. */
const SAMPLES = { gpu: 5000, cpu: 2000 };
/** Pictures of each set that Inception v3 sees by default on a CPU, where each takes about a second. */
const INCEPTION_CPU = 200;
/** With `--tune fast` kernels that training did not choose are measured for so long. */
const TUNING_SECONDS = 15;

const options = {
  samples: {
    type: "integer",
    short: "n",
    min: 12,
    max: 100_000,
    help: `Samples to measure; by default ${SAMPLES.gpu}, on a CPU ${SAMPLES.cpu}`,
  },
  pairs: { type: "integer", min: 1, default: 100, help: "Pairs a class for MS-SSIM" },
  seed: {
    type: "integer",
    min: 0,
    max: LARGEST_SEED - 100_000,
    default: 1,
    help: "Seed of the samples, of pairs, and of every random order",
  },
  columns: {
    type: "list",
    help: "Label columns that the classifier learns; by default those that the run is asked by",
  },
  inception: {
    type: "string",
    placeholder: "file",
    help: "Weights of Inception v3 as safetensors: measure distances in its features, too",
  },
  inceptionPictures: {
    type: "integer",
    min: 12,
    help: "Pictures of each set that it sees, at most; by default all, on a CPU " +
      `${INCEPTION_CPU}, for one takes it about a second`,
  },
  raw: { type: "boolean", help: "Use the weights of the last step instead of their averages" },
  out: {
    type: "string",
    placeholder: "folder",
    help: "Folder for report.json and report.html; by default RUN/eval/STEP",
  },
  cache: {
    type: "string",
    placeholder: "folder",
    default: "runs/cache",
    help: "Where decoded pictures, the classifier and features are kept for the next time",
  },
  ...tuneOptions,
  ...deviceOptions,
} as const satisfies Options;

/** `kao eval`: measures the samples of a run, and writes a report. */
export const command = defineCommand({
  name: "eval",
  summary: "Measure a run's samples against its data: figures as JSON, and a page with pictures",
  positionals: {
    run: { help: "Folder of the run, the --out of train" },
    data: { help: "The data that it was trained on" },
  },
  options,
}, async ({ options, positionals }) => {
  const { raw = false, seed, pairs, cache } = options, { run: folder, data: path } = positionals;
  const started = performance.now();
  const onMessage = (message: string): void => console.error(message);
  const run = await readRun(folder);
  if (!run) {
    throw new UserError(
      `${folder} is not a run: it is the folder that was given to train as --out`,
    );
  }
  const plugins = await drawingPlugins(run);
  const kinds = kindsOf(plugins);
  const conditions = run.conditions.map((it) => restoreCondition(it, { kinds }));
  const asTrained = columnsOf(await loadPlugins(run.plugins));
  const load = (also: readonly string[] = []): Promise<Dataset> =>
    loadDataset(path, {
      size: run.size,
      cache,
      columns: asTrained.columns,
      also: [...asTrained.also, ...also],
      onProgress: countAloud("Read"),
    });
  const known = await load(), same = known.fingerprint === run.data;
  // Further columns would change the fingerprint.
  const loaded = options.columns ? await load(options.columns) : known;
  if (!same) {
    onMessage(
      `${path} is not the data that ${folder} was trained on: what is held out here may have been seen there`,
    );
  }
  const names = loaded.columns.map(({ name }) => name);
  const dataset = withColumns(loaded, judgedColumns(conditions, names, options.columns));

  const device = await openDevice(options);
  const inception = await inceptionJudge(device, options);
  const { generator, step } = await loadGenerator(folder, {
    raw,
    kinds,
    layers: layersOf(plugins),
    onMessage,
  });
  const sampler = new Sampler(generator, conditions);
  const chooseKernels = kernelChooser(device, options, { seconds: TUNING_SECONDS });
  const open = await restoreKernels(folder, sampler.sites(), { device, onMessage });
  if (open.length > 0) await chooseKernels?.(open);

  if (inception) await chooseKernels?.(inception.network.sites(run.size));

  const { split, classifier } = await findClassifier(dataset, {
    holdout: run.holdout,
    seed: run.seed,
    cache,
    chooseKernels,
  });

  const { report, gallery } = await evaluate(
    { pictures: withPlugins(sampler, plugins, {}), split, classifier, flip: run.flip, inception },
    {
      run: lastPart(folder),
      step,
      weights: raw ? "last" : "averaged",
      data: { fingerprint: known.fingerprint, same },
    },
    {
      samples: options.samples ?? (device.adapter.cpu ? SAMPLES.cpu : SAMPLES.gpu),
      pairs,
      seed,
      onProgress: slowly(({ stage, done, total, secondsLeft }) =>
        onMessage(`${stage} ${done}/${total}  ${formatDuration(secondsLeft)} left`)
      ),
      onStage: (stage, seconds) => onMessage(`${stage}: ${seconds.toFixed(1)} s`),
    },
  );
  const out = options.out ?? `${folder}/eval/${String(step).padStart(6, "0")}${raw ? "-raw" : ""}`;
  const page = reportPage(report, { gallery, curves: await readCurves(folder) });
  await Deno.mkdir(out, { recursive: true });
  await replaceFile(`${out}/report.json`, encoded(JSON.stringify(report, null, 2) + "\n"));
  await replaceFile(`${out}/report.html`, encoded(page));
  for (const line of summary(report)) console.log(line);
  const took = formatDuration((performance.now() - started) / 1000);
  console.log(`Wrote ${out}/report.html and report.json in ${took}`);
});

/** The Inception v3 that was asked for, if one was. @throws {UserError} where its file does not fit. */
async function inceptionJudge(
  { adapter }: Device,
  options: { inception?: string; inceptionPictures?: number; cache: string },
): Promise<(LoadedInception & InceptionJudge) | undefined> {
  const { inception: file, inceptionPictures, cache } = options;
  if (file === undefined) return undefined;
  const loaded = await loadInception(file);
  const most = inceptionPictures ?? (adapter.cpu ? INCEPTION_CPU : undefined);
  const seen = most === undefined ? "all pictures" : `at most ${most} pictures of each set`;
  const slow = adapter.cpu ? ", about a second for each on a CPU" : "";
  console.error(
    `Inception v3 of ${file}, variant ${loaded.network.variant}: it sees ${seen}${slow}`,
  );
  return { ...loaded, most, cache: `${cache}/inception` };
}

/** The columns that the classifier learns. @throws {UserError} where there are none. */
function judgedColumns(
  conditions: readonly Condition[],
  columns: readonly string[],
  wanted: readonly string[] | undefined,
): readonly string[] {
  if (wanted) return wanted;
  const asked = conditions.filter(({ kind }) => kind === "categorical").map(({ name }) => name);
  const judged = columns.filter((name) => asked.includes(name));
  if (judged.length > 0) return judged;
  throw new UserError(
    `The run is not asked by a label column of classes, so nothing tells what its samples should be: name ` +
      `columns of the data by --columns for the classifier to learn, of ${
        columns.join(", ") || "which it has none"
      }`,
  );
}

/** Figures for the terminal. */
function summary({ accuracy, msSsim, features, inception, neighbours }: Report): string[] {
  const digits = (x: number | null | undefined) => x?.toPrecision(3) ?? "–";
  const scores = ({ samples, real }: FeatureReport, of = ""): string[] =>
    (["frechet", "kernel", "precision", "recall", "density", "coverage"] as const).map((name) =>
      `${name}${of}: samples ${digits(samples?.[name])}, real ${digits(real?.[name])}`
    );
  return [
    ...Object.entries(accuracy).map(([column, { samples, real }]) =>
      `accuracy ${column}: samples ${percent(samples)}, real ${percent(real)}`
    ),
    ...Object.entries(msSsim.columns).map(([column, { mean }]) =>
      `MS-SSIM within ${column}: samples ${digits(mean.samples)}, real ${digits(mean.real)}`
    ),
    ...scores(features),
    ...(inception ? scores(inception, " in Inception v3's features") : []),
    `samples nearer to a training picture than the nearest 5% of held-out ones: pixels ` +
    `${percent(neighbours.pixels.nearerThanTwentieth)}, features ` +
    `${percent(neighbours.features.nearerThanTwentieth)}`,
  ];
}

function encoded(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function lastPart(path: string): string {
  return path.replace(/[/\\]+$/, "").split(/[/\\]/).at(-1) ?? path;
}
