// Strips: what changes when one thing that pictures are asked for changes, and nothing else.

import { UserError } from "../../data/mod.ts";
import { type Condition, didYouMean, type NamedValue } from "../../plugin/mod.ts";
import { drawSweep, type Painter, withValue } from "../../training/mod.ts";
import { writeOutput } from "../output.ts";
import { checkPixels, type Plan, seedsFrom, seedWords, type Work } from "./drawing.ts";

/** Values in a sweep of numbers, if it is not said how many. */
const STEPS = 7;
const MOST_STEPS = 100;

/** A condition, and the values that it goes through. */
export interface Sweep {
  readonly condition: Condition;
  readonly values: readonly NamedValue[];
}

/**
 * Reads `NAME`, the values that the condition shows, or `NAME=FROM..TO:N`, N numbers from one to the other.
 *
 * @throws {UserError} where there is no such condition, or it has no such values.
 */
export function parseSweep(text: string, conditions: readonly Condition[]): Sweep {
  const [name, range] = text.split(/=(.*)/s, 2);
  const condition = conditions.find((condition) => condition.name === name);
  if (condition === undefined) {
    const names = conditions.map(({ name }) => name);
    throw new UserError(
      `Unknown condition "${name}"${didYouMean(name, names)}: this model knows ${names.join(", ")}`,
    );
  }
  if (range === undefined) return { condition, values: condition.showcase() };
  const [, first, last, steps = STEPS] = range.match(/^(.+?)\.\.(.+?)(?::(\d+))?$/) ?? [];
  const from = Number(first), to = Number(last), count = Number(steps);
  if (!(Number.isFinite(from) && Number.isFinite(to) && count >= 2 && count <= MOST_STEPS)) {
    throw new UserError(
      `--sweep takes ${name}, or ${name}=0..1:9 for 9 numbers from 0 to 1 (2 to ${MOST_STEPS} of them), ` +
        `not ${text}`,
    );
  }
  const values = Array.from({ length: count }, (_, k) => {
    // A weighted mean: a difference would leave something next to 0 where 0 is meant.
    const number = (from * (count - 1 - k) + to * k) / (count - 1);
    const exact = Number(number.toPrecision(6));
    return { label: String(Number(exact.toPrecision(3))), value: condition.parse(String(exact)) };
  });
  return { condition, values };
}

/** A column a value and a row a seed; or with two conditions a row a value of the second, of one seed. */
export function sweep({ options, given, run: { size, conditions }, asked }: Plan): Work {
  const { count, seed, scale, sweep: texts = [] } = options;
  const sweeps = texts.map((text) => parseSweep(text, conditions));
  const [across, down] = sweeps;
  if (sweeps.length > 2 || across.condition === down?.condition) {
    throw new UserError(
      `--sweep takes one condition, or two different ones, not ${texts.join(",")}`,
    );
  }
  for (const { condition: { name } } of sweeps) {
    if (!Object.hasOwn(asked.given, name)) continue;
    throw new UserError(`--sweep ${name} shows every ${name}: leave out --${name}, or the sweep`);
  }
  if (down && given.count !== undefined) {
    throw new UserError(`--sweep ${texts.join(",")} is a sheet of one seed: leave out -n`);
  }
  const seeds = seedsFrom({ seed, count: down ? 1 : count });
  checkPixels(across.values.length * (down?.values.length ?? count), { size, scale });
  return async (drawing) => {
    const bases = await drawing.requests(seeds);
    const rows = down
      ? down.values.map(({ value }) =>
        withValue(bases[0], { painter: drawing, condition: own(drawing, down), value })
      )
      : bases;
    const png = await drawSweep(drawing, rows, {
      condition: own(drawing, across),
      values: across.values,
      rowLabels: down?.values.map(({ label }) => label),
      scale,
    });
    const out = drawing.path(".png", `sweep-${texts.join("-")}`, `seed-${seed}`);
    await writeOutput(out, png);
    const rowWords = down ? `${labels(down)}; ${seedWords(seeds)}` : seedWords(seeds);
    console.log(`Wrote ${out}: columns are ${labels(across)}; rows ${rowWords}`);
  };
}

const labels = ({ values }: Sweep): string => values.map(({ label }) => label).join(", ");

/** The condition of a sweep as the opened run has it. */
function own({ conditions }: Painter, { condition: { name } }: Sweep): Condition {
  return conditions.find((condition) => condition.name === name)!;
}
