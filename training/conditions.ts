import { type Dataset, UserError } from "../data/mod.ts";
import { Categorical, type CategoricalDescription } from "./categorical.ts";
import type { Condition, ConditionMaker } from "./condition.ts";

/** The kinds of conditions that a checkpoint can hold. */
const makers: Readonly<Record<string, ConditionMaker>> = {
  categorical: (description) => new Categorical(description as unknown as CategoricalDescription),
};

/** A categorical condition for each label column of a data set. */
export function conditionsOf({ columns, labels }: Dataset): Condition[] {
  return columns.map(({ name, classes }, i) => Categorical.fromLabels(name, classes, labels[i]));
}

/** Makes a condition again from what its {@linkcode Condition.describe} gave. */
export function restoreCondition(description: Record<string, unknown>): Condition {
  const maker = makers[String(description.kind)];
  if (!maker) {
    const known = Object.keys(makers).join(", ");
    throw new UserError(`Unknown kind of condition "${description.kind}": known are ${known}`);
  }
  return maker(description);
}
