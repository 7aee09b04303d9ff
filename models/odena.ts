import {
  add,
  BatchNorm2d,
  concat,
  Conv2d,
  ConvTranspose2d,
  Dropout,
  type Generator,
  Linear,
  Module,
  mul,
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
  initialise,
  newEnds,
  type Normalization,
  numbered,
  type Verdict,
  verdictOf,
} from "./network.ts";
import { normalizationsOf } from "./normalization.ts";

/** Widths of an {@linkcode OdenaGenerator}. */
export interface OdenaGeneratorWidths {
  readonly architecture: "odena";
  /** Length of the noise vector z. */
  readonly latent: number;
  /** Side of the first feature map in pixels. */
  readonly base: number;
  /** Channels of the first feature map, then after each transposed convolution but the last, which makes the picture. */
  readonly channels: readonly number[];
}

/** Widths of an {@linkcode OdenaDiscriminator}. */
export interface OdenaDiscriminatorWidths {
  readonly architecture: "odena";
  /** Channels after each convolution; the first, the third, and so on halve the side. */
  readonly channels: readonly number[];
  /** Share of the activations that is dropped after each convolution. */
  readonly dropout: number;
  /** Standard deviation of what is added to the activations of each convolution. */
  readonly noise: number;
}

/**
 * The generator of AC-GAN as its paper tables it (Odena, Olah, Shlens, 2017, appendix A): a linear layer
 * with ReLU makes the first feature map of `[z, code]`; 5x5 transposed convolutions of stride 2 with batch
 * norm and ReLU follow, and a last one with tanh.
 *
 * Its variables are named `fc`, `conv1`, `bn1`, ..., `out`.
 */
export class OdenaGenerator extends Module implements GeneratorNetwork {
  readonly widths: OdenaGeneratorWidths;
  readonly latent: number;
  readonly size: number;
  readonly fc: Linear;
  readonly out: ConvTranspose2d;
  readonly #stages: readonly { readonly conv: ConvTranspose2d; readonly bn: Normalization }[];

  /** `codeSize` is the length of the code that describes what to draw, beside the noise. */
  constructor(widths: OdenaGeneratorWidths, codeSize: number, options: GeneratorOptions) {
    super();
    const { latent, base, channels } = widths, { generator } = options;
    const { make, others } = normalizationsOf(options, codeSize);
    // Doubles the side exactly.
    const shape = { kernelSize: 5, stride: 2, padding: 2, outputPadding: 1, generator };
    this.widths = widths;
    this.latent = latent;
    this.size = base * 2 ** channels.length;
    this.fc = new Linear(latent + codeSize, channels[0] * base * base, { generator });
    this.#stages = channels.slice(1).map((width, i) => ({
      conv: new ConvTranspose2d(channels[i], width, { ...shape, bias: false }),
      bn: make(`bn${i + 1}`, width),
    }));
    Object.assign(this, numbered(this.#stages, 1));
    this.out = new ConvTranspose2d(channels.at(-1)!, 3, shape);
    initialise(this, { generator, others });
  }

  forward(z: Tensor, code: Tensor): Tensor {
    const { base, channels } = this.widths;
    const first = relu(this.fc.forward(concat([z, code], { dim: 1 })));
    let x = reshape(first, [z.shape[0], channels[0], base, base]);
    for (const { conv, bn } of this.#stages) x = relu(bn.forward(conv.forward(x), code));
    return tanh(this.out.forward(x));
  }
}

/**
 * The discriminator of AC-GAN as its paper tables it: 3x3 convolutions, every other one of stride 2, batch norm on
 * all but the first, LeakyReLU 0.2, noise on the activations, dropout; then a linear logit `src`, and one
 * linear head a condition. Noise and dropout are of training alone.
 *
 * Its variables are named `conv1`, `conv2`, `bn2`, ..., `src`, and `cls.<condition>`.
 */
export class OdenaDiscriminator extends Module implements DiscriminatorNetwork {
  readonly stages: readonly Shape[];
  readonly conv1: Conv2d;
  readonly src: Linear;
  readonly cls: Readonly<Record<string, Linear>>;
  readonly disturbance: Disturbance;
  readonly #stages: readonly { readonly conv: Conv2d; readonly bn: BatchNorm2d }[];

  /** `size` is the side of the pictures. */
  constructor(widths: OdenaDiscriminatorWidths, size: number, options: DiscriminatorOptions) {
    super();
    const { channels } = widths, { generator } = options;
    const shapeOf = (at: number) => ({
      kernelSize: 3,
      stride: at % 2 === 0 ? 2 : 1,
      padding: 1,
      generator,
    });
    this.conv1 = new Conv2d(3, channels[0], shapeOf(0));
    this.#stages = channels.slice(1).map((width, i) => ({
      conv: new Conv2d(channels[i], width, { ...shapeOf(i + 1), bias: false }),
      bn: new BatchNorm2d(width),
    }));
    Object.assign(this, numbered(this.#stages, 2));
    this.stages = odenaStages(widths, size);
    const { src, cls } = newEnds(sizeOf(this.stages.at(-1)!), options);
    this.src = src;
    this.cls = cls;
    this.disturbance = new Disturbance(widths, options);
    initialise(this, { generator });
  }

  forward(images: Tensor): Verdict {
    const disturbed = (x: Tensor): Tensor => this.disturbance.forward(activate(x));
    let x = disturbed(this.conv1.forward(images));
    const seen = [x];
    for (const { conv, bn } of this.#stages) {
      x = disturbed(bn.forward(conv.forward(x)));
      seen.push(x);
    }
    return verdictOf(this, seen);
  }
}

/** Shapes of what an {@linkcode OdenaDiscriminator}'s convolutions make of pictures of a size. */
export function odenaStages({ channels }: OdenaDiscriminatorWidths, size: number): Shape[] {
  return channels.map((width, i) => {
    const side = size / 2 ** (Math.floor(i / 2) + 1);
    return [width, side, side];
  });
}

/** Noise, then dropout, in training. */
class Disturbance extends Module {
  readonly dropout: Dropout | undefined;
  readonly #noise: number;
  readonly #random: Generator | undefined;

  constructor(
    { dropout, noise }: Pick<OdenaDiscriminatorWidths, "dropout" | "noise">,
    options: Pick<DiscriminatorOptions, "random">,
  ) {
    super();
    this.#noise = noise;
    if (noise === 0 && dropout === 0) return;
    const random = options.random?.();
    if (random === undefined) {
      throw new Error("A discriminator with dropout or noise needs random numbers");
    }
    this.#random = random;
    if (dropout > 0) this.dropout = new Dropout(dropout, { generator: random });
  }

  forward(x: Tensor): Tensor {
    const noisy = this.training && this.#noise > 0
      ? add(x, mul(this.#random!.normal(x.shape), this.#noise))
      : x;
    return this.dropout?.forward(noisy) ?? noisy;
  }
}
