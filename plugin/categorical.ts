import {
  arange,
  argmax,
  cast,
  crossEntropy,
  div,
  eq,
  ge,
  logSoftmax,
  maximum,
  neg,
  oneHot,
  reshape,
  sum,
  type Tensor,
  tensor,
  where,
} from "../engine/mod.ts";
import { type LabelColumn, UserError } from "../data/mod.ts";
import type { Asked, Condition, Labels, NamedValue, RandomSource } from "./condition.ts";

/** How a {@linkcode Categorical} condition is made. */
export interface CategoricalDescription {
  /** The label column. */
  readonly name: string;
  /** Their names, in the order of their indices. */
  readonly classes: readonly string[];
  /** How often each class occurs, summing to 1. */
  readonly frequencies: readonly number[];
  /** Whether some pictures lack it; -1 stands for that. */
  readonly partial?: boolean;
}

/**
 * One class out of several: AC-GAN's auxiliary classifier (Odena, Olah, Shlens, 2017). The class enters
 * the generator one-hot, and the discriminator recovers it by cross-entropy.
 *
 * Fakes are asked for as often as each class occurs in the data, so that what D sees of them can match
 * what it sees of real pictures.
 *
 * Pictures whose label is missing have the value -1: they have no part in losses and scores, and only teach
 * what is real (AC-GAN's semi-supervised variant, section 2).
 */
export class Categorical implements Condition {
  readonly kind = "categorical";
  readonly name: string;
  /** Their names, in the order of their indices. */
  readonly classes: readonly string[];
  /** How often each class occurs, summing to 1. */
  readonly frequencies: readonly number[];
  readonly read: Condition["read"];
  readonly known: Condition["known"];

  /**
   * A condition of some classes.
   *
   * @param options.latent real pictures have no class: it is a code, which the model gives a meaning.
   */
  constructor(description: CategoricalDescription, options: { latent?: boolean } = {}) {
    this.name = description.name;
    this.classes = description.classes;
    this.frequencies = description.frequencies;
    if (!options.latent) this.read = (labels) => this.#read(labels);
    if (description.partial) this.known = (values) => cast(ge(values, 0), "f32");
  }

  /** The condition of a label column, from every picture's class in it. */
  static fromLabels(name: string, classes: readonly string[], labels: Int32Array): Categorical {
    return new Categorical(describeLabels({ name, classes }, labels));
  }

  get help(): string {
    return `one of ${this.classes.join(", ")}`;
  }

  get codeSize(): number {
    return this.classes.length;
  }

  get headSize(): number {
    return this.classes.length;
  }

  describe(): Record<string, unknown> {
    const { kind, name, classes, frequencies } = this;
    return { kind, name, classes, frequencies };
  }

  /** Inverts the cumulative distribution: the class is the number of its steps at or below u. */
  sample(random: RandomSource, batch: number): Tensor {
    let total = 0;
    const steps = this.frequencies.slice(0, -1).map((frequency) => total += frequency);
    if (steps.length === 0) return tensor(new Int32Array(batch), [batch]);
    const reached = ge(random.uniform([batch, 1]), tensor(steps, [1, steps.length]));
    return cast(sum(cast(reached, "f32"), { dim: 1 }), "i32");
  }

  encode(values: Tensor): Tensor {
    return oneHot(values, this.classes.length);
  }

  /** Cross-entropy of logits `[batch, classes or more]`; 0 where no picture of the batch has a class. */
  loss(head: Tensor, values: Tensor, _asked?: Asked): Tensor {
    return this.known ? this.#lossOfKnown(head, values) : crossEntropy(head, values);
  }

  score(head: Tensor, values: Tensor): Tensor {
    return cast(eq(argmax(head, { dim: 1 }), values), "f32");
  }

  parse(text: string): readonly number[] {
    const index = this.classes.indexOf(text);
    if (index < 0) {
      throw new UserError(
        `Unknown ${this.name} "${text}": this model knows ${this.classes.join(", ")}`,
      );
    }
    return [index];
  }

  showcase(): readonly NamedValue[] {
    return this.classes.map((label, index) => ({ label, value: [index] }));
  }

  tensor(values: readonly (readonly number[])[]): Tensor {
    return tensor(Int32Array.from(values, ([index]) => index), [values.length]);
  }

  /** The mean over the pictures that have a class. */
  #lossOfKnown(head: Tensor, values: Tensor): Tensor {
    const { shape: [batch] } = values;
    const is = eq(reshape(values, [batch, 1]), arange(head.shape[1]));
    const told = sum(where(is, logSoftmax(head, { dim: 1 }), 0));
    return div(neg(told), maximum(sum(this.known!(values)), 1));
  }

  #read({ classes }: Labels): Tensor {
    const column = classes[this.name];
    return tensor(column, [column.length]);
  }
}

/**
 * What a label column says of pictures: its classes and how often each occurs among `labels`, of which those
 * that are missing are -1.
 *
 * @throws {UserError} where every label is missing.
 */
export function describeLabels(
  { name, classes }: LabelColumn,
  labels: Int32Array,
): CategoricalDescription {
  const counts = new Array<number>(classes.length).fill(0);
  let missing = 0;
  for (const label of labels) {
    if (label < 0) missing++;
    else counts[label]++;
  }
  const known = labels.length - missing;
  if (known === 0) throw new UserError(`no picture has a label in column "${name}"`);
  const frequencies = counts.map((count) => count / known);
  return { name, classes, frequencies, ...(missing > 0 && { partial: true }) };
}
