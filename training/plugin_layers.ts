// Layers that plugins put into the networks, checked as all that plugins make is.

import {
  ConvTranspose2d,
  HostGenerator,
  Module,
  type Tensor,
  WeightedLayer,
} from "../engine/mod.ts";
import type { MakeNormalization } from "../models/mod.ts";
import type { Plugin } from "../plugin/mod.ts";
import type { Watch } from "./checked_condition.ts";
import { guarded, type Origin, requireTensor } from "./guard.ts";
import { seedOfName } from "./seeds.ts";

/** A plugin whose layers a network has, with the values of all its options. */
export interface LayerPlugin extends Origin {
  readonly plugin: Pick<Plugin, "discriminatorWeight" | "normalization">;
  readonly options: Readonly<Record<string, unknown>>;
  /** What its numbers report to; nothing looks after those of a network that only draws. */
  readonly watch?: Watch;
}

/** Makes the normalisations that a plugin brings; `undefined` where it brings none. */
export function normalizationBy(
  origin: LayerPlugin,
): MakeNormalization | undefined {
  const { plugin, options } = origin;
  if (plugin.normalization === undefined) return undefined;
  return (site) => {
    const hook = "normalization";
    const made = guarded(
      origin,
      { hook },
      () => requireModule(plugin.normalization!(options, site)),
    );
    return checkedLayer(made, { hook, origin });
  };
}

/** Has every weight of a discriminator used through what a plugin makes for it, if it makes something. */
export function parametrize(
  discriminator: Module,
  { seed, ...origin }: LayerPlugin & { readonly seed: number },
): void {
  const { plugin, options } = origin, hook = "discriminatorWeight";
  if (plugin.discriminatorWeight === undefined) return;
  const weights = new HostGenerator(seedOfName(seed, `${origin.name} layers`));
  for (const [name, layer] of Object.entries(discriminator.namedModules())) {
    if (!(layer instanceof WeightedLayer)) continue;
    const { shape } = layer.weight, dim = layer instanceof ConvTranspose2d ? 1 : 0;
    const made = guarded(origin, { hook }, () => {
      const site = { name: `${name}.weight`, shape, dim, weights };
      const made = plugin.discriminatorWeight!(options, site);
      return made === undefined ? undefined : requireModule(made);
    });
    if (made) layer.parametrization = checkedLayer(made, { hook, origin });
  }
}

/** A layer whose `forward` is guarded, and must give what it is given in the same shape. */
function checkedLayer<M extends Module & { forward(x: Tensor, ...more: Tensor[]): Tensor }>(
  layer: M,
  { hook, origin }: { hook: string; origin: LayerPlugin },
): M {
  const forward = layer.forward.bind(layer), { watch } = origin;
  layer.forward = (x, ...more) => {
    const made = guarded(
      origin,
      { hook, step: watch?.step },
      () => requireTensor(forward(x, ...more), x.shape),
    );
    watch?.finite(origin, hook, made);
    return made;
  };
  return layer;
}

function requireModule<M extends Module>(made: M): M {
  if (made instanceof Module && "forward" in made) return made;
  throw new TypeError(`It must return a Module with forward(), not ${made}`);
}
