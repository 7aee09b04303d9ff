import type { Dataset } from "./dataset.ts";
import { mirror } from "./mirror.ts";
import { CounterRandom } from "./random.ts";

/** Pictures for one step. */
export interface Batch {
  /** `batch * 3 * size * size` bytes, NCHW. */
  readonly images: Uint8Array<ArrayBuffer>;
  /** For each label column, `batch` class indices. */
  readonly labels: Int32Array<ArrayBuffer>[];
  /** 1 for each picture that is mirrored, else 0. */
  readonly mirrored: Uint8Array<ArrayBuffer>;
}

/**
 * Shuffled batches as a pure function of the step, so that a resumed run sees what an uninterrupted one
 * would have. Every epoch is a new order of all pictures; a batch may span two epochs, and no picture
 * is passed over.
 *
 * ```ts
 * const dataset = {
 *   count: 3, size: 1, columns: [{ name: "hair", classes: ["black", "pink"] }], problems: [],
 *   images: new Uint8Array(9), labels: [Int32Array.of(0, 1, 0)], fingerprint: "",
 * };
 * const batches = new Batches(dataset, { batch: 2, seed: 7, flip: true });
 * batches.at(5).labels[0].length; // 2
 * ```
 */
export class Batches {
  readonly #dataset: Dataset;
  readonly #batch: number;
  readonly #seed: number;
  readonly #flip: boolean;
  /** The orders of the epochs in use: at most two where a batch spans them. */
  readonly #orders = new Map<number, Uint32Array>();

  /** `flip` mirrors half of the pictures, drawn anew each epoch. */
  constructor(dataset: Dataset, options: { batch: number; seed: number; flip: boolean }) {
    if (dataset.count < 1) throw new RangeError("Batches need at least one picture");
    if (!Number.isInteger(options.batch) || options.batch < 1) {
      throw new RangeError(`Batch size must be a positive integer, got ${options.batch}`);
    }
    this.#dataset = dataset;
    this.#batch = options.batch;
    this.#seed = options.seed;
    this.#flip = options.flip;
  }

  /** The batch of a step; steps count from 0. */
  at(step: number): Batch {
    const { count, size, images, labels } = this.#dataset;
    const bytes = 3 * size * size;
    const batch: Batch = {
      images: new Uint8Array(this.#batch * bytes),
      labels: labels.map(() => new Int32Array(this.#batch)),
      mirrored: new Uint8Array(this.#batch),
    };
    for (let i = 0; i < this.#batch; i++) {
      const position = step * this.#batch + i;
      const epoch = Math.floor(position / count);
      const index = this.#order(epoch)[position % count];
      const source = images.subarray(index * bytes, (index + 1) * bytes);
      const target = batch.images.subarray(i * bytes, (i + 1) * bytes);
      target.set(source);
      if (this.#flip && this.#random(epoch, 1).bits(position % count) & 1) {
        mirror(target, size);
        batch.mirrored[i] = 1;
      }
      labels.forEach((column, c) => batch.labels[c][i] = column[index]);
    }
    return batch;
  }

  #order(epoch: number): Uint32Array {
    let order = this.#orders.get(epoch);
    if (order === undefined) {
      order = this.#random(epoch, 0).permutation(this.#dataset.count);
      for (const other of this.#orders.keys()) {
        if (Math.abs(other - epoch) > 1) this.#orders.delete(other);
      }
      this.#orders.set(epoch, order);
    }
    return order;
  }

  /** Purpose 0 is the order, 1 the mirroring. */
  #random(epoch: number, purpose: number): CounterRandom {
    return new CounterRandom(this.#seed, 2 * epoch + purpose);
  }
}
