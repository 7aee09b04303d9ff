import { add, type Tensor } from "../engine/mod.ts";
import type { Asked, Judged, Judgement } from "../plugin/mod.ts";
import type { Acgan } from "./acgan.ts";
import type { ActivePlugin } from "./plugin_setup.ts";

/** What all discriminators say about pictures. */
export interface Verdicts extends Omit<Judged, "discriminators"> {
  /** What a plugin's own discriminators say, by name. */
  further(plugin: ActivePlugin): Readonly<Record<string, Judgement>>;
}

/**
 * Has all discriminators judge pictures `[batch, 3, size, size]`, as they are, for values of the conditions;
 * a condition that has no value there has no say.
 *
 * Each discriminator is asked when its answer is first looked at, and once: one with running statistics
 * costs what it costs even where nothing needs its answer, for they would move.
 */
export function judge(
  model: Acgan,
  pictures: { readonly images: Tensor; readonly values: Readonly<Record<string, Tensor>> },
  asked: Asked,
): Verdicts {
  const { discriminator, conditions, plugins } = model;
  const { images, values } = pictures;
  const verdict = once(() => discriminator.forward(images));
  const source = once(() => {
    const { source, features, heads } = verdict();
    return conditions.reduce(
      (source, { name, logit }) =>
        logit && values[name]
          ? add(
            source,
            logit(features[features.length - 1], values[name], { ...asked, head: heads[name] }),
          )
          : source,
      source,
    );
  });
  const further = new Map(plugins.list.map((plugin) => [
    plugin,
    lazily(
      plugin.parts.discriminators ?? {},
      (discriminator, name) => plugins.judgement(plugin, name, () => discriminator.forward(images)),
    ),
  ]));
  return {
    images,
    values,
    get source() {
      return source();
    },
    get heads() {
      return verdict().heads;
    },
    get features() {
      return verdict().features;
    },
    further: (plugin) => further.get(plugin)!,
  };
}

/** A function that makes its result when it is first called. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** A record of what is made of each value when it is first looked at. */
function lazily<A, B>(
  record: Readonly<Record<string, A>>,
  make: (value: A, key: string) => B,
): Readonly<Record<string, B>> {
  return Object.defineProperties(
    {},
    Object.fromEntries(
      Object.entries(record).map(([key, value]) => [
        key,
        { get: once(() => make(value, key)), enumerable: true },
      ]),
    ),
  );
}
