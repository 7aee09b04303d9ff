// Inception v3 as a judge of pictures: its features are the measure of FID and KID.

import {
  avgPool2d,
  compile,
  type Compiled,
  concat,
  conv2d,
  Device,
  globalAvgPool,
  type KernelSite,
  maxPool2d,
  read,
  relu,
  resizeBilinear,
  type Tensor,
  tensor,
  Variable,
} from "../engine/mod.ts";
import { fromBytes } from "../training/mod.ts";
import {
  INCEPTION_FEATURES,
  inceptionSteps,
  type InceptionVariant,
  type PoolStep,
  type Step,
} from "./inception_layers.ts";
import type { LabelledPictures } from "./pictures.ts";

/** The side that pictures are brought to. */
const SIDE = 299;
/** Pictures at once: of 16 the largest layer is 88 MB, and no GPU binds less than 128. */
const CHUNK = { gpu: 16, cpu: 4 };

/** A convolution with the batch norm after it folded into weight and bias. */
export interface FoldedConv {
  readonly weight: Float32Array<ArrayBuffer>;
  readonly shape: readonly [number, number, number, number];
  readonly bias: Float32Array<ArrayBuffer>;
}

/** The network with its weights on the device. */
export class Inception {
  readonly variant: InceptionVariant;
  readonly #steps: readonly Step[];
  readonly #weights: ReadonlyMap<string, ConvWeights>;
  readonly #chunk: number;
  readonly #program: Compiled<Tensor>;

  /** @param convolutions by the name of their step. */
  constructor(variant: InceptionVariant, convolutions: ReadonlyMap<string, FoldedConv>) {
    this.variant = variant;
    this.#steps = inceptionSteps(variant);
    this.#weights = new Map(
      [...convolutions].map(([name, { weight, shape, bias }]) => [name, {
        weight: new Variable(weight, shape),
        bias: new Variable(bias, [bias.length]),
      }]),
    );
    this.#chunk = Device.default.adapter.cpu ? CHUNK.cpu : CHUNK.gpu;
    this.#program = compile(
      (bytes: Tensor) => this.forward(resizeBilinear(fromBytes(bytes), [SIDE, SIDE])),
      { name: "inception" },
    );
  }

  /** Features `[N, INCEPTION_FEATURES]` of pictures `[N, 3, H, W]` in [-1, 1] as they are, of 75 pixels at least. */
  forward(images: Tensor): Tensor {
    return globalAvgPool(runSteps(this.#steps, images, (name) => this.#weights.get(name)!));
  }

  /** The kernels for pictures of a size that come in several variants. */
  sites(size: number): readonly KernelSite[] {
    return this.#program.sites(this.#chunkOf(new Uint8Array(this.#chunk * 3 * size ** 2), size));
  }

  /**
   * The features of pictures, `[count, INCEPTION_FEATURES]`. They are brought to 299 x 299 pixels by linear
   * interpolation between pixel centres, and nothing is averaged where they are larger.
   */
  async features(
    { images, size, count }: Pick<LabelledPictures, "images" | "size" | "count">,
    { onProgress }: { onProgress?: (done: number, total: number) => void } = {},
  ): Promise<Float32Array<ArrayBuffer>> {
    const features = new Float32Array(count * INCEPTION_FEATURES), bytes = 3 * size ** 2;
    for (let start = 0; start < count; start += this.#chunk) {
      const wanted = Math.min(this.#chunk, count - start);
      // The last chunk is filled up, so that one plan serves all.
      const chunk = new Uint8Array(this.#chunk * bytes);
      chunk.set(images.subarray(start * bytes, (start + wanted) * bytes));
      const [seen] = await read([this.#program(this.#chunkOf(chunk, size))]);
      const part = seen.subarray(0, wanted * INCEPTION_FEATURES) as Float32Array;
      features.set(part, start * INCEPTION_FEATURES);
      onProgress?.(start + wanted, count);
    }
    return features;
  }

  #chunkOf(bytes: Uint8Array<ArrayBuffer>, size: number): Tensor {
    return tensor(bytes, [this.#chunk, 3, size, size]);
  }
}

/** A convolution's tensors. */
export interface ConvWeights {
  readonly weight: Tensor | Variable;
  readonly bias: Tensor | Variable;
}

/** What some steps make of pictures `[N, C, H, W]`; `weights` are those of a step's name. */
export function runSteps(
  steps: readonly Step[],
  x: Tensor,
  weights: (name: string) => ConvWeights,
): Tensor {
  return steps.reduce((x, step) => {
    switch (step.kind) {
      case "conv": {
        const { weight, bias } = weights(step.name), { stride, padding } = step;
        return relu(conv2d(x, weight, { bias, stride, padding }));
      }
      case "pool":
        return pooled(x, step);
      case "fork":
        return concat(step.ways.map((way) => runSteps(way, x, weights)), { dim: 1 });
    }
  }, x);
}

function pooled(x: Tensor, { how, stride, padding }: PoolStep): Tensor {
  const window = { kernelSize: 3, stride, padding };
  if (how === "max") return maxPool2d(x, window);
  return avgPool2d(x, { ...window, countIncludePad: how === "average with padding" });
}
