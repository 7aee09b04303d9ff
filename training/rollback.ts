// Going back to the last good state, where a number is no longer finite.

import { UserError } from "../data/mod.ts";
import type { StoredTensor } from "../engine/mod.ts";
import type { Acgan } from "./acgan.ts";
import { loadCheckpoint, restore } from "./checkpoint.ts";
import type { NotFiniteError } from "./not_finite.ts";
import { seedOfName } from "./seeds.ts";

/** From one state a run is tried again so often. */
const MOST_RETRIES = 3;

/** Where a run goes on after something went wrong. */
export interface Retry {
  readonly step: number;
  /** How often the run has gone back, up to the state that it now is in. */
  readonly retries: number;
}

/**
 * Takes a run back to its last checkpoint, or to its start, and gives it other random numbers from there:
 * with the same ones the same would happen again.
 *
 * Which ones depends on the number of retries alone, and that number is kept in the checkpoint. A run that
 * is stopped anywhere therefore still ends as one that was not.
 */
export class Rollback {
  readonly #folder: string;
  readonly #model: Acgan;
  readonly #seed: number;
  /** The state before the first step, until a checkpoint takes its place. */
  #start: Readonly<Record<string, StoredTensor>> | undefined;
  /** Failures since the state that the run would go back to. */
  #failures = 0;

  /** `start` is what the run begins with, where it has no checkpoint yet. */
  constructor(
    model: Acgan,
    options: {
      folder: string;
      seed: number;
      start: Readonly<Record<string, StoredTensor>> | undefined;
    },
  ) {
    this.#model = model;
    this.#folder = options.folder;
    this.#seed = options.seed;
    this.#start = options.start;
  }

  /** To be told that a checkpoint was saved. */
  saved(): void {
    this.#failures = 0;
    this.#start = undefined;
  }

  /**
   * Goes back, and says so.
   *
   * @throws {UserError} where it went wrong from here too often.
   */
  async back(
    { what }: NotFiniteError,
    options: { onMessage: (message: string) => void },
  ): Promise<Retry> {
    const { onMessage } = options;
    this.#failures++;
    const checkpoint = this.#start
      ? { step: 0, retries: 0, tensors: this.#start }
      : await loadCheckpoint(this.#folder, onMessage);
    if (checkpoint === undefined) throw new UserError(`${what}, and ${this.#folder} is empty now`);
    const { step } = checkpoint;
    if (this.#failures > MOST_RETRIES) {
      const from = this.#start ? "the start" : `step ${step}, whose checkpoint is kept`;
      throw new UserError(
        `${what}. So it went with ${MOST_RETRIES} other draws of random numbers from ${from}: ` +
          `a lower --lr or a --clip-norm may help, in another --out`,
      );
    }
    restore(this.#model.state(), checkpoint.tensors);
    const retries = checkpoint.retries + this.#failures;
    for (const [name, generator] of Object.entries(this.#model.generators)) {
      generator.reseed(seedOfName(this.#seed, `${name} retry ${retries}`));
    }
    onMessage(
      `${what}. Going back to step ${step}, with other random numbers ` +
        `(${this.#failures} of ${MOST_RETRIES} tries from there)`,
    );
    return { step, retries };
  }
}

/** The seed of the order of the pictures after so many retries. */
export function batchSeed(seed: number, retries: number): number {
  return retries === 0 ? seed : seedOfName(seed, `batches retry ${retries}`);
}
