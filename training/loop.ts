import { Batches, type Dataset, UserError } from "../data/mod.ts";
import { Device, DeviceLostError } from "../engine/mod.ts";
import type { PictureSource, Run } from "../plugin/mod.ts";
import { Acgan, under } from "./acgan.ts";
import { CollapseAlarm } from "./alarm.ts";
import { stepArguments } from "./batch.ts";
import type { KeepBest } from "./best.ts";
import {
  loadCheckpoint,
  readTensors,
  restore,
  saveCheckpoint,
  setDamagedAside,
} from "./checkpoint.ts";
import type { Schedule, TrainSettings } from "./config.ts";
import { Evaluator } from "./evaluate.ts";
import { replaceFile } from "./files.ts";
import { drawGrid } from "./grid.ts";
import { type ChooseKernels, settleKernels } from "./kernels.ts";
import { LazySteps, LazyTerms } from "./lazy_steps.ts";
import { MetricRing, type Metrics } from "./metric_ring.ts";
import { MetricsLog } from "./metrics_log.ts";
import { NotFiniteError } from "./not_finite.ts";
import { note } from "./notes.ts";
import { Pace } from "./pace.ts";
import { writePluginFile } from "./plugin_files.ts";
import type { ActivePlugin, ChosenPlugin } from "./plugin_setup.ts";
import type { Plugins } from "./plugins.ts";
import { prepare } from "./prepare.ts";
import { type Progress, Reporter } from "./reporter.ts";
import { batchSeed, Rollback } from "./rollback.ts";
import { claimRunFolder, dropPlugins } from "./run_folder.ts";
import { Sampler } from "./sampler.ts";
import { batchesPerStep } from "./step.ts";

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
  /** Keeps the checkpoint whose metric is the best, beside the last ones. */
  readonly keepBest?: KeepBest;
  /** The configuration as people wrote it, kept as `config.yaml` with the run. */
  readonly config?: string;
  /** Aborting it lets the step in hand finish, saves, and returns. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  /** Told in a sentence what happens beside the steps: where a run goes on, what was written. */
  readonly onMessage?: (message: string) => void;
}

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
 * Where a number is no longer finite, the run goes back to its last checkpoint and on with other random
 * numbers, three times at most.
 *
 * Throws a `UserError` where the data, the settings or the folder do not fit, where losses do not stay
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
  const { onProgress = () => {} } = options;
  const { batch, seed, flip } = settings;

  if (options.dropPlugins) await dropPlugins(folder, options.dropPlugins);
  const prepared = await prepare(dataset, options);
  const { pictures, unseen, plugins, weights, names, run, best } = prepared;
  const { conditions } = plugins, { size, columns } = pictures;

  // Where it has got to.
  using _lock = await claimRunFolder(folder, run);
  if (options.config !== undefined) {
    await replaceFile(`${folder}/config.yaml`, new TextEncoder().encode(options.config));
  }
  const model = new Acgan(settings, conditions, { plugins });
  const state = model.state();
  let step = 0, retries = 0;
  const say = (message: string) => {
    options.onMessage?.(message);
    note(folder, { step, message });
  };
  const checkpoint = await loadCheckpoint(folder, say);
  if (checkpoint) {
    await setDamagedAside(folder, checkpoint);
    restore(state, checkpoint.tensors);
    ({ step, retries } = checkpoint);
  }
  plugins.step = step + 1;
  if (step > 0) say(`Going on from step ${step}`);
  if (step >= schedule.steps) return step;
  await best?.open(folder, say);
  const start = checkpoint ? undefined : await readTensors(state);
  const rollback = new Rollback(model, { folder, seed, start });
  using log = await MetricsLog.open(`${folder}/metrics.jsonl`, { step });

  // What runs it.
  const batchesNow = () => new Batches(pictures, { batch, seed: batchSeed(seed, retries), flip });
  let batches = batchesNow();
  const perStep = batchesPerStep(settings);
  const capacity = Math.min(schedule.logEvery, schedule.checkpointEvery, schedule.steps);
  const ring = new MetricRing(names, { capacity });
  const lazy = new LazyTerms(model, weights);
  const trainSteps = new LazySteps(model, { ...settings, weights, ring, lazy });
  const evaluator = unseen.count > 0 && Evaluator.asks(conditions)
    ? new Evaluator(model, unseen, { batch })
    : undefined;
  const sampler = new Sampler(model.average, conditions);
  const argumentsAt = (step: number) =>
    stepArguments(batches, step, { size, columns, conditions, batches: perStep });
  const sites = [
    ...trainSteps.kinds().flatMap((kind) => kind.sites(...argumentsAt(step))),
    ...evaluator?.sites() ?? [],
    ...sampler.sites(),
  ];
  const device = Device.default;
  await settleKernels(folder, sites, { device, choose: chooseKernels, onMessage: say });
  const about = (plugin: ActivePlugin): Run => ({
    step,
    pictures: sampler,
    message: say,
    write: (name, bytes) => writePluginFile(folder, plugin, { name, bytes }),
  });
  await plugins.forEach("hooks.start", (plugin) => plugin.parts.hooks?.start?.(about(plugin)));
  say("Compiling the training step; an adapter's first time takes longest");

  const alarm = new CollapseAlarm();
  const reporter = new Reporter({
    ring,
    plugins,
    lazy,
    log,
    step,
    onProgress,
    steps: schedule.steps,
    pictures: batch * perStep,
    watch: (row, at) => alarm.watch(row, at).forEach(say),
  });
  const pace = new Pace();
  let saved = step;
  const save = async () => {
    await saveCheckpoint(folder, state, { step, run, retries });
    rollback.saved();
    saved = step;
  };

  /** Takes steps up to the last, or until it is told to stop. */
  const goOn = async () => {
    while (step < schedule.steps && !signal?.aborted) {
      trainSteps.at(step + 1)(...argumentsAt(step));
      step++;
      plugins.step = step;

      const due = (every: number) => step % every === 0 || step === schedule.steps;
      const saving = due(schedule.checkpointEvery);
      const evaluating = evaluate !== undefined && due(evaluate.every);
      if (saving || evaluating || due(schedule.logEvery)) {
        const metrics = await reporter.report(step, async () => ({
          ...(saving && { ...await evaluator?.run(), ...await measuredBy(plugins, about) }),
          ...(evaluating && under("eval", await evaluate.run(sampler, step))),
        }));
        // Before the newest: a start that repeats these steps comes to the same best again.
        if (saving || evaluating) await best?.consider(metrics, state, { step, run, retries });
      }
      if (due(schedule.gridEvery)) {
        for (const condition of conditions) {
          const grid = await drawGrid(sampler, condition, { seeds: GRID_SEEDS });
          const name = `${String(step).padStart(6, "0")}.${condition.name}.png`;
          await replaceFile(`${folder}/grids/${name}`, grid);
        }
      }
      if (saving) await save();
      await pace.step();
    }
    if (saved === step) return;
    if (reporter.step < step) await reporter.report(step, () => Promise.resolve({}));
    await save();
  };
  for (let done = false; !done;) {
    try {
      await goOn();
      done = true;
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      ({ step, retries } = await rollback.back(error, { onMessage: say }));
      plugins.step = saved = step;
      batches = batchesNow();
      await reporter.back(step);
    }
  }
  await plugins.forEach("hooks.end", (plugin) => plugin.parts.hooks?.end?.(about(plugin)));
  ring.destroy();
  return step;
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
