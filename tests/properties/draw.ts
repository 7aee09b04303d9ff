// Random shapes, settings and numbers: the same in every run, for a seed.

import { HostGenerator, sizeOf } from "../../engine/mod.ts";

/** Lengths that kernels get wrong: 1, primes, and both sides of the sides of tiles. */
const LENGTHS = [1, 1, 2, 3, 4, 5, 7, 8, 9, 13, 15, 16, 17, 31, 32, 33, 61, 63, 64, 65, 127, 129];

/** Draws from one stream. */
export class Draw {
  readonly #generator: HostGenerator;

  constructor(seed: number) {
    this.#generator = new HostGenerator(seed);
  }

  /** A whole number from `least` to `most`, both possible. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.#generator.uniform() * (most - least + 1));
  }

  /** True with a probability. */
  chance(probability: number): boolean {
    return this.#generator.uniform() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[this.whole(0, from.length - 1)];
  }

  /** A length, seldom a likely one. */
  length(most = 129): number {
    return this.pick(LENGTHS.filter((length) => length <= most));
  }

  /** A shape of `rank` axes and at most `most` elements. */
  shape(rank: number, most: number): number[] {
    const shape = Array.from({ length: rank }, () => this.length());
    while (sizeOf(shape) > most) {
      const longest = shape.indexOf(Math.max(...shape));
      shape[longest] = this.length(Math.ceil(shape[longest] / 2));
    }
    return shape;
  }

  /** Some of the axes of a shape, in any order. */
  axes(rank: number): number[] {
    return this.order(rank).slice(0, this.whole(1, rank));
  }

  /** The numbers from 0 to n - 1 in any order. */
  order(n: number): number[] {
    const left = Array.from({ length: n }, (_, i) => i);
    return Array.from({ length: n }, () => left.splice(this.whole(0, left.length - 1), 1)[0]);
  }

  /** Numbers between two bounds, as float32 holds them. */
  numbers(size: number, options: { low?: number; high?: number } = {}): Float32Array<ArrayBuffer> {
    const { low = -1, high = 1 } = options;
    return Float32Array.from(
      { length: size },
      () => low + (high - low) * this.#generator.uniform(),
    );
  }
}
