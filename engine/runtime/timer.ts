// How long passes take, by the device's own clock.

import { type Device, TIMESTAMPS } from "./device.ts";
import { readBuffers } from "./readback.ts";

/** A time stamp is a 64-bit count of nanoseconds. */
const STAMP_BYTES = 8;

/** Measures the passes of one submit. */
export class Timer {
  readonly #device: Device;
  readonly #count: number;
  readonly #stamps: GPUQuerySet;
  readonly #buffer: GPUBuffer;

  /** @throws {Error} where the device has no time stamps. */
  constructor(device: Device, count: number) {
    this.#device = device;
    this.#count = count;
    this.#stamps = device.createTimestamps(count);
    this.#buffer = device.createBuffer(2 * count * STAMP_BYTES, {
      purpose: "time stamps",
      usage: TIMESTAMPS,
    });
  }

  /** What pass `at` writes as it begins and ends. */
  writes(at: number): GPUComputePassTimestampWrites {
    return {
      querySet: this.#stamps,
      beginningOfPassWriteIndex: 2 * at,
      endOfPassWriteIndex: 2 * at + 1,
    };
  }

  /** To be recorded after the passes. */
  resolve(encoder: GPUCommandEncoder): void {
    encoder.resolveQuerySet(this.#stamps, 0, 2 * this.#count, this.#buffer, 0);
  }

  /** Nanoseconds of each pass. Waits for the device; the timer is used up. */
  async read(): Promise<number[]> {
    const [bytes] = await readBuffers(this.#device, [this.#buffer]);
    this.#device.destroyBuffer(this.#buffer);
    this.#stamps.destroy();
    const stamps = new BigUint64Array(bytes);
    return Array.from(
      { length: this.#count },
      (_, at) => Number(stamps[2 * at + 1] - stamps[2 * at]),
    );
  }
}
