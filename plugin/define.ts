import { UserError } from "../data/mod.ts";
import type { Parametrization } from "../engine/mod.ts";
import type { Normalization, NormalizationSite } from "../models/mod.ts";
import type { ConditionMaker } from "./condition.ts";
import { checkValue, type Options, type OptionValues } from "./options.ts";
import type { Parts, Sampling, Setup, WeightSite } from "./parts.ts";
import { didYouMean } from "./suggest.ts";

/** What {@linkcode definePlugin} is told. */
export interface PluginDeclaration<O extends Options> {
  /** Lower case words joined by dashes: how it is asked for, and what its options and terms begin with. */
  readonly name: string;
  /** As in semantic versioning: `1.0.0`. A run goes on only with the same one. */
  readonly version: string;
  /** One line for `kao plugin list`. */
  readonly help: string;
  /** Where its formulas come from. */
  readonly paper?: string;
  /** What can be set, as `--NAME.KEY` or in YAML. */
  readonly options?: O;
  /**
   * The label columns that it reads, which are then not conditioned on as classes by another plugin. `all` are
   * those that pictures have, as far as they are known yet.
   */
  columns?(options: OptionValues<O>, all: readonly string[]): readonly string[];
  /** Those of them without which a picture is of no use: such pictures are left out. In others labels may be missing. */
  requiredColumns?(options: OptionValues<O>): readonly string[];
  /** Makes conditions of kinds of its own again, for `sample`. */
  readonly kinds?: Readonly<Record<string, ConditionMaker>>;
  /** What it lets people ask of `sample`. */
  readonly sampling?: Sampling;
  /**
   * Makes what a weight of the discriminator is used through; `undefined` leaves it as it is. It is called once a
   * weight, for training and again where pictures are judged later. Only one plugin can bring it.
   */
  discriminatorWeight?(options: OptionValues<O>, site: WeightSite): Parametrization | undefined;
  /**
   * Makes what normalises the generator's activations in place of batch norm, by what is to be drawn. It is
   * called once a place, for training and again for `sample`. Only one plugin can bring it.
   */
  normalization?(options: OptionValues<O>, site: NormalizationSite): Normalization;
  /** Makes its parts for a run. */
  setup(options: OptionValues<O>, setup: Setup): Parts | Promise<Parts>;
}

/** A plugin, whatever its options are. */
export interface Plugin extends
  Omit<
    PluginDeclaration<Options>,
    | "options"
    | "setup"
    | "columns"
    | "requiredColumns"
    | "discriminatorWeight"
    | "normalization"
  > {
  /** What can be set. */
  readonly options: Options;
  /** The label columns that it reads. */
  // deno-lint-ignore no-explicit-any -- The declaration typed them.
  columns?(options: any, all: readonly string[]): readonly string[];
  /** The label columns that a picture cannot be without. */
  // deno-lint-ignore no-explicit-any
  requiredColumns?(options: any): readonly string[];
  /** Makes what a weight of the discriminator is used through. */
  // deno-lint-ignore no-explicit-any
  discriminatorWeight?(options: any, site: WeightSite): Parametrization | undefined;
  /** Makes what normalises the generator's activations. */
  // deno-lint-ignore no-explicit-any
  normalization?(options: any, site: NormalizationSite): Normalization;
  /** Makes its parts for a run. */
  // deno-lint-ignore no-explicit-any
  setup(options: any, setup: Setup): Parts | Promise<Parts>;
}

/**
 * Declares a plugin, which its file exports by default. The declaration types the values of its options.
 *
 * ```ts
 * import { definePlugin } from "kao/plugin";
 * import { mean, square } from "kao/engine";
 *
 * export default definePlugin({
 *   name: "calm",
 *   version: "1.0.0",
 *   help: "Keeps the discriminator's logits small",
 *   options: { weight: { type: "number", min: 0, default: 0.001, help: "Weight of the penalty" } },
 *   setup: ({ weight }) => ({
 *     discriminatorTerms: {
 *       logits: { weight, value: ({ real }) => mean(square(real.source)) },
 *     },
 *   }),
 * });
 * ```
 *
 * @throws {UserError} where the name, the version or an option's default is not as it must be.
 */
export function definePlugin<const O extends Options = Record<never, never>>(
  declaration: PluginDeclaration<O>,
): Plugin {
  const { name, version, options = {} } = declaration;
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) {
    throw new UserError(`A plugin is named in lower case words joined by dashes, not "${name}"`);
  }
  if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)) {
    throw new UserError(`Plugin ${name} must have a version such as 1.0.0, not "${version}"`);
  }
  for (const [key, option] of Object.entries<Options[string]>(options)) {
    if (option.default !== undefined) {
      checkValue(`Plugin ${name}: the default of ${key}`, option, option.default);
    }
  }
  return { ...declaration, options } as Plugin;
}

/**
 * The values of all options of a plugin, from those that were given and the defaults.
 *
 * @throws {UserError} where one is unknown (naming the nearest known one) or does not fit.
 */
export function optionValues(
  plugin: Plugin,
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const { name, options } = plugin;
  for (const key of Object.keys(given)) {
    if (Object.hasOwn(options, key)) continue;
    const known = Object.keys(options);
    const has = known.length === 0 ? "it has none" : `it has ${known.join(", ")}`;
    throw new UserError(`Plugin ${name} has no option "${key}"${didYouMean(key, known)}; ${has}`);
  }
  return Object.fromEntries(
    Object.entries(options).map(([key, option]) => [
      key,
      given[key] === undefined
        ? option.default ?? (option.type === "boolean" ? false : undefined)
        : checkValue(`${name}.${key}`, option, given[key]),
    ]),
  );
}
