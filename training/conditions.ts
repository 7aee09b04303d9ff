import { UserError } from "../data/mod.ts";
import {
  Categorical,
  type CategoricalDescription,
  type Condition,
  type ConditionMaker,
  Continuous,
  type ContinuousDescription,
  type Judging,
} from "../plugin/mod.ts";

/** The kinds of conditions that need no plugin to be made again. */
const makers: Readonly<Record<string, ConditionMaker>> = {
  categorical: (description) => new Categorical(description as unknown as CategoricalDescription),
  continuous: (description, judging) =>
    new Continuous(
      description as unknown as ContinuousDescription,
      // The width and the kind are of targets of real pictures, and of no account here.
      judging && { vicinity: { ...judging, kind: "hard" } },
    ),
};

/**
 * Makes a condition again from what its {@linkcode Condition.describe} gave; `kinds` are those of plugins, and with
 * `judging` it gets its networks as well.
 */
export function restoreCondition(
  description: Record<string, unknown>,
  options: { kinds?: Readonly<Record<string, ConditionMaker>>; judging?: Judging } = {},
): Condition {
  const all = { ...options.kinds, ...makers }, kind = String(description.kind);
  if (Object.hasOwn(all, kind)) return all[kind](description, options.judging);
  const known = Object.keys(all).join(", ");
  throw new UserError(`Unknown kind of condition "${kind}": known are ${known}`);
}
