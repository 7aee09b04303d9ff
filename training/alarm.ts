// Says once when a training looks as if it were going wrong.

import type { Metrics } from "./metric_ring.ts";

/** So many first steps are not looked at: nothing is as it should be then. */
const GRACE = 500;
/** Means are taken over so many steps. */
const WINDOW = 200;
/** Fakes this much nearer to each other than real pictures are too much alike. */
const LEAST_DIVERSITY = 0.25;
/** A discriminator that tells real pictures and fakes apart so surely teaches the generator nothing. */
const MOST_AUC = 0.9995;

interface Sign {
  readonly metric: string;
  isBad(mean: number): boolean;
  tell(mean: number): string;
}

const SIGNS: readonly Sign[] = [
  {
    metric: "diversity",
    isBad: (mean) => mean < LEAST_DIVERSITY,
    tell: (mean) =>
      `the generator draws much the same pictures again and again (diversity ${mean.toFixed(2)}; ` +
      `1 is that of the data). Look at the grids. If that is so: begin anew with --plugin ` +
      `diff-augment or dragan, a lower --lr, or a larger --batch; ` +
      `--keep-best keeps the best checkpoint of a run`,
  },
  {
    metric: "d.auc",
    isBad: (mean) => mean > MOST_AUC,
    tell: (mean) =>
      `the discriminator tells every fake from a real picture (d.auc ${
        mean.toFixed(4)
      }), and the ` +
      `generator learns little from it. With few pictures it knows them by heart: --plugin ` +
      `diff-augment; else --plugin dragan, a lower --lr-d, or a narrower discriminator`,
  },
];

/** Looks at the steps of a run, and warns of each sign once in a start. */
export class CollapseAlarm {
  readonly #open = new Set<Sign>(SIGNS);
  readonly #sums = new Map<string, number>();
  #counted = 0;

  /** Takes the metrics of a step, and returns what is to be said about it. */
  watch(row: Metrics, { step }: { step: number }): string[] {
    if (step <= GRACE) return [];
    for (const { metric } of SIGNS) {
      this.#sums.set(metric, (this.#sums.get(metric) ?? 0) + row[metric]);
    }
    if (++this.#counted < WINDOW) return [];
    const said = [...this.#open].flatMap((sign) => {
      const mean = this.#sums.get(sign.metric)! / WINDOW;
      if (!sign.isBad(mean)) return [];
      this.#open.delete(sign);
      return [`Warning: in the ${WINDOW} steps to ${step}, ${sign.tell(mean)}`];
    });
    this.#sums.clear();
    this.#counted = 0;
    return said;
  }
}
