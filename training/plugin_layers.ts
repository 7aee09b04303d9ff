// Layers that plugins put into the networks, checked as all that plugins make is.

import { ConvTranspose2d, Module, type Tensor, WeightedLayer } from "../engine/mod.ts";
import type { MakeNormalization } from "../models/mod.ts";
import type { Parts, Plugin } from "../plugin/mod.ts";
import type { Watch } from "./checked_condition.ts";
import { guarded, type Origin, requireTensor } from "./guard.ts";

/** A plugin whose layers a network has. */
interface LayerOrigin extends Origin {
  /** What its numbers report to; nothing looks after those of a network that only draws. */
  readonly watch?: Watch;
}

/** Makes the normalisations that a plugin brings; `undefined` where it brings none. */
export function normalizationBy(
  { plugin, options, ...origin }: LayerOrigin & {
    readonly plugin: Pick<Plugin, "normalization">;
    readonly options: Readonly<Record<string, unknown>>;
  },
): MakeNormalization | undefined {
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

/** Has every weight of a discriminator used through what a plugin makes for it. */
export function parametrize(
  discriminator: Module,
  { make, ...origin }: LayerOrigin & { readonly make: NonNullable<Parts["discriminatorWeight"]> },
): void {
  const hook = "discriminatorWeight";
  for (const [name, layer] of Object.entries(discriminator.namedModules())) {
    if (!(layer instanceof WeightedLayer)) continue;
    const { shape } = layer.weight, dim = layer instanceof ConvTranspose2d ? 1 : 0;
    const made = guarded(origin, { hook }, () => {
      const made = make({ name: `${name}.weight`, shape, dim });
      return made === undefined ? undefined : requireModule(made);
    });
    if (made) layer.parametrization = checkedLayer(made, { hook, origin });
  }
}

/** A layer whose `forward` is guarded, and must give what it is given in the same shape. */
function checkedLayer<M extends Module & { forward(x: Tensor, ...more: Tensor[]): Tensor }>(
  layer: M,
  { hook, origin }: { hook: string; origin: LayerOrigin },
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
