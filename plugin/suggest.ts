import { levenshteinDistance } from "@std/text";

/**
 * The candidate that `word` was probably meant to be, or `undefined` where none is near: at most one
 * edit in three letters, and never fewer than one edit allowed.
 *
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(nearest("smaple", ["train", "sample"]), "sample");
 * assertEquals(nearest("fly", ["train", "sample"]), undefined);
 * ```
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.ceil(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = levenshteinDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** ` (did you mean sample?)`, with the space before it, or nothing where no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const candidate = nearest(word, candidates);
  return candidate === undefined ? "" : ` (did you mean ${candidate}?)`;
}
