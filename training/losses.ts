import { UserError } from "../data/mod.ts";
import type { Tensor } from "../engine/mod.ts";
import { type Asked, didYouMean, isLatent } from "../plugin/mod.ts";
import { type Acgan, hasHead } from "./acgan.ts";
import type { Verdicts } from "./judge.ts";
import type { Moment } from "./moment.ts";
import type { ActivePlugin } from "./plugin_setup.ts";
import type { Term, Terms, Weights } from "./terms.ts";

/** What terms are made of: conditions and plugins. */
export type Sources = Pick<Acgan, "conditions" | "plugins">;

/**
 * The discriminator's loss, AC-GAN's L_S + L_C to be minimised: `d.adv_real` and `d.adv_fake` (real or
 * fake), and for each condition `d.class.<name>.real` and `d.class.<name>.fake` (what is it?); then for each
 * discriminator of a plugin `d.<plugin>.<name>.adv_real` and `.adv_fake`, and the plugins' own terms.
 *
 * `classOn` says whether fakes teach classes, unless weights or the condition say otherwise; latent codes are
 * taught by nothing else.
 */
export function discriminatorTerms(
  { conditions, plugins }: Sources,
  options: { classOn?: "real" | "both" } = {},
): Terms<Moment> {
  const { objective } = plugins, ofFakes = Number(options.classOn !== "real");
  const terms: Record<string, Term<Moment>> = {
    "d.adv_real": { value: ({ real }) => objective.real(real.source) },
    "d.adv_fake": { value: ({ fake }) => objective.fake(fake.source) },
  };
  const recovered = conditions.filter(hasHead);
  for (const condition of recovered.filter((condition) => !isLatent(condition))) {
    const { name } = condition;
    const asked: Asked = { network: "discriminator", pictures: "real" };
    terms[`d.class.${name}.real`] = {
      weight: condition.weights?.real,
      value: ({ real }) => condition.loss(real.heads[name], real.values[name], asked),
    };
  }
  for (const condition of recovered) {
    const { name } = condition;
    const asked: Asked = { network: "discriminator", pictures: "fake" };
    terms[`d.class.${name}.fake`] = {
      weight: condition.weights?.fake ?? (isLatent(condition) ? 1 : ofFakes),
      value: ({ fake }) => condition.loss(fake.heads[name], fake.values[name], asked),
    };
  }
  for (const plugin of plugins.list) {
    for (const name of Object.keys(plugin.parts.discriminators ?? {})) {
      const of = ({ further }: Verdicts) => further(plugin)[name].source;
      const prefix = `d.${plugin.name}.${name}`;
      terms[`${prefix}.adv_real`] = { value: ({ real }) => objective.real(of(real)) };
      terms[`${prefix}.adv_fake`] = { value: ({ fake }) => objective.fake(of(fake)) };
    }
    Object.assign(terms, ownTerms({ plugins }, plugin, "discriminatorTerms"));
  }
  return terms;
}

/**
 * The generator's loss, AC-GAN's L_C - L_S turned round and in the non-saturating form: `g.adv` (taken
 * for real), and for each condition `g.class.<name>` (taken for what was asked for); then for each
 * discriminator of a plugin `g.<plugin>.<name>.adv`, and the plugins' own terms.
 */
export function generatorTerms({ conditions, plugins }: Sources): Terms<Moment> {
  const { objective } = plugins;
  const terms: Record<string, Term<Moment>> = {
    "g.adv": { value: ({ fake }) => objective.generator(fake.source) },
  };
  for (const condition of conditions.filter(hasHead)) {
    const { name } = condition;
    const asked: Asked = { network: "generator", pictures: "fake" };
    terms[`g.class.${name}`] = {
      weight: condition.weights?.generator,
      value: ({ fake }) => condition.loss(fake.heads[name], fake.values[name], asked),
    };
  }
  for (const plugin of plugins.list) {
    for (const name of Object.keys(plugin.parts.discriminators ?? {})) {
      terms[`g.${plugin.name}.${name}.adv`] = {
        value: ({ fake }) => objective.generator(fake.further(plugin)[name].source),
      };
    }
    Object.assign(terms, ownTerms({ plugins }, plugin, "generatorTerms"));
  }
  return terms;
}

/** The terms that a plugin brings for one of the networks. */
function ownTerms(
  { plugins }: Pick<Sources, "plugins">,
  plugin: ActivePlugin,
  kind: "discriminatorTerms" | "generatorTerms",
): Terms<Moment> {
  const letter = kind === "discriminatorTerms" ? "d" : "g";
  return Object.fromEntries(
    Object.entries(plugin.parts[kind] ?? {}).map(([name, term]) => [
      `${letter}.${plugin.name}.${name}`,
      {
        weight: term.weight,
        every: term.every,
        value: (moment: Moment): Tensor =>
          plugins.make(
            plugin,
            { hook: `${kind}.${name}`, shape: [] },
            () => term.value(moment.seenBy(plugin)),
          ),
      },
    ]),
  );
}

/**
 * The weights of all terms: those that settings give by name, else the terms' own. Throws a `UserError` at a
 * name that no term has.
 */
export function termWeights(
  sources: Sources,
  settings: { classOn: "real" | "both"; weights: Weights },
): Weights {
  const terms = { ...discriminatorTerms(sources, settings), ...generatorTerms(sources) };
  const names = Object.keys(terms);
  for (const name of Object.keys(settings.weights)) {
    if (Object.hasOwn(terms, name)) continue;
    throw new UserError(
      `There is no loss term "${name}"${didYouMean(name, names)}: there are ${names.join(", ")}`,
    );
  }
  return Object.fromEntries(
    names.map((name) => [name, settings.weights[name] ?? terms[name].weight ?? 1]),
  );
}
