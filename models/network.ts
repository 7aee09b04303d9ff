// What every architecture is made to: the two kinds of networks, and what they are made from.

import {
  flatten,
  type Generator,
  type HostGenerator,
  init,
  leakyRelu,
  Linear,
  type Module,
  reshape,
  type Shape,
  type Tensor,
} from "../engine/mod.ts";

/** What a discriminator says about a batch of pictures. */
export interface Verdict {
  /** Logits of "this is a real picture", `[batch]`. */
  readonly source: Tensor;
  /** For each condition, by its name, what the picture seems to be of it, `[batch, head size]`. */
  readonly heads: Readonly<Record<string, Tensor>>;
  /** What each stage saw, and last what `source` and the heads are told by, flat: `[batch, features]`. */
  readonly features: readonly Tensor[];
}

/** A generator, of whatever architecture. */
export interface GeneratorNetwork extends Module {
  /** Length of the noise vector z. */
  readonly latent: number;
  /** Side of the pictures that it draws, in pixels. */
  readonly size: number;
  /** Draws `[batch, 3, size, size]` in [-1, 1] from noise `[batch, latent]` and a code `[batch, codeSize]`. */
  forward(z: Tensor, code: Tensor): Tensor;
}

/** A discriminator, of whatever architecture. */
export interface DiscriminatorNetwork extends Module {
  /** Shapes `[channels, side, side]` of {@linkcode Verdict.features} before the last is laid flat. */
  readonly stages: readonly Shape[];
  /** Judges pictures `[batch, 3, size, size]` in [-1, 1]. */
  forward(images: Tensor): Verdict;
}

/** A place in a generator at which its activations are normalised. */
export interface NormalizationSite {
  /** The layer's name in the generator, as in a checkpoint: `bn0`, `blocks.3.bn1`. */
  readonly name: string;
  /** Channels of what is normalised. */
  readonly channels: number;
  /** Length of the code that describes what to draw. */
  readonly codeSize: number;
}

/** A normalisation of a generator's activations that may depend on what is to be drawn. */
export interface Normalization extends Module {
  /** Normalises `[batch, channels, height, width]` for a code `[batch, codeSize]`. */
  forward(x: Tensor, code: Tensor): Tensor;
}

/** Makes the normalisation of one place. */
export type MakeNormalization = (site: NormalizationSite) => Normalization;

/** What generators are made from beside their widths. */
export interface GeneratorOptions {
  /** Draws the initial weights. */
  readonly generator: HostGenerator;
  /** Makes the normalisations in place of batch norm. */
  readonly normalization?: MakeNormalization;
}

/** What discriminators are made from beside their widths. */
export interface DiscriminatorOptions {
  /** The length of each head by the name of its condition. */
  readonly heads: Readonly<Record<string, number>>;
  /** Draws the initial weights. */
  readonly generator: HostGenerator;
  /** Gives random numbers for dropout and noise; called by networks with either alone. */
  readonly random?: () => Generator;
}

/** A record of what is made of each value. */
export function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  fn: (a: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, fn(value)]));
}

/** A list under the names that its members are to have as fields, and so in a checkpoint: `conv1`, ... */
export function numbered<T extends object>(
  stages: readonly T[],
  first: number,
): Record<string, T[keyof T]> {
  return Object.fromEntries(
    stages.flatMap((stage, i) =>
      Object.entries(stage).map(([name, layer]) => [`${name}${first + i}`, layer])
    ),
  );
}

/** Shapes of what stages make of pictures of a size, each of which halves the side. */
export function halvedStages(
  { channels }: { readonly channels: readonly number[] },
  size: number,
): Shape[] {
  return channels.map((width, i) => {
    const side = size / 2 ** (i + 1);
    return [width, side, side];
  });
}

/** LeakyReLU 0.2, the activation of all discriminators. */
export function activate(x: Tensor): Tensor {
  return leakyRelu(x, { negativeSlope: 0.2 });
}

/** The linear layers that a discriminator ends in: one logit of real or fake, and a head a condition. */
export interface Ends {
  readonly src: Linear;
  readonly cls: Readonly<Record<string, Linear>>;
}

/** Fresh {@linkcode Ends} for features of a length. */
export function newEnds(features: number, { heads, generator }: DiscriminatorOptions): Ends {
  return {
    src: new Linear(features, 1, { generator }),
    cls: mapValues(heads, (length) => new Linear(features, length, { generator })),
  };
}

/** What is said of pictures by what each stage saw of them. */
export function verdictOf({ src, cls }: Ends, seen: readonly Tensor[]): Verdict {
  const features = flatten(seen.at(-1)!, { start: 1 });
  return {
    source: reshape(src.forward(features), [features.shape[0]]),
    heads: mapValues(cls, (head) => head.forward(features)),
    features: seen.with(-1, features),
  };
}

/**
 * Initial values as DCGAN's (Radford, Metz, Chintala, 2016, section 3) public code and AC-GAN have them:
 * weights from N(0, 0.02), gains of batch norm from N(1, 0.02), every bias 0. Modules of `others` stay as they are.
 */
export function initialise(
  module: Module,
  options: { generator: HostGenerator; others?: readonly Module[] },
): void {
  const { generator, others = [] } = options;
  const kept = new Set(others.flatMap((other) => other.parameters()));
  for (const [name, variable] of Object.entries(module.namedParameters())) {
    if (kept.has(variable)) continue;
    if (name.endsWith(".bias")) init.zeros(variable);
    else init.normal(variable, { mean: variable.shape.length === 1 ? 1 : 0, std: 0.02, generator });
  }
}
