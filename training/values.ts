import type { Tensor } from "../engine/mod.ts";
import type { Condition, Labels } from "../plugin/mod.ts";

/** Values of several conditions, in the order of the conditions. */
export type Values = readonly Tensor[];

/** Values of all conditions by name. */
export function namedValues(
  conditions: readonly Condition[],
  values: Values,
): Record<string, Tensor> {
  return Object.fromEntries(conditions.map(({ name }, i) => [name, values[i]]));
}

/** What labels tell: the values of those conditions that are read from them, in their order. */
export function readValues(conditions: readonly Condition[], labels: Labels): Tensor[] {
  return conditions.flatMap((condition) => condition.read?.(labels) ?? []);
}

/** The values of real pictures by name: those that were `read`, and those that pictures are measured for. */
export function realValues(
  conditions: readonly Condition[],
  images: Tensor,
  { read }: { read: Values },
): Record<string, Tensor> {
  const left = [...read];
  return Object.fromEntries(conditions.flatMap((condition) => {
    const value = condition.read ? left.shift() : condition.measure?.(images);
    return value ? [[condition.name, value]] : [];
  }));
}
