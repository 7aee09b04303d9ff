import { Batches, type Dataset, splitDataset, UserError } from "../data/mod.ts";
import { Device, DeviceLostError } from "../engine/mod.ts";
import { discriminatorStages } from "../models/mod.ts";
import type { PictureSource, Run } from "../plugin/mod.ts";
import { builtIn } from "../plugins/mod.ts";
import { Acgan } from "./acgan.ts";
import { toTensors } from "./batch.ts";
import { loadCheckpoint, restore, saveCheckpoint, setDamagedAside } from "./checkpoint.ts";
import { checkSettings, type Schedule, type TrainSettings } from "./config.ts";
import { Evaluator } from "./evaluate.ts";
import { replaceFile } from "./files.ts";
import { drawGrid } from "./grid.ts";
import { type ChooseKernels, settleKernels } from "./kernels.ts";
import { termWeights } from "./losses.ts";
import { MetricRing, type Metrics } from "./metric_ring.ts";
import { averageMetrics, MetricsLog } from "./metrics_log.ts";
import { describeRun } from "./run.ts";
import { claimRunFolder, dropPlugins } from "./run_folder.ts";
import { Pace } from "./pace.ts";
import { writePluginFile } from "./plugin_files.ts";
import type { ActivePlugin, ChosenPlugin } from "./plugin_setup.ts";
import { Plugins } from "./plugins.ts";
import { Sampler } from "./sampler.ts";
import { compileStep, metricNames } from "./step.ts";

/** How far a run has come. */
export interface Progress {
  readonly step: number;
  readonly steps: number;
  readonly imagesPerSecond: number;
  readonly secondsLeft: number;
  /**
   * Means over the steps since the last report, by name; `holdout.<condition>` at a checkpoint, and
   * `eval.<name>` where pictures were measured.
   */
  readonly metrics: Metrics;
}

/** Measures pictures while a run goes on. */
export interface Evaluation {
  /** Steps between two measurements; after the last step there is one more. */
  readonly every: number;
  /** Figures by name, logged as `eval.NAME`; they must depend on the step and the pictures alone. */
  run(pictures: PictureSource, step: number): Promise<Readonly<Record<string, number>>>;
}

/** Where and how to train, and whom to tell. */
export interface TrainOptions {
  /** The run's home; going on with a run is calling again with the same folder and settings. */
  readonly folder: string;
  readonly settings: TrainSettings;
  readonly schedule: Schedule;
  /** By default AC-GAN's classifier on every label column. */
  readonly plugins?: readonly ChosenPlugin[];
  /** Plugins that the run had and goes on without. */
  readonly dropPlugins?: readonly string[];
  /** Names that no condition may have, because the caller gives them another meaning. */
  readonly reserved?: readonly string[];
  /**
   * Chooses variants of the kernels that the run has not used before on this adapter; without it they go
   * by the static guess. What is chosen is kept with the run.
   */
  readonly chooseKernels?: ChooseKernels;
  /** Measures the averaged generator's pictures now and then. */
  readonly evaluate?: Evaluation;
  /** Aborting it lets the step in hand finish, saves, and returns. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Told in a sentence what happens beside the steps: where a run goes on, what was written. */
  readonly onMessage?: (message: string) => void;
}

const defaultPlugin: ChosenPlugin = {
  plugin: builtIn.classifier,
  source: "classifier",
  options: {},
};

/** Seeds of the rows of the grids that are drawn while training. */
const GRID_SEEDS = [1, 2, 3, 4, 5, 6, 7, 8];

/**
 * Trains an ACGAN on labelled pictures until the schedule's last step, or until it is told to stop.
 * Returns the step that the run is at, which is saved.
 *
 * The run's state after a step depends on the settings, the data, the adapter with the kernels that were
 * chosen for it, and the number of the step alone: neither on the time nor on how often the run was
 * stopped on the way.
 *
 * Throws a `UserError` where the data, the settings or the folder do not fit, where a loss is no longer
 * finite, and where the GPU is lost.
 */
export async function train(dataset: Dataset, options: TrainOptions): Promise<number> {
  try {
    return await trainOn(dataset, options);
  } catch (error) {
    if (!(error instanceof DeviceLostError)) throw error;
    throw new UserError(
      `The GPU was lost (${error.reason}). The last checkpoint is kept: ` +
        `run the same command again to go on from it`,
    );
  }
}

async function trainOn(dataset: Dataset, options: TrainOptions): Promise<number> {
  const { folder, settings, schedule, signal, chooseKernels, evaluate } = options;
  const { onProgress = () => {}, onMessage = () => {} } = options;
  const { batch, seed, flip, holdout, emaImages } = settings;

  // What is trained, on what.
  if (options.dropPlugins) await dropPlugins(folder, options.dropPlugins);
  checkSettings(settings);
  const { train: pictures, holdout: unseen } = splitDataset(dataset, { holdout, seed });
  if (pictures.count < batch) {
    throw new UserError(
      `Only ${pictures.count} pictures are left to train on, fewer than a batch of ${batch}: ` +
        `add pictures, or use a smaller --batch`,
    );
  }
  const { size, columns } = pictures;
  const plugins = await Plugins.setUp(options.plugins ?? [defaultPlugin], {
    ...settings,
    stages: discriminatorStages(settings.discriminator, size),
    data: pictures,
  });
  const { conditions } = plugins;
  const taken = conditions.find(({ name }) => options.reserved?.includes(name));
  if (taken) throw new UserError(`No condition can be named ${taken.name}: that name is taken`);
  if (conditions.length === 0) {
    throw new UserError(
      "No condition is left to ask for pictures by: name label columns, or a plugin with one",
    );
  }
  const weights = termWeights({ conditions, plugins }, settings);
  const run = describeRun(settings, { data: dataset.fingerprint, conditions, plugins });

  // Where it has got to.
  using _lock = await claimRunFolder(folder, run);
  const model = new Acgan(settings, conditions, { plugins });
  const state = model.state();
  const checkpoint = await loadCheckpoint(folder, onMessage);
  if (checkpoint) {
    await setDamagedAside(folder, checkpoint);
    restore(state, checkpoint.tensors);
  }
  let step = checkpoint?.step ?? 0;
  plugins.step = step + 1;
  if (step > 0) onMessage(`Going on from step ${step}`);
  if (step >= schedule.steps) return step;
  using log = await MetricsLog.open(`${folder}/metrics.jsonl`, { step });

  // What runs it.
  const batches = new Batches(pictures, { batch, seed, flip });
  const capacity = Math.min(schedule.logEvery, schedule.checkpointEvery, schedule.steps);
  const ring = new MetricRing(metricNames(model, weights), { capacity });
  const trainStep = compileStep(model, { batch, weights, emaImages, ring });
  const evaluator = unseen.count > 0 && Evaluator.asks(conditions)
    ? new Evaluator(model, unseen, { batch })
    : undefined;
  const sampler = new Sampler(model.average, conditions);
  const tensorsAt = (step: number) => toTensors(batches.at(step), { size, columns, conditions });
  const { images, values } = tensorsAt(step);
  const sites = [
    ...trainStep.sites(images, ...values),
    ...evaluator?.sites() ?? [],
    ...sampler.sites(),
  ];
  await settleKernels(folder, sites, { device: Device.default, choose: chooseKernels, onMessage });
  const about = (plugin: ActivePlugin): Run => ({
    step,
    pictures: sampler,
    message: onMessage,
    write: (name, bytes) => writePluginFile(folder, plugin, { name, bytes }),
  });
  await plugins.forEach("hooks.start", (plugin) => plugin.parts.hooks?.start?.(about(plugin)));
  onMessage("Compiling the training step; an adapter's first time takes longest");

  const pace = new Pace();

  let reported = step;
  let reportedAt = performance.now();
  const report = async (extra: Metrics) => {
    const rows = (await ring.last(step - reported)).map((row, i) =>
      plugins.checkedMetrics(row, { step: reported + 1 + i })
    );
    const metrics = { ...averageMetrics(rows), ...extra };
    await log.append({ step, ...metrics });
    const stepsPerSecond = (step - reported) * 1000 / (performance.now() - reportedAt);
    onProgress({
      step,
      steps: schedule.steps,
      imagesPerSecond: stepsPerSecond * batch,
      secondsLeft: (schedule.steps - step) / stepsPerSecond,
      metrics,
    });
    reported = step;
    reportedAt = performance.now();
  };

  let saved = step;
  while (step < schedule.steps && !signal?.aborted) {
    const { images, values } = tensorsAt(step);
    trainStep(images, ...values);
    step++;
    plugins.step = step;

    const due = (every: number) => step % every === 0 || step === schedule.steps;
    const saving = due(schedule.checkpointEvery);
    const evaluating = evaluate !== undefined && due(evaluate.every);
    if (saving || evaluating || due(schedule.logEvery)) {
      await report({
        ...(saving && { ...await evaluator?.run(), ...await measuredBy(plugins, about) }),
        ...(evaluating && prefixed("eval", await evaluate.run(sampler, step))),
      });
    }
    if (due(schedule.gridEvery)) {
      for (const condition of conditions) {
        const grid = await drawGrid(sampler, condition, { seeds: GRID_SEEDS });
        const name = `${String(step).padStart(6, "0")}.${condition.name}.png`;
        await replaceFile(`${folder}/grids/${name}`, grid);
      }
    }
    if (saving) {
      await saveCheckpoint(folder, state, { step, run });
      saved = step;
    }
    await pace.step();
  }
  if (saved < step) {
    if (reported < step) await report({});
    await saveCheckpoint(folder, state, { step, run });
  }
  await plugins.forEach("hooks.end", (plugin) => plugin.parts.hooks?.end?.(about(plugin)));
  ring.destroy();
  return step;
}

function prefixed(prefix: string, numbers: Metrics): Metrics {
  return Object.fromEntries(Object.entries(numbers).map(([name, x]) => [`${prefix}.${name}`, x]));
}

/** What plugins measure at a checkpoint, as `PLUGIN.NAME`. */
async function measuredBy(
  plugins: Plugins,
  about: (plugin: ActivePlugin) => Run,
): Promise<Metrics> {
  const measured: Record<string, number> = {};
  await plugins.forEach("hooks.checkpoint", async (plugin) => {
    const numbers = await plugin.parts.hooks?.checkpoint?.(about(plugin)) ?? {};
    for (const [name, number] of Object.entries(numbers)) {
      if (typeof number !== "number") {
        throw new TypeError(`${name} must be a number, not ${number}`);
      }
      measured[`${plugin.name}.${name}`] = number;
    }
  });
  return measured;
}
