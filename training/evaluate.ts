import {
  compile,
  type Compiled,
  full,
  type KernelSite,
  mul,
  read,
  stack,
  type Tensor,
} from "../engine/mod.ts";
import type { Dataset } from "../data/mod.ts";
import { type Condition, isLatent } from "../plugin/mod.ts";
import { type Acgan, hasHead } from "./acgan.ts";
import { sliceBatch, toTensors } from "./batch.ts";
import { fromBytes } from "./pictures.ts";
import { realValues } from "./values.ts";

/**
 * How often the discriminator names real pictures rightly, by condition. It is asked in inference mode,
 * and of pictures that it was not trained on this tells what it has learnt rather than remembered.
 */
export class Evaluator {
  readonly #model: Acgan;
  /** The conditions that D recovers and that real pictures have. */
  readonly #asked: readonly Condition[];
  readonly #dataset: Dataset;
  readonly #batch: number;
  readonly #score: Compiled<Tensor[]>;

  constructor(model: Acgan, dataset: Dataset, options: { batch: number }) {
    const { conditions, discriminator } = model;
    const asked = conditions.filter(hasHead).filter((condition) => !isLatent(condition));
    this.#model = model;
    this.#asked = asked;
    this.#dataset = dataset;
    this.#batch = Math.min(options.batch, dataset.count);
    this.#score = compile((bytes: Tensor, ...read: Tensor[]) => {
      const images = fromBytes(bytes), values = realValues(conditions, images, { read });
      discriminator.eval();
      const { heads } = discriminator.forward(images);
      discriminator.train();
      return asked.map((condition) => {
        const { name } = condition, score = condition.score(heads[name], values[name]);
        const known = condition.known?.(values[name]) ?? full(score.shape, 1);
        return stack([mul(score, known), known]);
      });
    }, { name: "evaluate" });
  }

  /** Whether there is a condition that D recovers and that real pictures have. */
  static asks(conditions: readonly Condition[]): boolean {
    return conditions.some((condition) => hasHead(condition) && !isLatent(condition));
  }

  /** The kernels that it runs and that come in several variants. */
  sites(): readonly KernelSite[] {
    const { images, values } = this.#tensors(0);
    return this.#score.sites(images, ...values);
  }

  /** The mean score of every condition that a picture is known by, as `holdout.<condition>`. */
  async run(): Promise<Record<string, number>> {
    const { count } = this.#dataset;
    const totals = this.#asked.map(() => ({ right: 0, known: 0 }));
    for (let start = 0; start < count; start += this.#batch) {
      // The last batch reaches back, so that one plan serves all; what it repeats is not counted again.
      const from = Math.min(start, count - this.#batch);
      const { images, values } = this.#tensors(from);
      const scores = await read(this.#score(images, ...values));
      scores.forEach((score, k) => {
        for (let i = start - from; i < this.#batch; i++) {
          totals[k].right += score[i];
          totals[k].known += score[this.#batch + i];
        }
      });
    }
    return Object.fromEntries(this.#asked.flatMap(({ name }, k) => {
      const { right, known } = totals[k];
      return known > 0 ? [[`holdout.${name}`, right / known]] : [];
    }));
  }

  /** The batch that begins with picture `from`. */
  #tensors(from: number): { images: Tensor; values: Tensor[] } {
    const { size, columns } = this.#dataset, { conditions } = this.#model;
    const batch = sliceBatch(this.#dataset, from, from + this.#batch);
    return toTensors(batch, { size, columns, conditions });
  }
}
