import { compile, read, type Tensor } from "../engine/mod.ts";
import type { Dataset } from "../data/mod.ts";
import type { Acgan } from "./acgan.ts";
import { sliceBatch, toTensors } from "./batch.ts";
import { fromBytes } from "./step.ts";

/**
 * How often the discriminator names real pictures rightly, by condition. It is asked in inference mode,
 * and of pictures that it was not trained on this tells what it has learnt rather than remembered.
 */
export class Evaluator {
  readonly #model: Acgan;
  readonly #dataset: Dataset;
  readonly #batch: number;
  readonly #score: (bytes: Tensor, ...values: Tensor[]) => Tensor[];

  constructor(model: Acgan, dataset: Dataset, options: { batch: number }) {
    const { conditions, discriminator } = model;
    this.#model = model;
    this.#dataset = dataset;
    this.#batch = Math.min(options.batch, dataset.count);
    this.#score = compile((bytes: Tensor, ...values: Tensor[]) => {
      discriminator.eval();
      const { heads } = discriminator.forward(fromBytes(bytes));
      discriminator.train();
      return conditions.map((condition, i) => condition.score(heads[condition.name], values[i]));
    }, { name: "evaluate" });
  }

  /** The mean score of every condition, as `holdout.<condition>`. */
  async run(): Promise<Record<string, number>> {
    const { conditions } = this.#model;
    const { count, size, columns } = this.#dataset;
    const totals = conditions.map(() => 0);
    for (let start = 0; start < count; start += this.#batch) {
      // The last batch reaches back, so that one plan serves all; what it repeats is not counted again.
      const from = Math.min(start, count - this.#batch);
      const batch = sliceBatch(this.#dataset, from, from + this.#batch);
      const { images, values } = toTensors(batch, { size, columns, conditions });
      const scores = await read(this.#score(images, ...values));
      scores.forEach((score, k) => {
        for (const value of score.subarray(start - from)) totals[k] += value;
      });
    }
    return Object.fromEntries(
      conditions.map(({ name }, k) => [`holdout.${name}`, totals[k] / count]),
    );
  }
}
