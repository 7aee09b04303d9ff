import {
  add,
  avgPool2d,
  Conv2d,
  flatten,
  type HostGenerator,
  Linear,
  Module,
  reshape,
  type Shape,
  sizeOf,
  type Tensor,
} from "../engine/mod.ts";
import {
  activate,
  type DiscriminatorNetwork,
  type DiscriminatorOptions,
  halvedStages,
  mapValues,
  type Verdict,
} from "./network.ts";

/** Widths of a {@linkcode ZjusctDiscriminator}. */
export interface ZjusctWidths {
  readonly architecture: "zjusct";
  /** Channels of each residual block, which halves the side. */
  readonly channels: readonly number[];
  /** Features of each hidden layer of a tower. */
  readonly towers: readonly number[];
}

/** Two 3x3 convolutions and a mean over 2x2 pixels, added to a 1x1 convolution of the mean of the input. */
class DownBlock extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly skip: Conv2d;
  readonly #first: boolean;

  constructor(
    [from, to]: readonly [number, number],
    options: { first: boolean; generator: HostGenerator },
  ) {
    super();
    const { generator } = options;
    // Pixels are not activations: the first block takes them as they are.
    this.#first = options.first;
    this.conv1 = new Conv2d(from, to, { kernelSize: 3, padding: 1, generator });
    this.conv2 = new Conv2d(to, to, { kernelSize: 3, padding: 1, generator });
    this.skip = new Conv2d(from, to, { kernelSize: 1, generator });
  }

  forward(x: Tensor): Tensor {
    const halve = (t: Tensor): Tensor => avgPool2d(t, { kernelSize: 2 });
    const inner = activate(this.conv1.forward(this.#first ? x : activate(x)));
    return add(halve(this.conv2.forward(inner)), this.skip.forward(halve(x)));
  }
}

/** Hidden linear layers with LeakyReLU, then the outputs by name, each a linear layer. */
class Tower extends Module {
  readonly hidden: readonly Linear[];
  readonly out: Readonly<Record<string, Linear>>;

  constructor(
    widths: readonly number[],
    options: { outputs: Readonly<Record<string, number>>; generator: HostGenerator },
  ) {
    super();
    const { outputs, generator } = options;
    this.hidden = widths.slice(1).map((to, i) => new Linear(widths[i], to, { generator }));
    this.out = mapValues(outputs, (length) => new Linear(widths.at(-1)!, length, { generator }));
  }

  forward(features: Tensor): Record<string, Tensor> {
    const last = this.hidden.reduce((x, layer) => activate(layer.forward(x)), features);
    return mapValues(this.out, (layer) => layer.forward(last));
  }
}

/**
 * The discriminator of ZJUSCT's avatars: residual blocks that halve the side, as SNGAN has them
 * (Miyato et al., 2018, with LeakyReLU), then a tower of linear layers that tells whether a
 * picture is real, and another one that tells what it shows: heads that share their last layers pull them to
 * and fro. Weights start as PyTorch's layers do. It is meant for spectral norm, which is a plugin.
 *
 * Its variables are named `blocks.0.conv1`, ..., `source.hidden.0`, `source.out.src`, `classes.hidden.0`, ...,
 * `classes.out.<condition>`.
 */
export class ZjusctDiscriminator extends Module implements DiscriminatorNetwork {
  readonly stages: readonly Shape[];
  readonly blocks: readonly DownBlock[];
  readonly source: Tower;
  /** None where no condition is recovered. */
  readonly classes: Tower | undefined;

  /** `size` is the side of the pictures. */
  constructor(widths: ZjusctWidths, size: number, options: DiscriminatorOptions) {
    super();
    const { channels, towers } = widths, { heads, generator } = options;
    this.stages = halvedStages(widths, size);
    this.blocks = channels.map((to, i) =>
      new DownBlock([channels[i - 1] ?? 3, to], { first: i === 0, generator })
    );
    const tower = [sizeOf(this.stages.at(-1)!), ...towers];
    this.source = new Tower(tower, { outputs: { src: 1 }, generator });
    this.classes = Object.keys(heads).length > 0
      ? new Tower(tower, { outputs: heads, generator })
      : undefined;
  }

  forward(images: Tensor): Verdict {
    const seen: Tensor[] = [];
    for (const block of this.blocks) seen.push(block.forward(seen.at(-1) ?? images));
    const features = flatten(activate(seen.at(-1)!), { start: 1 });
    return {
      source: reshape(this.source.forward(features).src, [images.shape[0]]),
      heads: this.classes?.forward(features) ?? {},
      features: seen.with(-1, features),
    };
  }
}
