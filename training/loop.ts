import { Batches, type Dataset, UserError } from "../data/mod.ts";
import { Device, DeviceLostError, type Tensor } from "../engine/mod.ts";
import type { PictureSource } from "../plugin/mod.ts";
import { Acgan, under } from "./acgan.ts";
import { CollapseAlarm } from "./alarm.ts";
import { stepArguments } from "./batch.ts";
import type { KeepBest } from "./best.ts";
import type { Schedule, TrainSettings } from "./config.ts";
import { Evaluator } from "./evaluate.ts";
import { replaceFile } from "./files.ts";
import { drawGrid } from "./grid.ts";
import { Hooks } from "./hooks.ts";
import { type ChooseKernels, settleKernels } from "./kernels.ts";
import { LazySteps, LazyTerms } from "./lazy_steps.ts";
import { MetricRing } from "./metric_ring.ts";
import { MetricsLog } from "./metrics_log.ts";
import { NotFiniteError } from "./not_finite.ts";
import { Pace } from "./pace.ts";
import type { ChosenPlugin } from "./plugin_setup.ts";
import { prepare, type Prepared } from "./prepare.ts";
import { type Progress, Reporter } from "./reporter.ts";
import { claimRunFolder, dropPlugins } from "./run_folder.ts";
import { RunState } from "./run_state.ts";
import { findBeginning } from "./transfer.ts";
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
  /** A run's folder, or a checkpoint's file, whose weights a new run begins with. */
  readonly from?: string;
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
  const { folder, settings, schedule, config } = options;
  if (options.dropPlugins) await dropPlugins(folder, options.dropPlugins);
  const { ancestor, beginWith } = await findBeginning(folder, options);
  const prepared = await prepare(dataset, { ...options, ancestor });
  const { plugins, run, best } = prepared;

  using _lock = await claimRunFolder(folder, run);
  if (config !== undefined) {
    await replaceFile(`${folder}/config.yaml`, new TextEncoder().encode(config));
  }
  const model = new Acgan(settings, plugins.conditions, { plugins });
  const state = await RunState.open(model, { ...options, run, beginWith });
  if (state.step > 0) state.say(`Going on from step ${state.step}`);
  if (state.step >= schedule.steps) return state.step;
  await best?.open(folder, (message) => state.say(message));
  using log = await MetricsLog.open(`${folder}/metrics.jsonl`, { step: state.step });
  using loop = new Loop(model, { ...options, ...prepared, state, log });
  await loop.run();
  return state.step;
}

/** What a {@linkcode Loop} works with. */
type LoopOptions = Omit<TrainOptions, "plugins"> & Prepared & {
  readonly state: RunState;
  readonly log: MetricsLog;
};

/** The steps of a start, and what is due between them. */
class Loop {
  readonly #options: LoopOptions;
  readonly #state: RunState;
  readonly #ring: MetricRing;
  readonly #steps: LazySteps;
  readonly #evaluator: Evaluator | undefined;
  readonly #sampler: Sampler;
  readonly #hooks: Hooks;
  readonly #reporter: Reporter;
  readonly #pace = new Pace();
  #batches: Batches;

  constructor(model: Acgan, options: LoopOptions) {
    const { settings, schedule, plugins, weights, unseen, names, state, log } = options;
    const { conditions } = plugins, { batch } = settings;
    const capacity = Math.min(schedule.logEvery, schedule.checkpointEvery, schedule.steps);
    const alarm = new CollapseAlarm();
    const lazy = new LazyTerms(model, weights);
    this.#options = options;
    this.#state = state;
    this.#ring = new MetricRing(names, { capacity });
    this.#steps = new LazySteps(model, { ...settings, weights, ring: this.#ring, lazy });
    this.#evaluator = unseen.count > 0 && Evaluator.asks(conditions)
      ? new Evaluator(model, unseen, { batch })
      : undefined;
    this.#sampler = new Sampler(model.average, conditions);
    this.#hooks = new Hooks(plugins, { folder: options.folder, pictures: this.#sampler, state });
    this.#reporter = new Reporter({
      ring: this.#ring,
      plugins,
      lazy,
      log,
      step: state.step,
      steps: schedule.steps,
      pictures: batch * batchesPerStep(settings),
      watch: (row, at) => alarm.watch(row, at).forEach((warning) => state.say(warning)),
      onProgress: options.onProgress ?? (() => {}),
    });
    this.#batches = this.#orderPictures();
  }

  /** Takes steps up to the last, or until it is told to stop, and saves. */
  async run(): Promise<void> {
    const { plugins } = this.#options, state = this.#state;
    plugins.step = state.step + 1;
    await this.#settleKernels();
    await this.#hooks.start();
    state.say("Compiling the training step; an adapter's first time takes longest");
    for (let done = false; !done;) {
      try {
        await this.#goOn();
        done = true;
      } catch (error) {
        if (!(error instanceof NotFiniteError)) throw error;
        await state.back(error);
        plugins.step = state.step;
        this.#batches = this.#orderPictures();
        await this.#reporter.back(state.step);
      }
    }
    await this.#hooks.end();
  }

  async #goOn(): Promise<void> {
    const { schedule, signal, plugins } = this.#options, state = this.#state;
    while (state.step < schedule.steps && !signal?.aborted) {
      this.#steps.at(state.step + 1)(...this.#nextArguments());
      state.advance();
      plugins.step = state.step;
      await this.#report();
      if (this.#due(schedule.gridEvery)) await this.#drawGrids();
      if (this.#due(schedule.checkpointEvery)) await state.save();
      await this.#pace.step();
    }
    if (this.#reporter.step < state.step) {
      await this.#reporter.report(state.step, () => Promise.resolve({}));
    }
    await state.save();
  }

  /** Whether the step just taken is one of each `every`, or the last. */
  #due(every: number): boolean {
    const { step } = this.#state;
    return step % every === 0 || step === this.#options.schedule.steps;
  }

  /** Fetches and tells what was not told of yet, and measures what is due. */
  async #report(): Promise<void> {
    const { schedule, evaluate, best } = this.#options, { step } = this.#state;
    const saving = this.#due(schedule.checkpointEvery);
    const evaluating = evaluate !== undefined && this.#due(evaluate.every);
    if (!saving && !evaluating && !this.#due(schedule.logEvery)) return;
    const metrics = await this.#reporter.report(step, async () => ({
      ...(saving && { ...await this.#evaluator?.run(), ...await this.#hooks.checkpoint() }),
      ...(evaluating && under("eval", await evaluate.run(this.#sampler, step))),
    }));
    // Before the newest is saved: a start that repeats these steps comes to the same best again.
    if (best && (saving || evaluating)) await this.#state.keepIn(best, metrics);
  }

  async #drawGrids(): Promise<void> {
    const { folder, plugins } = this.#options;
    for (const condition of plugins.conditions) {
      const grid = await drawGrid(this.#sampler, condition, { seeds: GRID_SEEDS });
      const name = `${String(this.#state.step).padStart(6, "0")}.${condition.name}.png`;
      await replaceFile(`${folder}/grids/${name}`, grid);
    }
  }

  async #settleKernels(): Promise<void> {
    const { folder, chooseKernels } = this.#options;
    const sites = [
      ...this.#steps.kinds().flatMap((kind) => kind.sites(...this.#nextArguments())),
      ...this.#evaluator?.sites() ?? [],
      ...this.#sampler.sites(),
    ];
    await settleKernels(folder, sites, {
      device: Device.default,
      choose: chooseKernels,
      onMessage: (message) => this.#state.say(message),
    });
  }

  #orderPictures(): Batches {
    const { pictures, settings: { batch, flip } } = this.#options;
    return new Batches(pictures, { batch, seed: this.#state.batchSeed, flip });
  }

  #nextArguments(): Tensor[] {
    const { pictures: { size, columns }, plugins: { conditions }, settings } = this.#options;
    const batches = batchesPerStep(settings);
    return stepArguments(this.#batches, this.#state.step, { size, columns, conditions, batches });
  }

  [Symbol.dispose](): void {
    this.#ring.destroy();
  }
}
