import type { Tensor } from "../engine/mod.ts";

/** The classes of a batch by label column, as the data gives them. */
export type Labels = Readonly<Record<string, Int32Array<ArrayBuffer>>>;

/** Where a condition's random values come from: an engine `Generator`, or numbers fixed by seeds. */
export interface RandomSource {
  /** Numbers in [0, 1). */
  uniform(shape: readonly number[]): Tensor;
  /** Numbers from N(0, 1). */
  normal(shape: readonly number[]): Tensor;
}

/** A value of a condition under the name that people know it by. */
export interface NamedValue {
  readonly label: string;
  /** One picture's value, in the numbers that {@linkcode Condition.tensor} takes. */
  readonly value: readonly number[];
}

/**
 * One way in which pictures are described, and by which they can be asked for.
 *
 * Training, sampling and the command line know conditions through this interface alone. A condition's
 * *values* are a tensor with the batch as its first axis, of whatever further shape and dtype it likes.
 */
export interface Condition {
  /** Which kind of condition this is; {@linkcode restoreCondition} finds its maker by it. */
  readonly kind: string;
  /** Its own name: the label column, the option of `sample`, the name of D's head and of the loss terms. */
  readonly name: string;
  /** What can be asked for, in one line for `--help`. */
  readonly help: string;
  /** Length of its code in the generator's input. */
  readonly codeSize: number;
  /** Number of outputs that the discriminator recovers it by. */
  readonly headSize: number;

  /** Everything needed to make this condition again, as JSON. It is kept in the checkpoint. */
  describe(): Record<string, unknown>;
  /** The true values of real pictures. */
  read(labels: Labels): Tensor;
  /** Values that pictures might have: the prior. */
  sample(random: RandomSource, batch: number): Tensor;
  /** What enters the generator for these values: `[batch, codeSize]`. */
  encode(values: Tensor): Tensor;
  /** How badly the discriminator's head, `[batch, headSize]`, recovers the values: a scalar. */
  loss(head: Tensor, values: Tensor): Tensor;
  /** How well it does so, picture by picture: `[batch]`, 1 where it is right and 0 where it is wrong. */
  score(head: Tensor, values: Tensor): Tensor;

  /** Reads a value written on the command line. Throws an error that lists what can be written. */
  parse(text: string): readonly number[];
  /** The values that a grid shows, one a column. */
  showcase(): readonly NamedValue[];
  /** Several pictures' values as one tensor. */
  tensor(values: readonly (readonly number[])[]): Tensor;
}

/** Makes conditions of one kind again from what {@linkcode Condition.describe} gave. */
export type ConditionMaker = (description: Record<string, unknown>) => Condition;
