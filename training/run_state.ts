// Where a run has got to: in its model's variables, and on disk.

import { UserError } from "../data/mod.ts";
import type { StoredTensor } from "../engine/mod.ts";
import type { Acgan } from "./acgan.ts";
import type { BestCheckpoint } from "./best.ts";
import {
  type Checkpoint,
  loadCheckpoint,
  readTensors,
  restore,
  saveCheckpoint,
  setDamagedAside,
} from "./checkpoint.ts";
import type { Metrics } from "./metric_ring.ts";
import type { NotFiniteError } from "./not_finite.ts";
import { note } from "./notes.ts";
import type { RunDescription } from "./run.ts";
import { seedOfName } from "./seeds.ts";
import { transfer } from "./transfer.ts";

/** From one state a run is tried again so often. */
const MOST_RETRIES = 3;

/** What a {@linkcode RunState} is the state of. */
export interface RunStateOptions {
  readonly folder: string;
  readonly run: RunDescription;
  /** Whose weights a run without a checkpoint begins with. */
  readonly beginWith?: Checkpoint;
  readonly onMessage?: (message: string) => void;
}

/**
 * The state of a run after some step, which checkpoints keep.
 *
 * A run can be taken back to its last checkpoint, or to its start, and goes on with other random numbers
 * from there: with the same ones the same would happen again. Which ones depends on the number of retries
 * alone, and that number is kept in the checkpoint. A run that is stopped anywhere therefore still ends as
 * one that was not.
 */
export class RunState {
  readonly #model: Acgan;
  readonly #options: RunStateOptions;
  #step = 0;
  #retries = 0;
  /** The step of the last checkpoint. */
  #saved = 0;
  /** The state before the first step, until a checkpoint takes its place. */
  #start: Readonly<Record<string, StoredTensor>> | undefined;
  /** Failures since the state that the run would go back to. */
  #failures = 0;

  private constructor(model: Acgan, options: RunStateOptions) {
    this.#model = model;
    this.#options = options;
  }

  /**
   * Gives the model what the run's newest whole checkpoint has for it, where there is one. A run that
   * begins with the weights of another has one from then on.
   *
   * @throws {UserError} where all checkpoints are damaged, or one does not fit the model.
   */
  static async open(model: Acgan, options: RunStateOptions): Promise<RunState> {
    const state = new RunState(model, options), { folder, beginWith } = options;
    const checkpoint = await loadCheckpoint(folder, (message) => state.say(message));
    if (checkpoint) {
      await setDamagedAside(folder, checkpoint);
      restore(model.state(), checkpoint.tensors);
      state.#at(checkpoint);
    } else if (beginWith) {
      state.say(transfer(model, beginWith));
      await state.#write();
    } else {
      state.#start = await readTensors(model.state());
    }
    return state;
  }

  /** Steps that were taken. */
  get step(): number {
    return this.#step;
  }

  /** Of the order of the pictures; the run's own until it went back. */
  get batchSeed(): number {
    const { seed } = this.#options.run;
    return this.#retries === 0 ? seed : seedOfName(seed, `batches retry ${this.#retries}`);
  }

  /** Tells the user something, and writes it down with the step. */
  say(message: string): void {
    this.#options.onMessage?.(message);
    note(this.#options.folder, { step: this.#step, message });
  }

  /** To be told that a step was taken. */
  advance(): void {
    this.#step++;
  }

  /** Writes a checkpoint, unless the last one is of this step. */
  async save(): Promise<void> {
    if (this.#saved !== this.#step) await this.#write();
  }

  /** Keeps the state as the best one where its metric says so. */
  async keepIn(best: BestCheckpoint, metrics: Metrics): Promise<void> {
    await best.consider(metrics, this.#model.state(), this.#about());
  }

  /**
   * Goes back to the last checkpoint, and says so.
   *
   * @throws {UserError} where it went wrong from there too often.
   */
  async back({ message: what }: NotFiniteError): Promise<void> {
    const { folder, run } = this.#options;
    this.#failures++;
    const checkpoint = this.#start
      ? { step: 0, retries: 0, tensors: this.#start }
      : await loadCheckpoint(folder, (message) => this.say(message));
    if (checkpoint === undefined) throw new UserError(`${what}, and ${folder} is empty now`);
    if (this.#failures > MOST_RETRIES) {
      const from = this.#start ? "the start" : `step ${checkpoint.step}, whose checkpoint is kept`;
      throw new UserError(
        `${what}. So it went with ${MOST_RETRIES} other draws of random numbers from ${from}: ` +
          `a lower --lr or a --clip-norm may help, in another --out`,
      );
    }
    this.say(
      `${what}. Going back to step ${checkpoint.step}, with other random numbers ` +
        `(${this.#failures} of ${MOST_RETRIES} tries from there)`,
    );
    restore(this.#model.state(), checkpoint.tensors);
    this.#at({ step: checkpoint.step, retries: checkpoint.retries + this.#failures });
    for (const [name, generator] of Object.entries(this.#model.generators)) {
      generator.reseed(seedOfName(run.seed, `${name} retry ${this.#retries}`));
    }
  }

  async #write(): Promise<void> {
    await saveCheckpoint(this.#options.folder, this.#model.state(), this.#about());
    this.#saved = this.#step;
    this.#failures = 0;
    this.#start = undefined;
  }

  #at({ step, retries }: { step: number; retries: number }): void {
    this.#step = this.#saved = step;
    this.#retries = retries;
  }

  #about(): { step: number; run: RunDescription; retries: number } {
    return { step: this.#step, run: this.#options.run, retries: this.#retries };
  }
}
