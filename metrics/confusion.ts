// What a classifier takes each class for.

/** Counts by class: `counts[true class][class that it was taken for]`. */
export type Confusion = readonly (readonly number[])[];

/**
 * Counts what things of each class were taken for. A label below 0 is not known, and not counted.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { confusion } from "./mod.ts";
 * const counts = confusion([0, 0, 1, -1], [0, 1, 1, 0], { classes: 2 });
 * assertEquals(counts, [[1, 1], [0, 1]]);
 * ```
 */
export function confusion(
  labels: ArrayLike<number>,
  guesses: ArrayLike<number>,
  { classes }: { classes: number },
): number[][] {
  const counts = Array.from({ length: classes }, () => new Array<number>(classes).fill(0));
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] >= 0) counts[labels[i]][guesses[i]]++;
  }
  return counts;
}

/** The share of all that was taken for what it is; NaN where nothing was counted. */
export function accuracyOf(counts: Confusion): number {
  const total = counts.flat().reduce((sum, n) => sum + n, 0);
  return counts.reduce((sum, row, i) => sum + row[i], 0) / total;
}

/** The share of each class that was taken for what it is; NaN where there was none of it. */
export function recallByClass(counts: Confusion): number[] {
  return counts.map((row, i) => row[i] / row.reduce((sum, n) => sum + n, 0));
}
