import type { Generator, HostGenerator, Module, Tensor } from "../engine/mod.ts";

/** Labels of a batch, as the data gives them. */
export interface Labels {
  /** For each label column, the index of each picture's class; -1 where its label is missing. */
  readonly classes: Readonly<Record<string, Int32Array<ArrayBuffer>>>;
  /** 1 for each picture that is shown mirrored, else 0. */
  readonly mirrored: Uint8Array;
}

/** Where a condition's random values come from: an engine `Generator`, or numbers fixed by seeds. */
export interface RandomSource {
  /** Numbers in [0, 1). */
  uniform(shape: readonly number[]): Tensor;
  /** Numbers from N(0, 1). */
  normal(shape: readonly number[]): Tensor;
}

/** A value of a condition under the name that people know it by. */
export interface NamedValue {
  /** What people call it, the heading of a column in a grid. */
  readonly label: string;
  /** One picture's value, in the numbers that {@linkcode Condition.tensor} takes. */
  readonly value: readonly number[];
}

/** A value among several that are mixed. */
export interface Share {
  /** In the numbers that {@linkcode Condition.tensor} takes. */
  readonly value: readonly number[];
  /** How much of it there is, above 0; the weights of a mix add up to 1. */
  readonly weight: number;
}

/** Whose values a condition is asked about. */
export interface Asked {
  /** Which network learns in this part of the step. */
  readonly network: "discriminator" | "generator";
  /** Which pictures the values are of. */
  readonly pictures: "real" | "fake";
}

/** What a condition's `logit` is asked about. */
export interface AskedLogit extends Asked {
  /** What the discriminator's head says of the pictures, `[batch, headSize]`; none where there is no head. */
  readonly head?: Tensor;
}

/** Weights of a condition's loss terms. */
export interface ConditionWeights {
  /** Of what real pictures teach the discriminator; 1 unless given. */
  readonly real?: number;
  /** Of what fakes teach it; by the setting `classOn` unless given, and 1 for latent codes. */
  readonly fake?: number;
  /** Of what the generator learns; 1 unless given. */
  readonly generator?: number;
}

/**
 * One way in which pictures are described, and by which they can be asked for.
 *
 * Training, sampling and the command line know conditions through this interface alone. A condition's
 * *values* are a tensor with the batch as its first axis, of whatever further shape and dtype it likes.
 * The values of real pictures are known by `read` from their labels, or by `measure` from the pictures
 * themselves; a condition with neither is a latent code, which only fakes have.
 */
export interface Condition {
  /** Which kind of condition this is: what makes it again from {@linkcode Condition.describe} goes by it. */
  readonly kind: string;
  /** Its own name: the option of `sample`, the name of D's head and of the loss terms. */
  readonly name: string;
  /** What can be asked for, in one line for `--help`. */
  readonly help: string;
  /** Length of its code in the generator's input. */
  readonly codeSize: number;
  /** Number of outputs that the discriminator recovers it by; 0 for none. */
  readonly headSize: number;
  /** Networks of its own, that learn with the discriminator. */
  readonly networks?: Readonly<Record<string, Module>>;

  /** Everything needed to ask for this condition again, as JSON. It is kept in the checkpoint. */
  describe(): Record<string, unknown>;
  /** The true values of real pictures, from their labels. */
  read?(labels: Labels): Tensor;
  /** The true values of real pictures `[batch, 3, size, size]` in [-1, 1]. It is traced into the step. */
  measure?(images: Tensor): Tensor;
  /** Values that pictures might have: the prior. */
  sample(random: RandomSource, batch: number): Tensor;
  /** What enters the generator for these values: `[batch, codeSize]`. */
  encode(values: Tensor): Tensor;
  /**
   * How badly the discriminator's head, `[batch, headSize]`, recovers the values: a scalar, over those pictures
   * whose value is known. `asked` says who learns from it, on which pictures.
   */
  loss?(head: Tensor, values: Tensor, asked: Asked): Tensor;
  /** Weights of the terms that `loss` makes, where `--weights` does not name them. */
  readonly weights?: ConditionWeights;
  /** How well it does so, picture by picture: `[batch]`, 1 where it is right and 0 where it is wrong. */
  score?(head: Tensor, values: Tensor): Tensor;
  /**
   * 1 for each picture whose value is known, and 0 for the others, `[batch]`; without it all are known.
   * Scores count where it is 1.
   */
  known?(values: Tensor): Tensor;
  /**
   * What the values add to the discriminator's logit "real", `[batch]`, given its features
   * `[batch, features]`: so a discriminator judges whether a picture is real *for its values*.
   */
  logit?(features: Tensor, values: Tensor, asked: AskedLogit): Tensor;

  /** Reads a value written on the command line. Throws an error that says what can be written. */
  parse(text: string): readonly number[];
  /** The values that a grid shows, one a column. */
  showcase(): readonly NamedValue[];
  /** Several pictures' values as one tensor. */
  tensor(values: readonly (readonly number[])[]): Tensor;
  /**
   * What `labels.csv` says of a picture's value, by column: what training would read again. Without it, that is
   * the value's label in the showcase.
   */
  labels?(value: readonly number[]): Readonly<Record<string, string>>;
  /**
   * The one value that a mix comes to, where values are numbers that have something in between. Without it,
   * what is mixed is what enters the generator: {@linkcode Condition.encode}.
   */
  mix?(shares: readonly Share[]): readonly number[];
}

/** What a condition needs besides its description to take part in a discriminator's judgement. */
export interface Judging {
  /** Length of the discriminator's features. */
  readonly features: number;
  /** Draws weights, which those of the checkpoint then replace. */
  readonly weights: HostGenerator;
  /** Random numbers. */
  readonly random: Generator;
}

/**
 * Makes conditions of one kind again from what {@linkcode Condition.describe} gave. Where the run keeps networks
 * of the condition and the discriminator is made again as well, `judging` is what those are made with.
 */
export type ConditionMaker = (
  description: Record<string, unknown>,
  judging?: Judging,
) => Condition;

/** Whether only fakes have values of a condition: nothing tells those of real pictures. */
export function isLatent(condition: Condition): boolean {
  return condition.read === undefined && condition.measure === undefined;
}
