/**
 * The interface of plugins: what a plugin declares, the hooks by which it takes part in training and
 * sampling, and the conditions that plugins are made of. The built-in plugins use nothing else.
 *
 * @module
 */

export { Categorical, type CategoricalDescription, describeLabels } from "./categorical.ts";
export { classColumns, describeColumns, requireColumns } from "./class_columns.ts";
export {
  type Asked,
  type AskedLogit,
  type Condition,
  type ConditionMaker,
  type ConditionWeights,
  isLatent,
  type Judging,
  type Labels,
  type NamedValue,
  type RandomSource,
  type Share,
} from "./condition.ts";
export {
  Continuous,
  type ContinuousDescription,
  type ContinuousSource,
  type Vicinity,
} from "./continuous.ts";
export { definePlugin, optionValues, type Plugin, type PluginDeclaration } from "./define.ts";
export { nonSaturating, type Objective } from "./objective.ts";
export {
  type BooleanOption,
  checkValue,
  type ChoiceOption,
  type Described,
  flagOf,
  flagsOf,
  type GivenValues,
  type ListOption,
  type NumberOption,
  type Option,
  type Options,
  type OptionValue,
  type OptionValues,
  parseValue,
  placeholderOf,
  type Positionals,
  type PositionalValues,
  rangeOf,
  type StringOption,
} from "./options.ts";
export type {
  Discriminator,
  Judged,
  Judgement,
  LoopHooks,
  NoiseOptions,
  Parts,
  PictureRequest,
  PictureSource,
  Run,
  Sampling,
  Setup,
  Step,
  Term,
  WeightSite,
} from "./parts.ts";
export { didYouMean, nearest } from "./suggest.ts";
/** What normalises a generator's activations, and where. */
export type { Normalization, NormalizationSite } from "../models/mod.ts";
/** The data that is trained on. */
export type { Dataset, LabelColumn, Problem } from "../data/mod.ts";
/** An error for people: its message is shown in one line, without a stack. */
export { UserError } from "../data/mod.ts";
