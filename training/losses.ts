import { UserError } from "../data/mod.ts";
import { binaryCrossEntropyWithLogits, type Tensor } from "../engine/mod.ts";
import type { Verdict } from "../models/mod.ts";
import type { Condition } from "./condition.ts";
import type { Terms, Weights } from "./terms.ts";

/** The value of each condition, in the order of the conditions. */
export type Values = readonly Tensor[];

/**
 * The discriminator's loss, AC-GAN's L_S + L_C to be minimised: `d.adv_real` and `d.adv_fake` (real or
 * fake), and for each condition `d.class.<name>.real` and `d.class.<name>.fake` (what is it?).
 */
export function discriminatorTerms(
  conditions: readonly Condition[],
  real: { verdict: Verdict; values: Values },
  fake: { verdict: Verdict; values: Values },
): Terms {
  return {
    "d.adv_real": () => binaryCrossEntropyWithLogits(real.verdict.source, 1),
    "d.adv_fake": () => binaryCrossEntropyWithLogits(fake.verdict.source, 0),
    ...classTerms(conditions, real, (name) => `d.class.${name}.real`),
    ...classTerms(conditions, fake, (name) => `d.class.${name}.fake`),
  };
}

/**
 * The generator's loss, AC-GAN's L_C - L_S turned round and in the non-saturating form: `g.adv` (taken
 * for real), and for each condition `g.class.<name>` (taken for what was asked for).
 */
export function generatorTerms(
  conditions: readonly Condition[],
  fake: { verdict: Verdict; values: Values },
): Terms {
  return {
    "g.adv": () => binaryCrossEntropyWithLogits(fake.verdict.source, 1),
    ...classTerms(conditions, fake, (name) => `g.class.${name}`),
  };
}

function classTerms(
  conditions: readonly Condition[],
  judged: { verdict: Verdict; values: Values },
  termName: (condition: string) => string,
): Terms {
  return Object.fromEntries(conditions.map((condition, i) => [
    termName(condition.name),
    () => condition.loss(judged.verdict.heads[condition.name], judged.values[i]),
  ]));
}

/**
 * The weights of all terms: those that settings give by name, else 1; but for D's class terms on fakes,
 * which weigh 0 where only real pictures are to teach it. Throws a `UserError` at a name that no term has.
 */
export function termWeights(
  conditions: readonly Condition[],
  settings: { classOn: "real" | "both"; weights: Weights },
): Weights {
  const nothing = { verdict: { source: undefined!, heads: {} }, values: [] };
  const names = [
    ...Object.keys(discriminatorTerms(conditions, nothing, nothing)),
    ...Object.keys(generatorTerms(conditions, nothing)),
  ];
  for (const name of Object.keys(settings.weights)) {
    if (names.includes(name)) continue;
    throw new UserError(`There is no loss term "${name}": there are ${names.join(", ")}`);
  }
  const ofFakes = conditions.map(({ name }) => `d.class.${name}.fake`);
  return Object.fromEntries(names.map((name) => {
    const byDefault = settings.classOn === "real" && ofFakes.includes(name) ? 0 : 1;
    return [name, settings.weights[name] ?? byDefault];
  }));
}
