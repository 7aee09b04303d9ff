// Random numbers on the host as a pure function of (seed, stream, index): nothing has to be stored to
// go on, or to go back, at any step.

/** The finaliser of MurmurHash3: every bit of the input changes about half the bits of the output. */
function mix(bits: number): number {
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** The low and the high 32 bits of a non-negative integer below 2^53, as one mixed word. */
function fold(integer: number): number {
  return mix(mix(integer >>> 0) + Math.floor(integer / 2 ** 32) + 0x9e3779b9);
}

/**
 * A stream of random numbers addressed by index.
 *
 * ```ts
 * const random = new CounterRandom(7, 0);
 * random.uniform(3) === new CounterRandom(7, 0).uniform(3); // true
 * ```
 */
export class CounterRandom {
  readonly #first: number;
  readonly #second: number;

  /** Streams of one seed are independent of each other. Both are integers from 0 to 2^53 - 1. */
  constructor(seed: number, stream: number) {
    for (const [name, value] of [["seed", seed], ["stream", stream]] as const) {
      if (!Number.isSafeInteger(value) || value < 0) {
        throw new RangeError(`Random ${name} must be an integer from 0 to 2^53 - 1, got ${value}`);
      }
    }
    this.#first = fold(seed) ^ mix(fold(stream));
    this.#second = mix(fold(seed) + fold(stream));
  }

  /** 32 random bits. */
  bits(index: number): number {
    return mix(mix(index + this.#first) ^ this.#second);
  }

  /** A number in [0, 1). */
  uniform(index: number): number {
    return this.bits(index) / 2 ** 32;
  }

  /** An integer in [0, high), for `high` up to 2^20 with a bias below 2^-12. */
  integer(index: number, high: number): number {
    return Math.floor(this.uniform(index) * high);
  }

  /** A random order of 0 .. count - 1 (Fisher-Yates). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, i) => i);
    for (let last = count - 1; last > 0; last--) {
      const other = this.integer(last, last + 1);
      [order[last], order[other]] = [order[other], order[last]];
    }
    return order;
  }
}
