import {
  BatchNorm2d,
  Conv2d,
  Dropout,
  flatten,
  Generator,
  HostGenerator,
  leakyRelu,
  Linear,
  Module,
  read,
  relu,
  type Tensor,
  type Variable,
} from "../engine/mod.ts";

/** Length of the features that distances are measured in. */
export const FEATURES = 64;

/** Channels after each convolution; the last width is that of all further ones. */
const WIDTHS = [24, 48, 64];
/** Convolutions halve the side until it is this. */
const LAST_SIDE = 4;
const DROPOUT = 0.3;

/** What the classifier makes of pictures. */
export interface Classified {
  /** `[batch, FEATURES]`: what all heads see, never below 0. */
  readonly features: Tensor;
  /** For each label column, logits of its classes, `[batch, classes]`. */
  readonly heads: Readonly<Record<string, Tensor>>;
}

/**
 * The classifier that judges samples. It shares nothing with a discriminator: neither weights, nor what it has
 * learnt from fakes, for it sees none. 4x4 convolutions of stride 2 with batch norm and LeakyReLU 0.2 down
 * to 4x4 pixels, one linear layer with ReLU to the features, and a linear head a column.
 */
export class Classifier extends Module {
  readonly stages: readonly { readonly conv: Conv2d; readonly bn: BatchNorm2d }[];
  readonly fc: Linear;
  readonly heads: Readonly<Record<string, Linear>>;
  readonly #dropout: Dropout;

  /**
   * @param size the side of the pictures in pixels.
   * @param options.classes how many classes each label column has.
   */
  constructor(size: number, options: { classes: Readonly<Record<string, number>>; seed: number }) {
    super();
    const { classes, seed } = options;
    const generator = new HostGenerator(seed);
    const depth = Math.max(1, Math.floor(Math.log2(size / LAST_SIDE)));
    const width = (stage: number): number => WIDTHS[Math.min(stage, WIDTHS.length - 1)];
    this.stages = Array.from({ length: depth }, (_, i) => ({
      conv: new Conv2d(i === 0 ? 3 : width(i - 1), width(i), {
        kernelSize: 4,
        stride: 2,
        padding: 1,
        bias: false,
        generator,
      }),
      bn: new BatchNorm2d(width(i)),
    }));
    const side = Math.floor(size / 2 ** depth);
    this.fc = new Linear(width(depth - 1) * side ** 2, FEATURES, { generator });
    this.heads = Object.fromEntries(
      Object.entries(classes).map((
        [name, count],
      ) => [name, new Linear(FEATURES, count, { generator })]),
    );
    this.#dropout = new Dropout(DROPOUT, { generator: new Generator(seed) });
  }

  /** Judges pictures `[batch, 3, size, size]` in [-1, 1]. */
  forward(images: Tensor): Classified {
    let x = images;
    for (const { conv, bn } of this.stages) {
      x = leakyRelu(bn.forward(conv.forward(x)), { negativeSlope: 0.2 });
    }
    const features = relu(this.fc.forward(flatten(x, { start: 1 })));
    const dropped = this.training ? this.#dropout.forward(features) : features;
    return {
      features,
      heads: Object.fromEntries(
        Object.entries(this.heads).map(([name, head]) => [name, head.forward(dropped)]),
      ),
    };
  }

  /**
   * Makes the features `factor` times as large, and the heads' weights as much smaller, so that no guess
   * changes: ReLU lets factors through.
   */
  async scaleFeatures(factor: number): Promise<void> {
    const scale = async (variables: readonly (Variable | undefined)[], by: number) => {
      for (const variable of variables.filter((v) => v !== undefined)) {
        const [numbers] = await read([variable]);
        variable.set(Float32Array.from(numbers, (x) => x * by));
      }
    };
    await scale([this.fc.weight, this.fc.bias], factor);
    await scale(Object.values(this.heads).map(({ weight }) => weight), 1 / factor);
  }
}
