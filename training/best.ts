// The checkpoint whose chosen metric was the best so far, kept beside the last ones.

import { UserError } from "../data/mod.ts";
import type { Variable } from "../engine/mod.ts";
import { didYouMean } from "../plugin/mod.ts";
import { BEST, type CheckpointAbout, readCheckpoint, saveBest } from "./checkpoint.ts";
import { exists } from "./files.ts";
import type { Metrics } from "./metric_ring.ts";

/** The metric by which a run's best checkpoint is kept. */
export interface KeepBest {
  /** A name as the log has it, such as `eval.fid`. */
  readonly metric: string;
  /** Whether smaller or larger values are better; known for the metrics that kao brings. */
  readonly goal?: "min" | "max";
}

const SMALLER = /^[dg]\.(?!auc)|(^|[._])(fid|kid|frechet|kernel_distance|ms_ssim|loss)\b/;
const LARGER =
  /^(accuracy|holdout)\.|(^|[._])(accuracy|precision|recall|density|coverage|diversity)\b/;

/** Whether smaller or larger values of a metric are better. @throws {UserError} where only the user can know. */
export function goalOf({ metric, goal }: KeepBest): "min" | "max" {
  if (goal !== undefined) return goal;
  if (LARGER.test(metric)) return "max";
  if (SMALLER.test(metric)) return "min";
  throw new UserError(
    `Nothing tells whether a smaller or a larger ${metric} is better: ` +
      `--keep-best ${metric}:min or ${metric}:max does`,
  );
}

/** Keeps the best checkpoint of a run. */
export class BestCheckpoint {
  readonly #metric: string;
  readonly #goal: "min" | "max";
  #folder = "";
  #best: number | undefined;

  private constructor(keep: KeepBest) {
    this.#metric = keep.metric;
    this.#goal = goalOf(keep);
  }

  /**
   * Looks at what is asked for; nothing is read or written.
   *
   * @param options.prefixes what the names of metrics begin with that are known only when they are measured.
   * @throws {UserError} at a metric that will never be there.
   */
  static check(
    keep: KeepBest,
    options: { known: readonly string[]; prefixes: readonly string[] },
  ): BestCheckpoint {
    const { metric } = keep, { known, prefixes } = options;
    if (!known.includes(metric) && !prefixes.some((prefix) => metric.startsWith(prefix))) {
      const also = prefixes.map((prefix) => `${prefix}NAME`);
      throw new UserError(
        `There is no metric "${metric}" to keep the best checkpoint by${
          didYouMean(metric, known)
        }: there are ${[...known, ...also].join(", ")}`,
      );
    }
    return new BestCheckpoint(keep);
  }

  /** Goes on keeping the best checkpoint of the run in `folder`. */
  async open(folder: string, onMessage: (message: string) => void): Promise<void> {
    this.#folder = folder;
    try {
      const file = `${folder}/${BEST}`;
      const before = await exists(file) ? (await readCheckpoint(file)).best : undefined;
      if (before?.metric === this.#metric) this.#best = before.value;
    } catch (error) {
      onMessage(`${(error as Error).message}; the next best one takes its place`);
    }
  }

  /** Keeps the state after a step if its metric is the best so far, or where it has none leaves it. */
  async consider(
    metrics: Metrics,
    variables: Readonly<Record<string, Variable>>,
    about: CheckpointAbout,
  ): Promise<void> {
    const value = metrics[this.#metric];
    if (!Number.isFinite(value)) return;
    const better = this.#best === undefined ||
      (this.#goal === "min" ? value < this.#best : value > this.#best);
    if (!better) return;
    await saveBest(this.#folder, variables, { ...about, best: { metric: this.#metric, value } });
    this.#best = value;
  }
}
