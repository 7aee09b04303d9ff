import { add, type Tensor } from "../engine/mod.ts";
import type { Asked, Judged, Judgement } from "../plugin/mod.ts";
import type { Acgan } from "./acgan.ts";
import type { ActivePlugin } from "./plugin_setup.ts";

/** What all discriminators say about pictures. */
export interface Verdicts extends Omit<Judged, "discriminators"> {
  /** What each plugin's discriminators say, by name. */
  readonly further: ReadonlyMap<ActivePlugin, Readonly<Record<string, Judgement>>>;
}

/**
 * Has all discriminators judge pictures `[batch, 3, size, size]`, as they are, for values of the conditions;
 * a condition that has no value there has no say.
 */
export function judge(
  model: Acgan,
  pictures: { readonly images: Tensor; readonly values: Readonly<Record<string, Tensor>> },
  asked: Asked,
): Verdicts {
  const { discriminator, conditions, plugins } = model;
  const { images, values } = pictures;
  const verdict = discriminator.forward(images);
  const features = verdict.features[verdict.features.length - 1];
  const source = conditions.reduce(
    (source, { name, logit }) =>
      logit && values[name] ? add(source, logit(features, values[name], asked)) : source,
    verdict.source,
  );
  const further = new Map(plugins.list.map((plugin) => [
    plugin,
    Object.fromEntries(
      Object.entries(plugin.parts.discriminators ?? {}).map(([name, discriminator]) => [
        name,
        plugins.judgement(plugin, name, () => discriminator.forward(images)),
      ]),
    ),
  ]));
  return { ...verdict, source, images, values, further };
}
