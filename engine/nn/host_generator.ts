// Random numbers on the host, for initial weights: the same on every machine, GPU or not.

import { philox4x32 } from "./philox.ts";

/**
 * A stream of random numbers: Philox 4x32-10 with the seed as key and the number of the block as
 * counter.
 *
 * @example
 * ```ts
 * import { HostGenerator } from "./mod.ts";
 * const generator = new HostGenerator(7);
 * generator.uniform(); // the same number whenever and wherever this runs
 * ```
 */
export class HostGenerator {
  readonly #key: readonly [number, number];
  #block = 0;
  #words: readonly number[] = [];
  #next = 0;
  #spare: number | undefined;

  /**
   * Begins a stream.
   *
   * @param seed a whole number from 0 to 2^53 - 1.
   * @throws {RangeError} for any other.
   */
  constructor(seed: number) {
    if (!Number.isSafeInteger(seed) || seed < 0) {
      throw new RangeError(`Cannot seed a generator with ${seed}: a whole number is needed`);
    }
    this.#key = split(seed);
  }

  /** A whole number from 0 to 2^32 - 1. */
  uint32(): number {
    if (this.#next === this.#words.length) {
      const [low, high] = split(this.#block++);
      this.#words = philox4x32([low, high, 0, 0], this.#key);
      this.#next = 0;
    }
    return this.#words[this.#next++];
  }

  /** A number from [0, 1), a multiple of 2^-32. */
  uniform(): number {
    return this.uint32() / 2 ** 32;
  }

  /** A number of mean 0 and variance 1, by Box and Muller's transform. */
  normal(): number {
    if (this.#spare !== undefined) {
      const value = this.#spare;
      this.#spare = undefined;
      return value;
    }
    // 1 - u lies in (0, 1]: its logarithm is finite.
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }
}

/** The low and the high word of a whole number below 2^53. */
function split(value: number): [number, number] {
  return [value >>> 0, Math.floor(value / 2 ** 32)];
}
