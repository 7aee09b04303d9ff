// What pictures are asked for on the command line: a value of a condition, or a mix of values.

import { UserError } from "../../data/mod.ts";
import type { Condition, PictureSource, Share } from "../../plugin/mod.ts";
import { type GivenValues, withMix } from "../../training/mod.ts";

/** Shares of a mix need not add up to 1 more closely than two digits can. */
const ROUNDING = 0.011;

/** What was asked for of some conditions. */
export interface AskedValues {
  /** By condition; of a mix, the value that there is most of. */
  readonly given: GivenValues;
  /** By condition, with two values or more. */
  readonly mixes: Readonly<Record<string, readonly Share[]>>;
}

/** Reads the options that conditions have. Throws a `UserError` that says what can be written. */
export function askedValues(
  conditions: readonly Condition[],
  texts: Readonly<Record<string, unknown>>,
): AskedValues {
  const given: Record<string, readonly number[]> = {}, mixes: Record<string, Share[]> = {};
  for (const condition of conditions) {
    const { name } = condition;
    if (!Object.hasOwn(texts, name)) continue;
    const shares = parseShares(condition, String(texts[name]));
    given[name] = shares.reduce((a, b) => b.weight > a.weight ? b : a).value;
    if (shares.length > 1) mixes[name] = shares;
  }
  return { given, mixes };
}

/**
 * Reads a value such as `blonde`, or a mix such as `blonde:0.7,pink:0.3`, whose weights add up to 1. A value that is
 * itself written so is a value.
 *
 * @throws {UserError} where it is neither.
 */
export function parseShares(condition: Condition, text: string): Share[] {
  const parts = text.split(",").map((part) => part.trim().match(/^(.+):\s*(\d*\.?\d+)$/));
  const isNamed = condition.showcase().some(({ label }) => label === text);
  if (isNamed || parts.length < 2 || !parts.some((part) => part)) {
    return [{ value: condition.parse(text), weight: 1 }];
  }
  const shares = parts.map((part, i) => {
    if (part && Number(part[2]) > 0) {
      return { value: condition.parse(part[1].trim()), weight: Number(part[2]) };
    }
    const word = text.split(",")[i].trim();
    throw new UserError(
      `A mix is written as ${condition.name} a:0.7,b:0.3, with a share above 0 for each: "${word}" has none`,
    );
  });
  const total = shares.reduce((sum, { weight }) => sum + weight, 0);
  if (Math.abs(total - 1) > ROUNDING) {
    throw new UserError(
      `The shares of --${condition.name} ${text} must add up to 1, not ${
        Number(total.toPrecision(4))
      }`,
    );
  }
  return shares.map(({ value, weight }) => ({ value, weight: weight / total }));
}

/** Pictures of which every one is asked for with these mixes. */
export function withMixes(pictures: PictureSource, mixes: AskedValues["mixes"]): PictureSource {
  const { size, conditions } = pictures;
  const mixed = conditions.filter(({ name }) => Object.hasOwn(mixes, name));
  return {
    size,
    conditions,
    draw: (requests) => pictures.draw(requests),
    requests: async (seeds, ...rest) =>
      (await pictures.requests(seeds, ...rest)).map((request) =>
        mixed.reduce(
          (request, condition) =>
            withMix(request, condition, { conditions, shares: mixes[condition.name] }),
          request,
        )
      ),
  };
}
