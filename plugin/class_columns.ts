// What plugins that take classes from label columns share.

import { UserError } from "../data/mod.ts";
import { type CategoricalDescription, describeLabels } from "./categorical.ts";
import type { ListOption } from "./options.ts";
import type { Setup } from "./parts.ts";

/** The option by which label columns are named. */
export const classColumns: ListOption = {
  type: "list",
  help: "Label columns whose values are classes; by default all that no other plugin reads",
};

/**
 * What label columns say of the pictures of a run: those that are named, else all that no other plugin reads.
 *
 * @throws {UserError} where there is no such column, or none of a picture's labels is there.
 */
export function describeColumns(
  columns: readonly string[] | undefined,
  { data, claimed }: Pick<Setup, "data" | "claimed">,
): CategoricalDescription[] {
  const names = data.columns.map(({ name }) => name);
  const missing = columns?.find((name) => !names.includes(name));
  if (missing !== undefined) {
    throw new UserError(`there is no label column "${missing}": there are ${names.join(", ")}`);
  }
  const wanted = columns ?? names.filter((name) => !claimed.includes(name));
  return wanted.map((name) => {
    const at = names.indexOf(name);
    return describeLabels(data.columns[at], data.labels[at]);
  });
}

/**
 * As {@linkcode describeColumns}, for a plugin that is nothing without a column.
 *
 * @throws {UserError} where none is left, too.
 */
export function requireColumns(
  columns: readonly string[] | undefined,
  setup: Pick<Setup, "data" | "claimed">,
): CategoricalDescription[] {
  const described = describeColumns(columns, setup);
  if (described.length > 0) return described;
  const names = setup.data.columns.map(({ name }) => name).join(", ") || "none";
  throw new UserError(
    `no label column is left for it: there are ${names}, and other plugins read them all. Name its columns`,
  );
}
