// What networks are made of, layer by layer, and what drawing or judging a picture costs.

import {
  BatchNorm2d,
  ConvTranspose2d,
  full,
  Generator,
  HostGenerator,
  type Module,
  type Shape,
  sizeOf,
  type Tensor,
  type TensorLike,
  WeightedLayer,
} from "../engine/mod.ts";
import { makeDiscriminator, makeGenerator, type NetworkSettings } from "./architectures.ts";

/** A layer of a network. */
export interface Layer {
  /** As in a checkpoint. */
  readonly name: string;
  /** The name of its class: `Conv2d`. */
  readonly kind: string;
  /** Shape of its weight, or of its gain. */
  readonly weight: Shape;
  /** Shape of what it makes of a picture. */
  readonly output: Shape;
  /** Numbers that it learns. */
  readonly parameters: number;
  /** Multiplications with additions that it takes for a picture, forward. */
  readonly multiplyAdds: number;
}

/** Both networks' layers, in the order in which they compute. */
export interface Layers {
  readonly generator: readonly Layer[];
  readonly discriminator: readonly Layer[];
}

/** Weights that nobody is to compute with. */
class Zeros extends HostGenerator {
  override uint32 = (): number => 0;
  override uniform = (): number => 0;
  override normal = (): number => 0;
}

/** The layers of networks for codes of a length and heads of some; nothing is computed. */
export function inspectNetworks(
  { size, generator, discriminator }: NetworkSettings,
  { codeSize, heads }: { codeSize: number; heads: Readonly<Record<string, number>> },
): Layers {
  const zeros = new Zeros(0);
  const G = makeGenerator(generator, codeSize, { generator: zeros }).eval();
  const D = makeDiscriminator(discriminator, size, {
    ...{ heads, generator: zeros, random: new Generator(0) },
  }).eval();
  return {
    generator: layersOf(G, () => G.forward(full([1, G.latent], 0), full([1, codeSize], 0))),
    discriminator: layersOf(D, () => D.forward(full([1, 3, size, size], 0))),
  };
}

/** Builds a network's graph for one picture, and has its layers tell what they are given. */
function layersOf(network: Module, build: () => unknown): Layer[] {
  const layers: Layer[] = [];
  for (const [name, layer] of Object.entries(network.namedModules())) {
    if (!(layer instanceof WeightedLayer || layer instanceof BatchNorm2d)) continue;
    const forward = layer.forward.bind(layer);
    layer.forward = (x: TensorLike): Tensor => {
      const y = forward(x);
      const weight = layer.weight?.shape ?? [];
      // A weight meets each pixel of the result; of a transposed convolution, of what it is given.
      const pixels = sizeOf((layer instanceof ConvTranspose2d ? x as Tensor : y).shape.slice(2));
      layers.push({
        ...{ name, kind: layer.constructor.name, weight, output: y.shape.slice(1) },
        parameters: layer.parameters().reduce((sum, { size }) => sum + size, 0),
        multiplyAdds: layer instanceof WeightedLayer ? pixels * sizeOf(weight) : 0,
      });
      return y;
    };
  }
  build();
  return layers;
}
