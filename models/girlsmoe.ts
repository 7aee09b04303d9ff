import {
  add,
  Conv2d,
  type HostGenerator,
  type Linear,
  Module,
  type Shape,
  sizeOf,
  type Tensor,
} from "../engine/mod.ts";
import {
  activate,
  type DiscriminatorNetwork,
  type DiscriminatorOptions,
  halvedStages,
  newEnds,
  type Verdict,
  verdictOf,
} from "./network.ts";

/** Widths of a {@linkcode GirlsmoeDiscriminator}: lists of as many numbers as it has stages. */
export interface GirlsmoeWidths {
  readonly architecture: "girlsmoe";
  /** Channels of each stage, which halves the side. */
  readonly channels: readonly number[];
  /** Residual blocks of each stage after its convolution. */
  readonly blocks: readonly number[];
  /** Side of the kernel of each stage's convolution: 4 or 3. */
  readonly kernels: readonly number[];
}

/** Two 3x3 convolutions, a LeakyReLU between them, added to their input; then another one. */
class ResidualBlock extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;

  constructor(channels: number, options: { generator: HostGenerator }) {
    super();
    const shape = { kernelSize: 3, padding: 1, ...options };
    this.conv1 = new Conv2d(channels, channels, shape);
    this.conv2 = new Conv2d(channels, channels, shape);
  }

  forward(x: Tensor): Tensor {
    return activate(add(x, this.conv2.forward(activate(this.conv1.forward(x)))));
  }
}

/** A convolution of stride 2 with LeakyReLU, and blocks. */
class Stage extends Module {
  readonly conv: Conv2d;
  readonly blocks: readonly ResidualBlock[];

  constructor(
    [from, to]: readonly [number, number],
    options: { kernel: number; blocks: number; generator: HostGenerator },
  ) {
    super();
    const { kernel, blocks, generator } = options;
    this.conv = new Conv2d(from, to, { kernelSize: kernel, stride: 2, padding: 1, generator });
    this.blocks = Array.from({ length: blocks }, () => new ResidualBlock(to, { generator }));
  }

  forward(x: Tensor): Tensor {
    return this.blocks.reduce((y, block) => block.forward(y), activate(this.conv.forward(x)));
  }
}

/**
 * The discriminator of MakeGirlsMoe (Jin et al., 2017), which has no batch norm, for it is trained with a
 * gradient penalty on each picture: stages of a convolution of stride 2 and residual blocks, LeakyReLU
 * 0.2; then a linear logit `src`, and one linear head a condition. Weights start as PyTorch's layers do.
 *
 * Its variables are named `trunk.0.conv`, `trunk.0.blocks.0.conv1`, ..., `src`, and `cls.<condition>`.
 */
export class GirlsmoeDiscriminator extends Module implements DiscriminatorNetwork {
  readonly stages: readonly Shape[];
  readonly trunk: readonly Stage[];
  readonly src: Linear;
  readonly cls: Readonly<Record<string, Linear>>;

  /** `size` is the side of the pictures. */
  constructor(widths: GirlsmoeWidths, size: number, options: DiscriminatorOptions) {
    super();
    const { channels, blocks, kernels } = widths, { generator } = options;
    this.stages = halvedStages(widths, size);
    this.trunk = channels.map((to, i) =>
      new Stage([channels[i - 1] ?? 3, to], { kernel: kernels[i], blocks: blocks[i], generator })
    );
    const { src, cls } = newEnds(sizeOf(this.stages.at(-1)!), options);
    this.src = src;
    this.cls = cls;
  }

  forward(images: Tensor): Verdict {
    const seen: Tensor[] = [];
    for (const stage of this.trunk) seen.push(stage.forward(seen.at(-1) ?? images));
    return verdictOf(this, seen);
  }
}
