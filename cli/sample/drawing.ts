import { UserError } from "../../data/mod.ts";
import type { PictureRequest } from "../../plugin/mod.ts";
import { type Critic, LARGEST_SEED, type Painter } from "../../training/mod.ts";
import type { SampleOptions } from "./options.ts";
import type { DescribedRun } from "./run.ts";
import type { AskedValues } from "./values.ts";

/** More pixels than this in one picture, or in all frames together, are refused. */
const LARGEST_PIXELS = 100_000_000;

/** What was asked for, before anything is opened. */
export interface Plan {
  readonly options: SampleOptions;
  /** Those of the options that were not left to their defaults. */
  readonly given: Partial<SampleOptions>;
  readonly run: DescribedRun;
  readonly asked: AskedValues;
}

/**
 * A way of drawing. It looks at what was asked for, and throws a `UserError` where that makes no sense; what it
 * returns draws and writes.
 */
export type Mode = (plan: Plan) => Work | Promise<Work>;

/** Draws with an opened run, and writes what was drawn. */
export type Work = (drawing: Drawing) => Promise<void>;

/** A trained run, opened, with all that changes what is drawn. */
export interface Drawing extends Painter {
  /** The requests of seeds; `attempt` is which of their noise vectors. */
  requests(seeds: readonly number[], attempt?: number): Promise<PictureRequest[]>;
  /** Rates pictures, where `--best-of` asks for that. */
  readonly critic: Critic | undefined;
  /** Where to write to: `--out`, or else a path in the run that tells what it is. */
  path(ending: string, ...words: readonly string[]): string;
}

/** The seeds of `count` pictures from the first. @throws {UserError} where there are not so many. */
export function seedsFrom({ seed, count }: { seed: number; count: number }): number[] {
  if (seed + count - 1 > LARGEST_SEED) {
    throw new UserError(`The last seed would be above ${LARGEST_SEED}: use a smaller --seed or -n`);
  }
  return Array.from({ length: count }, (_, i) => seed + i);
}

/** @throws {UserError} where so many pictures are too many to be held at once. */
export function checkPixels(count: number, { size, scale }: { size: number; scale: number }): void {
  if (count * (size * scale) ** 2 <= LARGEST_PIXELS) return;
  throw new UserError(
    `${count} pictures of ${size * scale}x${size * scale} are more than ` +
      `${LARGEST_PIXELS / 1e6} million pixels: draw fewer, or at a smaller --scale`,
  );
}

/** `seed 1`, `seeds 1 to 4`. */
export function seedWords(seeds: readonly number[]): string {
  return seeds.length === 1 ? `seed ${seeds[0]}` : `seeds ${seeds[0]} to ${seeds.at(-1)}`;
}
