import type { LazyTerms } from "./lazy_steps.ts";
import type { MetricRing, Metrics } from "./metric_ring.ts";
import { averageMetrics, type MetricsLog } from "./metrics_log.ts";
import type { Plugins } from "./plugins.ts";

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

/** Fetches the metrics of the steps that were not told of yet, looks at them, and tells of them. */
export class Reporter {
  readonly #options: ReporterOptions;
  #step: number;
  #at: number = performance.now();

  /** @param options.step the step that the run is at. */
  constructor(options: ReporterOptions & { readonly step: number }) {
    this.#options = options;
    this.#step = options.step;
  }

  /** The last step that was told of. */
  get step(): number {
    return this.#step;
  }

  /**
   * Writes means over the steps up to `step`, with other figures of that step, and returns them.
   *
   * @throws {NotFiniteError} where a metric is not finite.
   */
  async report(step: number, extra: () => Promise<Metrics>): Promise<Metrics> {
    const { ring, plugins, lazy, log, steps, pictures, watch, onProgress } = this.#options;
    const rows = (await ring.last(step - this.#step)).map((row, i) => {
      const at = this.#step + 1 + i, leftOut = lazy.leftOut(at);
      const checked = plugins.checkedMetrics(row, { step: at });
      watch(checked, { step: at });
      return Object.fromEntries(
        Object.entries(checked).filter(([name]) => !leftOut.includes(name)),
      );
    });
    // Measuring pictures does not count as training.
    const stepsPerSecond = (step - this.#step) * 1000 / (performance.now() - this.#at);
    const metrics = { ...averageMetrics(rows), ...await extra() };
    await log.append({ step, ...metrics });
    onProgress({
      step,
      steps,
      imagesPerSecond: stepsPerSecond * pictures,
      secondsLeft: (steps - step) / stepsPerSecond,
      metrics,
    });
    this.#goOn(step);
    return metrics;
  }

  /** Goes on from an earlier step; what was told of later ones is taken back. */
  async back(step: number): Promise<void> {
    await this.#options.log.back(step);
    this.#goOn(step);
  }

  #goOn(step: number): void {
    this.#step = step;
    this.#at = performance.now();
  }
}

/** What a {@linkcode Reporter} works with. */
export interface ReporterOptions {
  readonly ring: MetricRing;
  readonly plugins: Plugins;
  readonly lazy: LazyTerms;
  readonly log: MetricsLog;
  /** Steps in all. */
  readonly steps: number;
  /** Real pictures that a step learns from. */
  readonly pictures: number;
  /** Looks at the metrics of every step. */
  readonly watch: (row: Metrics, at: { readonly step: number }) => void;
  readonly onProgress: (progress: Progress) => void;
}
