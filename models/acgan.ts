import {
  BatchNorm2d,
  concat,
  Conv2d,
  flatten,
  type HostGenerator,
  init,
  leakyRelu,
  Linear,
  Module,
  pixelShuffle,
  relu,
  reshape,
  type Shape,
  sizeOf,
  tanh,
  type Tensor,
} from "../engine/mod.ts";

/** Widths of an {@linkcode AcganGenerator}. */
export interface GeneratorWidths {
  /** Length of the noise vector z. */
  readonly latent: number;
  /** Side of the first feature map in pixels. */
  readonly base: number;
  /** Channels of the first feature map, then of each stage; every stage doubles the side. */
  readonly channels: readonly number[];
}

/** Widths of an {@linkcode AcganDiscriminator}. */
export interface DiscriminatorWidths {
  /** Channels after each convolution; every convolution halves the side. */
  readonly channels: readonly number[];
}

/** What a discriminator says about a batch of pictures. */
export interface Verdict {
  /** Logits of "this is a real picture", `[batch]`. */
  readonly source: Tensor;
  /** For each condition, by its name, what the picture seems to be of it, `[batch, head size]`. */
  readonly heads: Readonly<Record<string, Tensor>>;
  /** What each stage saw, and last what `source` and the heads are told by, flat: `[batch, features]`. */
  readonly features: readonly Tensor[];
}

/**
 * The generator of AC-GAN (Odena, Olah, Shlens, 2017), with upsampling by PixelShuffle: a linear
 * layer makes the first feature map of `[z, code]`; then each stage is a 3x3 convolution to four times
 * the channels, PixelShuffle, batch norm, ReLU; a last 3x3 convolution and tanh make the picture.
 *
 * Its variables are named `fc`, `bn0`, `conv1`, `bn1`, ..., `out`.
 */
export class AcganGenerator extends Module {
  readonly widths: GeneratorWidths;
  readonly fc: Linear;
  readonly bn0: BatchNorm2d;
  readonly out: Conv2d;
  readonly #stages: readonly Stage[];

  /** `codeSize` is the length of the code that describes what to draw, beside the noise. */
  constructor(widths: GeneratorWidths, codeSize: number, options: { generator: HostGenerator }) {
    super();
    const { latent, base, channels } = widths;
    this.widths = widths;
    this.fc = new Linear(latent + codeSize, channels[0] * base * base, options);
    this.bn0 = new BatchNorm2d(channels[0]);
    this.#stages = channels.slice(1).map((width, i) => ({
      conv: new Conv2d(channels[i], 4 * width, {
        kernelSize: 3,
        padding: 1,
        bias: false,
        ...options,
      }),
      bn: new BatchNorm2d(width),
    }));
    Object.assign(this, numbered(this.#stages, 1));
    this.out = new Conv2d(channels.at(-1)!, 3, { kernelSize: 3, padding: 1, ...options });
    initialise(this, options.generator);
  }

  /** Draws `[batch, 3, size, size]` in [-1, 1] from noise `[batch, latent]` and `[batch, codeSize]`. */
  forward(z: Tensor, code: Tensor): Tensor {
    const { base, channels } = this.widths;
    const first = this.fc.forward(concat([z, code], { dim: 1 }));
    let x = reshape(first, [z.shape[0], channels[0], base, base]);
    x = relu(this.bn0.forward(x));
    for (const { conv, bn } of this.#stages) {
      x = relu(bn.forward(pixelShuffle(conv.forward(x), 2)));
    }
    return tanh(this.out.forward(x));
  }
}

/**
 * The discriminator: 4x4 convolutions of stride 2 with LeakyReLU 0.2, batch norm on all but the
 * first; then a linear logit `src` for real or fake, and one linear head a condition.
 *
 * Its variables are named `conv1`, `conv2`, `bn2`, ..., `src`, and `cls.<condition>`.
 */
export class AcganDiscriminator extends Module {
  readonly conv1: Conv2d;
  readonly src: Linear;
  readonly cls: Readonly<Record<string, Linear>>;
  /** Length of the features that it judges pictures by. */
  readonly features: number;
  readonly #stages: readonly Stage[];

  /** `size` is the side of the pictures; `heads` gives the length of each head by its name. */
  constructor(
    widths: DiscriminatorWidths,
    size: number,
    options: { heads: Readonly<Record<string, number>>; generator: HostGenerator },
  ) {
    super();
    const { channels } = widths;
    const { heads, generator } = options;
    const shape = { kernelSize: 4, stride: 2, padding: 1, generator };
    this.conv1 = new Conv2d(3, channels[0], shape);
    this.#stages = channels.slice(1).map((width, i) => ({
      conv: new Conv2d(channels[i], width, { ...shape, bias: false }),
      bn: new BatchNorm2d(width),
    }));
    Object.assign(this, numbered(this.#stages, 2));
    const features = this.features = sizeOf(discriminatorStages(widths, size).at(-1)!);
    this.src = new Linear(features, 1, { generator });
    this.cls = mapValues(heads, (length) => new Linear(features, length, { generator }));
    initialise(this, generator);
  }

  /** Judges pictures `[batch, 3, size, size]` in [-1, 1]. */
  forward(images: Tensor): Verdict {
    let x = leakyRelu(this.conv1.forward(images), { negativeSlope: 0.2 });
    const seen = [x];
    for (const { conv, bn } of this.#stages) {
      x = leakyRelu(bn.forward(conv.forward(x)), { negativeSlope: 0.2 });
      seen.push(x);
    }
    const features = flatten(x, { start: 1 });
    return {
      source: reshape(this.src.forward(features), [images.shape[0]]),
      heads: mapValues(this.cls, (head) => head.forward(features)),
      features: seen.with(-1, features),
    };
  }
}

/** Shapes `[channels, side, side]` of what an {@linkcode AcganDiscriminator}'s stages make of pictures of a size. */
export function discriminatorStages(
  { channels }: DiscriminatorWidths,
  size: number,
): Shape[] {
  return channels.map((width, i) => {
    const side = size / 2 ** (i + 1);
    return [width, side, side];
  });
}

/** A convolution and the batch norm after it. */
interface Stage {
  readonly conv: Conv2d;
  readonly bn: BatchNorm2d;
}

/** Stages under the names that they are to have as fields, and so in a checkpoint: `conv1`, `bn1`, ... */
function numbered(stages: readonly Stage[], first: number): Record<string, Module> {
  return Object.fromEntries(
    stages.flatMap(({ conv, bn }, i) => [[`conv${first + i}`, conv], [`bn${first + i}`, bn]]),
  );
}

function mapValues<A, B>(record: Readonly<Record<string, A>>, fn: (a: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, fn(value)]));
}

/**
 * Initial values as DCGAN's (Radford, Metz, Chintala, 2016, section 3) public code and AC-GAN have them:
 * weights from N(0, 0.02), gains of batch norm from N(1, 0.02), every bias 0.
 */
function initialise(module: Module, generator: HostGenerator): void {
  for (const [name, variable] of Object.entries(module.namedParameters())) {
    if (name.endsWith(".bias")) init.zeros(variable);
    else init.normal(variable, { mean: variable.shape.length === 1 ? 1 : 0, std: 0.02, generator });
  }
}
