// Summaries of repeated measurements.

/** The least, the middle and the largest of some numbers. */
export interface Spread {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** The middle of numbers in any order; between two, halfway. @throws {RangeError} where there are none. */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new RangeError("There is no median of no numbers");
  const sorted = [...numbers].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** The spread of numbers in any order. */
export function spread(numbers: readonly number[]): Spread {
  return { min: Math.min(...numbers), median: median(numbers), max: Math.max(...numbers) };
}

/**
 * How many times as long `others` took as `own`, round by round, and the middle of that: on a busy machine a
 * ratio of what ran one after the other says more than a ratio of medians. Rounds in which the other has no
 * figure are left out; without any there is no ratio.
 */
export function ratios(
  own: readonly number[],
  others: readonly (number | undefined)[],
): { readonly rounds: number[]; readonly median: number } | undefined {
  const rounds = others.flatMap((other, i) => other === undefined ? [] : [other / own[i]]);
  return rounds.length === 0 ? undefined : { rounds, median: median(rounds) };
}

/** A number for people: three digits that count. */
export function digits(value: number): string {
  if (value === 0) return "0";
  const places = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(places, 6));
}

/** Rounded to a thousandth, for machines. */
export const thousandths = (value: number): number => Number(value.toFixed(3));
