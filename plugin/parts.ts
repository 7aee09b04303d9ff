// What a plugin is made of: the hooks by which it takes part in a step, in the loop, and in sampling.

import type { Dataset } from "../data/mod.ts";
import type { Generator, HostGenerator, Module, Shape, Tensor, Variable } from "../engine/mod.ts";
import type { Condition, Share } from "./condition.ts";
import type { Objective } from "./objective.ts";
import type { Options } from "./options.ts";

/** What a plugin is told when it is set up, before anything is compiled. */
export interface Setup {
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** Pictures in a batch. */
  readonly batch: number;
  /** Length of the discriminator's features, the input of its heads. */
  readonly features: number;
  /**
   * Shapes `[channels, height, width]` of what the discriminator's stages make of a picture: of
   * {@linkcode Judged.features}, whose last one comes flat.
   */
  readonly stages: readonly Shape[];
  /** The pictures that are trained on, with their labels. */
  readonly data: Dataset;
  /** Label columns that other plugins read. */
  readonly claimed: readonly string[];
  /** Draws initial weights: its own stream, by the run's seed and the plugin's name. */
  readonly weights: HostGenerator;
  /** Random numbers inside a step: its own stream, kept in the checkpoint. */
  readonly random: Generator;
  /** A number for each picture of the data, by a traced function of pictures `[n, 3, size, size]` in [-1, 1]. */
  measure(program: (images: Tensor) => Tensor): Promise<Float32Array>;
}

/** What a discriminator of a plugin says about pictures. */
export interface Judgement {
  /** Logits of "this is real", of any shape: one a picture, or one a patch. */
  readonly source: Tensor;
  /** What it saw on the way, for losses that compare features. */
  readonly features?: readonly Tensor[];
}

/** A further discriminator. The objective's terms for it are added by themselves. */
export interface Discriminator extends Module {
  /** Judges pictures `[batch, 3, size, size]` in [-1, 1]. */
  forward(images: Tensor): Judgement;
}

/** Pictures, what they are said to be, and what the discriminators make of them. */
export interface Judged {
  /** `[batch, 3, size, size]` as the discriminators saw them: augmented, where a plugin does that. */
  readonly images: Tensor;
  /** Values of the conditions by name; real pictures have none of latent codes. */
  readonly values: Readonly<Record<string, Tensor>>;
  /** Logits of "this is real", `[batch]`. */
  readonly source: Tensor;
  /** For each condition by name, what the picture seems to be of it, `[batch, head size]`. */
  readonly heads: Readonly<Record<string, Tensor>>;
  /** What the discriminator saw: its stages' results, the last one flat, `[batch, features]`. */
  readonly features: readonly Tensor[];
  /** What the plugin's own discriminators say, by name. */
  readonly discriminators: Readonly<Record<string, Judgement>>;
}

/** A step, as the terms of a plugin see it. Everything in it is traced; nothing that is not used costs anything. */
export interface Step {
  /** The fakes of this part of the step. */
  readonly fake: Judged;
  /** Judged by the networks as they are in this part of the step. */
  readonly real: Judged;
  /** The adversarial loss of the run. */
  readonly objective: Objective;
  /** Judges other pictures `[batch, 3, size, size]`, as they are, by their values. */
  judge(images: Tensor, values: Readonly<Record<string, Tensor>>): Judged;
}

/** A summand of a loss. Its name is `d.PLUGIN.NAME` or `g.PLUGIN.NAME`, in logs and in `--weights`. */
export interface Term {
  /** 1 unless given; users change it by `--weights`. */
  readonly weight?: number;
  /**
   * Steps of which it has a part in the first alone, with as many times its weight: a lazy term, which costs a
   * share. 1 unless given. A network must have a part in a term of every step.
   */
  readonly every?: number;
  /** The term's value, a scalar, without its weight. */
  value(step: Step): Tensor;
}

/** Noise and values that a picture is drawn from. */
export interface PictureRequest {
  /** Noise, as long as the generator's latent vector. */
  readonly z: Float32Array;
  /** A value of each condition, in the order of the conditions. */
  readonly values: readonly (readonly number[])[];
  /**
   * By condition, a mix that is drawn in place of its value: the generator is given the mean of their codes. Only
   * of conditions that have no {@linkcode Condition.mix}; there a mix is a value.
   */
  readonly mixes?: Readonly<Record<string, readonly Share[]>>;
}

/** How the noise of a seed is drawn. */
export interface NoiseOptions {
  /** Numbers further from 0 than this are drawn again; by default none are. */
  readonly truncation?: number;
  /** Which of the seed's noise vectors; 0, the first, by default. */
  readonly attempt?: number;
}

/** Draws pictures with the averaged generator. */
export interface PictureSource {
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** What pictures are asked for by. */
  readonly conditions: readonly Condition[];
  /** The request that belongs to each seed; `given` fixes values by condition. */
  requests(
    seeds: readonly number[],
    given?: Readonly<Record<string, readonly number[]>>,
    noise?: NoiseOptions,
  ): Promise<PictureRequest[]>;
  /** The pictures asked for: `[count, 3, size, size]` as bytes. */
  draw(requests: readonly PictureRequest[]): Promise<Uint8Array>;
}

/** A run, as hooks on its loop see it. */
export interface Run {
  /** Steps done. */
  readonly step: number;
  /** Draws pictures as the averaged generator has them now. */
  readonly pictures: PictureSource;
  /** Says a sentence to whoever watches. */
  message(text: string): void;
  /** Writes `RUN/plugins/PLUGIN/NAME`; what has that name is replaced once the new file is whole. */
  write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** Functions that are called between steps. */
export interface LoopHooks {
  /** Before the first step of a start. */
  start?(run: Run): Promise<void> | void;
  /** Before a checkpoint is saved: numbers to be logged as `PLUGIN.NAME`. */
  checkpoint?(
    run: Run,
  ): Promise<Readonly<Record<string, number>>> | Readonly<Record<string, number>>;
  /** After the last step of a start. */
  end?(run: Run): Promise<void> | void;
}

/** Options of `sample`, and what they change in what is drawn. */
export interface Sampling {
  /** By the flags that they are given by. */
  readonly options: Options;
  /** What to draw in place of a request, by the options that were given. */
  apply(request: PictureRequest, given: Readonly<Record<string, unknown>>): PictureRequest;
}

/** A weight of the discriminator: of a convolution, or of a linear layer. */
export interface WeightSite {
  /** As in a checkpoint: `conv1.weight`. */
  readonly name: string;
  /** `[outputs, inputs, ...]`; of a transposed convolution `[inputs, outputs, ...]`. */
  readonly shape: Shape;
  /** The axis that counts the outputs. */
  readonly dim: number;
  /** Draws initial numbers. */
  readonly weights: HostGenerator;
}

/** What a plugin adds to a run. Everything is optional. */
export interface Parts {
  /** Ways in which pictures are described. */
  readonly conditions?: readonly Condition[];
  /** Further discriminators by name. */
  readonly discriminators?: Readonly<Record<string, Discriminator>>;
  /** Networks by name that learn from the discriminator's loss, for terms to use. */
  readonly networks?: Readonly<Record<string, Module>>;
  /** Variables by name that belong into the checkpoint. */
  readonly state?: Readonly<Record<string, Variable>>;
  /** Changes all pictures that discriminators see, real and fake, of the same shape. */
  augment?(images: Tensor): Tensor;
  /** Summands of the discriminators' loss by name. */
  readonly discriminatorTerms?: Readonly<Record<string, Term>>;
  /** Summands of the generator's loss by name. */
  readonly generatorTerms?: Readonly<Record<string, Term>>;
  /** Scalars of a discriminator's step that are logged as `PLUGIN.NAME`. */
  readonly metrics?: Readonly<Record<string, (step: Step) => Tensor>>;
  /** Replaces the adversarial loss. */
  readonly objective?: Objective;
  /** Functions that are called between steps. */
  readonly hooks?: LoopHooks;
}
