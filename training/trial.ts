// A run in memory alone: what checks and measurements of plugins are made on.

import { Batches, type Dataset } from "../data/mod.ts";
import { Device, type Footprint, read, type Tensor } from "../engine/mod.ts";
import { discriminatorStages } from "../models/mod.ts";
import { Acgan } from "./acgan.ts";
import { stepArguments, toTensors } from "./batch.ts";
import type { TrainSettings } from "./config.ts";
import { termWeights } from "./losses.ts";
import { MetricRing, type Metrics } from "./metric_ring.ts";
import type { ChosenPlugin } from "./plugin_setup.ts";
import { Plugins } from "./plugins.ts";
import { batchesPerStep, type CompiledStep, compileStep, metricNames } from "./step.ts";

/** What a {@linkcode Trial} takes. */
export interface TrialFootprint extends Footprint {
  /** All bytes on the device: weights, optimisers, the step's intermediate values, inputs. */
  readonly deviceBytes: number;
}

/** The very step that {@linkcode train} runs, without a folder, a log, or an end. */
export class Trial {
  readonly model: Acgan;
  readonly settings: TrainSettings;
  readonly #dataset: Dataset;
  readonly #batches: Batches;
  readonly #ring: MetricRing;
  readonly #step: CompiledStep;
  #done = 0;
  #bytes = 0;

  /** Sets plugins up. @throws {UserError} as {@linkcode Plugins.setUp} does. */
  static async setUp(
    dataset: Dataset,
    options: { settings: TrainSettings; plugins: readonly ChosenPlugin[] },
  ): Promise<Trial> {
    const { settings } = options;
    const plugins = await Plugins.setUp(options.plugins, {
      ...settings,
      stages: discriminatorStages(settings.discriminator, settings.size),
      data: dataset,
    });
    return new Trial(dataset, { settings, plugins });
  }

  private constructor(
    dataset: Dataset,
    { settings, plugins }: { settings: TrainSettings; plugins: Plugins },
  ) {
    const { batch, seed, flip } = settings;
    this.settings = settings;
    this.model = new Acgan(settings, plugins.conditions, { plugins });
    const weights = termWeights(this.model, settings);
    this.#dataset = dataset;
    this.#batches = new Batches(dataset, { batch, seed, flip });
    this.#ring = new MetricRing(metricNames(this.model, weights, settings), { capacity: 1 });
    this.#step = compileStep(this.model, { ...settings, weights, ring: this.#ring });
  }

  /** The pictures of a step as bytes, and the values that labels tell. */
  inputs(step: number): { images: Tensor; values: Tensor[] } {
    const { size, columns } = this.#dataset;
    const { conditions } = this.model;
    return toTensors(this.#batches.at(step), { size, columns, conditions });
  }

  /**
   * Takes a step, and waits for it. Returns its milliseconds.
   *
   * @throws {UserError} where a plugin fails while it is traced.
   */
  async step(): Promise<number> {
    const args = this.#arguments(this.#done);
    this.model.plugins.step = ++this.#done;
    const { bytes } = Device.default.memory;
    const start = performance.now();
    this.#step(...args);
    await read([this.model.step]);
    const milliseconds = performance.now() - start;
    if (this.#done === 1) this.#bytes = Device.default.memory.bytes - bytes;
    return milliseconds;
  }

  /** The last step's metrics. @throws {UserError} where one is not finite. */
  async metrics(): Promise<Metrics> {
    const [row] = await this.#ring.last(1);
    return this.model.plugins.checkedMetrics(row, { step: this.#done });
  }

  /** What its steps take; known after the first. */
  get footprint(): TrialFootprint {
    return { ...this.#step.footprint(...this.#arguments(0)), deviceBytes: this.#bytes };
  }

  #arguments(step: number): Tensor[] {
    const { size, columns } = this.#dataset, { conditions } = this.model;
    const about = { size, columns, conditions, batches: batchesPerStep(this.settings) };
    return stepArguments(this.#batches, step, about);
  }
}
