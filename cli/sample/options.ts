import { UserError } from "../../data/mod.ts";
import { flagOf, flagsOf, type Options, type OptionValues } from "../../plugin/mod.ts";
import { LARGEST_SEED } from "../../training/mod.ts";
import { deviceOptions } from "../device.ts";
import { tuneOptions } from "../tuning.ts";

/** What `kao sample` can be asked for, besides a run's conditions and what its plugins bring. */
export const options = {
  count: {
    type: "integer",
    short: "n",
    min: 1,
    default: 16,
    help: "Pictures, or rows of a sweep",
  },
  seed: {
    type: "integer",
    min: 0,
    max: LARGEST_SEED,
    default: 1,
    help: "Seed of the first picture; each further one has the next seed",
  },
  truncation: {
    type: "number",
    min: 0.01,
    help: "Draw noise further from 0 than this again: more typical pictures, and less varied ones",
  },
  bestOf: {
    type: "integer",
    min: 2,
    max: 1024,
    help: "Draw each picture with so many noise vectors; keep what the discriminator rates highest",
  },
  sweep: {
    type: "list",
    placeholder: "condition",
    help:
      "Draw a column a value of this condition and a row a seed; NAME=FROM..TO:N gives N numbers, " +
      "and a second condition the rows",
  },
  interpolate: {
    type: "list",
    placeholder: "seed,seed,...",
    help: "Draw the way from the picture of one seed to that of the next, as frames and a GIF",
  },
  frames: {
    type: "integer",
    min: 2,
    default: 24,
    help: "Frames from one seed to the next, both included",
  },
  loop: { type: "boolean", help: "Go back from the last seed to the first" },
  each: {
    type: "boolean",
    help: "Write each picture into a file of its own, with labels.csv: a data set to train on",
  },
  nearest: {
    type: "string",
    placeholder: "data",
    help: "Show beside each picture the nearest one of this data folder, by pixels",
  },
  cache: {
    type: "string",
    placeholder: "folder",
    default: "runs/cache",
    help: "Where decoded pictures of --nearest are kept, as those of train",
  },
  raw: { type: "boolean", help: "Use the weights of the last step instead of their averages" },
  checkpoint: {
    type: "string",
    placeholder: "best|previous|file",
    help: "Draw with another checkpoint of the run than its last",
  },
  scale: { type: "integer", min: 1, max: 64, default: 1, help: "Draw each pixel this large" },
  out: {
    type: "string",
    placeholder: "path",
    help: "PNG file, or folder for --interpolate and --each; by default in RUN/samples",
  },
  ...tuneOptions,
  ...deviceOptions,
} as const satisfies Options;

/** Names that no condition can have, because they are options of `sample` already. */
export const reservedNames: readonly string[] = flagsOf(options);

/** The values of {@linkcode options}. */
export type SampleOptions = OptionValues<typeof options>;

type Key = keyof typeof options;

/** Each of these draws something else. */
const MODES: readonly Key[] = ["sweep", "interpolate", "each", "nearest"];

/** Options that only mean something with another. */
const NEEDS: readonly (readonly [Key, Key])[] = [
  ["frames", "interpolate"],
  ["loop", "interpolate"],
  ["cache", "nearest"],
];

/** Options that mean nothing with another, and why. */
const CLASHES: readonly (readonly [Key, Key, string])[] = [
  ["count", "interpolate", "it goes through the seeds that it names"],
  ["seed", "interpolate", "it goes through the seeds that it names"],
  ["bestOf", "interpolate", "its pictures are those of its seeds"],
  ["bestOf", "sweep", "a row has one noise vector, which would be chosen for one of its values"],
];

/**
 * Looks at options side by side.
 *
 * @throws {UserError} where those that were given make no sense together.
 */
export function checkTogether(given: Readonly<Record<string, unknown>>): void {
  const has = (key: Key): boolean => given[key] !== undefined && given[key] !== false;
  const flag = (key: Key): string => `--${flagOf(key, options[key])}`;
  const modes = MODES.filter(has).map(flag);
  if (modes.length > 1) throw new UserError(`Choose one of ${modes.join(" and ")}`);
  for (const [key, needed] of NEEDS) {
    if (!has(key) || has(needed)) continue;
    throw new UserError(`${flag(key)} is for ${flag(needed)}: add that, or leave it out`);
  }
  for (const [key, other, why] of CLASHES) {
    if (!has(key) || !has(other)) continue;
    throw new UserError(`${flag(other)} takes no ${flag(key)}: ${why}`);
  }
}
