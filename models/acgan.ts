import {
  BatchNorm2d,
  concat,
  Conv2d,
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
import {
  activate,
  type DiscriminatorNetwork,
  type DiscriminatorOptions,
  type GeneratorNetwork,
  type GeneratorOptions,
  halvedStages,
  initialise,
  newEnds,
  type Normalization,
  numbered,
  type Verdict,
  verdictOf,
} from "./network.ts";
import { normalizationsOf } from "./normalization.ts";

/** Widths of an {@linkcode AcganGenerator}. */
export interface GeneratorWidths {
  /** Left out in runs from before there was a choice. */
  readonly architecture?: "dcgan";
  /** Length of the noise vector z. */
  readonly latent: number;
  /** Side of the first feature map in pixels. */
  readonly base: number;
  /** Channels of the first feature map, then of each stage; every stage doubles the side. */
  readonly channels: readonly number[];
}

/** Widths of an {@linkcode AcganDiscriminator}. */
export interface DiscriminatorWidths {
  /** Left out in runs from before there was a choice. */
  readonly architecture?: "dcgan";
  /** Channels after each convolution; every convolution halves the side. */
  readonly channels: readonly number[];
}

/**
 * The generator of AC-GAN (Odena, Olah, Shlens, 2017), with upsampling by PixelShuffle: a linear
 * layer makes the first feature map of `[z, code]`; then each stage is a 3x3 convolution to four times
 * the channels, PixelShuffle, batch norm, ReLU; a last 3x3 convolution and tanh make the picture.
 *
 * Its variables are named `fc`, `bn0`, `conv1`, `bn1`, ..., `out`.
 */
export class AcganGenerator extends Module implements GeneratorNetwork {
  readonly widths: GeneratorWidths;
  readonly latent: number;
  readonly size: number;
  readonly fc: Linear;
  readonly bn0: Normalization;
  readonly out: Conv2d;
  readonly #stages: readonly Stage[];

  /** `codeSize` is the length of the code that describes what to draw, beside the noise. */
  constructor(widths: GeneratorWidths, codeSize: number, options: GeneratorOptions) {
    super();
    const { latent, base, channels } = widths, { generator } = options;
    const { make, others } = normalizationsOf(options, codeSize);
    this.widths = widths;
    this.latent = latent;
    this.size = base * 2 ** (channels.length - 1);
    this.fc = new Linear(latent + codeSize, channels[0] * base * base, { generator });
    this.bn0 = make("bn0", channels[0]);
    this.#stages = channels.slice(1).map((width, i) => ({
      conv: new Conv2d(channels[i], 4 * width, {
        kernelSize: 3,
        padding: 1,
        bias: false,
        generator,
      }),
      bn: make(`bn${i + 1}`, width),
    }));
    Object.assign(this, numbered(this.#stages, 1));
    this.out = new Conv2d(channels.at(-1)!, 3, { kernelSize: 3, padding: 1, generator });
    initialise(this, { generator, others });
  }

  forward(z: Tensor, code: Tensor): Tensor {
    const { base, channels } = this.widths;
    const first = this.fc.forward(concat([z, code], { dim: 1 }));
    let x = reshape(first, [z.shape[0], channels[0], base, base]);
    x = relu(this.bn0.forward(x, code));
    for (const { conv, bn } of this.#stages) {
      x = relu(bn.forward(pixelShuffle(conv.forward(x), 2), code));
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
export class AcganDiscriminator extends Module implements DiscriminatorNetwork {
  readonly stages: readonly Shape[];
  readonly conv1: Conv2d;
  readonly src: Linear;
  readonly cls: Readonly<Record<string, Linear>>;
  readonly #stages: readonly { readonly conv: Conv2d; readonly bn: BatchNorm2d }[];

  /** `size` is the side of the pictures; `heads` gives the length of each head by its name. */
  constructor(widths: DiscriminatorWidths, size: number, options: DiscriminatorOptions) {
    super();
    const { channels } = widths;
    const { generator } = options;
    const shape = { kernelSize: 4, stride: 2, padding: 1, generator };
    this.conv1 = new Conv2d(3, channels[0], shape);
    this.#stages = channels.slice(1).map((width, i) => ({
      conv: new Conv2d(channels[i], width, { ...shape, bias: false }),
      bn: new BatchNorm2d(width),
    }));
    Object.assign(this, numbered(this.#stages, 2));
    this.stages = halvedStages(widths, size);
    const { src, cls } = newEnds(sizeOf(this.stages.at(-1)!), options);
    this.src = src;
    this.cls = cls;
    initialise(this, { generator });
  }

  forward(images: Tensor): Verdict {
    let x = activate(this.conv1.forward(images));
    const seen = [x];
    for (const { conv, bn } of this.#stages) {
      x = activate(bn.forward(conv.forward(x)));
      seen.push(x);
    }
    return verdictOf(this, seen);
  }
}

/** A convolution and the normalisation after it. */
interface Stage {
  readonly conv: Conv2d;
  readonly bn: Normalization;
}
