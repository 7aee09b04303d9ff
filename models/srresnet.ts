import {
  add,
  concat,
  Conv2d,
  type HostGenerator,
  Linear,
  Module,
  pixelShuffle,
  relu,
  reshape,
  tanh,
  type Tensor,
} from "../engine/mod.ts";
import type { GeneratorNetwork, GeneratorOptions, Normalization } from "./network.ts";
import { type Normalizations, normalizationsOf } from "./normalization.ts";

/** Widths of an {@linkcode SrresnetGenerator}. */
export interface SrresnetWidths {
  /** Length of the noise vector z. */
  readonly latent: number;
  /** Side of the feature maps of the trunk in pixels. */
  readonly base: number;
  /** Channels of all feature maps. */
  readonly channels: number;
  /** Residual blocks of the trunk. */
  readonly blocks: number;
  /** PixelShuffle stages after the trunk; every stage doubles the side. */
  readonly stages: number;
}

/** What the parts of the trunk are made from. */
interface PartOptions extends Pick<Normalizations, "make"> {
  /** Where in the generator it is. */
  readonly name: string;
  readonly generator: HostGenerator;
}

/** Two 3x3 convolutions with batch norm, a ReLU between them, added to their input. */
class ResidualBlock extends Module {
  readonly conv1: Conv2d;
  readonly bn1: Normalization;
  readonly conv2: Conv2d;
  readonly bn2: Normalization;

  constructor(channels: number, { name, make, generator }: PartOptions) {
    super();
    const shape = { kernelSize: 3, padding: 1, bias: false, generator };
    this.conv1 = new Conv2d(channels, channels, shape);
    this.bn1 = make(`${name}.bn1`, channels);
    this.conv2 = new Conv2d(channels, channels, shape);
    this.bn2 = make(`${name}.bn2`, channels);
  }

  forward(x: Tensor, code: Tensor): Tensor {
    const inner = relu(this.bn1.forward(this.conv1.forward(x), code));
    return add(x, this.bn2.forward(this.conv2.forward(inner), code));
  }
}

/** A 3x3 convolution to four times the channels, PixelShuffle, batch norm, ReLU. */
class UpsamplingStage extends Module {
  readonly conv: Conv2d;
  readonly bn: Normalization;

  constructor(channels: number, { name, make, generator }: PartOptions) {
    super();
    this.conv = new Conv2d(channels, 4 * channels, {
      kernelSize: 3,
      padding: 1,
      bias: false,
      generator,
    });
    this.bn = make(`${name}.bn`, channels);
  }

  forward(x: Tensor, code: Tensor): Tensor {
    return relu(this.bn.forward(pixelShuffle(this.conv.forward(x), 2), code));
  }
}

/**
 * The generator of MakeGirlsMoe (Jin et al., 2017, "Towards the Automatic Anime Characters Creation with
 * Generative Adversarial Networks", figure 5), which is SRResNet's (Ledig et al., 2017) behind a linear
 * layer: residual blocks at one size with a skip over all of them, then stages that double the side.
 * Weights start as PyTorch's layers do.
 *
 * Its variables are named `fc`, `bn0`, `blocks.0.conv1`, ..., `bn`, `stages.0.conv`, ..., `out`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Device, HostGenerator, read, tensor } from "../engine/mod.ts";
 * import { SrresnetGenerator } from "./mod.ts";
 * await Device.open();
 * const widths = { latent: 2, base: 2, channels: 4, blocks: 1, stages: 2 };
 * const net = new SrresnetGenerator(widths, 1, { generator: new HostGenerator(1) }).eval();
 * const [pixels] = await read([net.forward(tensor([0.5, -1], [1, 2]), tensor([1], [1, 1]))]);
 * assertEquals(pixels.length, 3 * 8 * 8);
 * ```
 */
export class SrresnetGenerator extends Module implements GeneratorNetwork {
  readonly widths: SrresnetWidths;
  readonly latent: number;
  readonly size: number;
  readonly fc: Linear;
  readonly bn0: Normalization;
  readonly blocks: readonly ResidualBlock[];
  readonly bn: Normalization;
  readonly stages: readonly UpsamplingStage[];
  readonly out: Conv2d;

  /** `codeSize` is the length of the code that describes what to draw, beside the noise. */
  constructor(widths: SrresnetWidths, codeSize: number, options: GeneratorOptions) {
    super();
    const { latent, base, channels, blocks, stages } = widths, { generator } = options;
    const { make } = normalizationsOf(options, codeSize);
    const partOf = (list: string) => (_: unknown, i: number): PartOptions => ({
      name: `${list}.${i}`,
      make,
      generator,
    });
    this.widths = widths;
    this.latent = latent;
    this.size = base * 2 ** stages;
    this.fc = new Linear(latent + codeSize, channels * base * base, { generator });
    this.bn0 = make("bn0", channels);
    this.blocks = Array.from({ length: blocks }, partOf("blocks"))
      .map((part) => new ResidualBlock(channels, part));
    this.bn = make("bn", channels);
    this.stages = Array.from({ length: stages }, partOf("stages"))
      .map((part) => new UpsamplingStage(channels, part));
    this.out = new Conv2d(channels, 3, { kernelSize: 9, padding: 4, generator });
  }

  forward(z: Tensor, code: Tensor): Tensor {
    const { base, channels } = this.widths;
    const first = this.fc.forward(concat([z, code], { dim: 1 }));
    const entry = relu(this.bn0.forward(reshape(first, [z.shape[0], channels, base, base]), code));
    const trunk = this.blocks.reduce((x, block) => block.forward(x, code), entry);
    const joined = add(relu(this.bn.forward(trunk, code)), entry);
    return tanh(
      this.out.forward(this.stages.reduce((x, stage) => stage.forward(x, code), joined)),
    );
  }
}
