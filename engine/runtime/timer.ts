// How long passes take: by the device's own clock, or by this machine's, each less what an empty pass takes.

import { type Device, TIMESTAMPS } from "./device.ts";
import { readBuffers } from "./readback.ts";

/** A time stamp is a 64-bit count of nanoseconds. */
const STAMP_BYTES = 8;
/** Passes that do nothing, before those that are measured. */
const EMPTY_PASSES = 9;
const EMPTY = "@compute @workgroup_size(1) fn main() {}";

/** What a {@linkcode Timer} measured, in nanoseconds. */
export interface Timing {
  /** Each pass, less what an empty one takes. */
  readonly passes: readonly number[];
  /** What an empty pass takes: the median of a few. */
  readonly overhead: number;
  /** From the beginning of the first pass to the end of the last, by the device's clock. */
  readonly span: number;
  /** From the submit until the stamps were read, by this machine's clock; waiting takes some of it. */
  readonly wall: number;
}

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
    const passes = EMPTY_PASSES + count;
    this.#stamps = device.createTimestamps(passes);
    this.#buffer = device.createBuffer(2 * passes * STAMP_BYTES, {
      purpose: "time stamps",
      usage: TIMESTAMPS,
    });
  }

  /** Records the passes: empty ones, and then those that `record` fills. */
  record(
    encoder: GPUCommandEncoder,
    record: (pass: GPUComputePassEncoder, at: number) => void,
  ): void {
    const doNothing = emptyDispatch(this.#device);
    for (let at = -EMPTY_PASSES; at < this.#count; at++) {
      const first = 2 * (at + EMPTY_PASSES);
      const pass = encoder.beginComputePass({
        timestampWrites: {
          querySet: this.#stamps,
          beginningOfPassWriteIndex: first,
          endOfPassWriteIndex: first + 1,
        },
      });
      if (at >= 0) record(pass, at);
      else doNothing(pass);
      pass.end();
    }
    encoder.resolveQuerySet(this.#stamps, 0, 2 * (EMPTY_PASSES + this.#count), this.#buffer, 0);
  }

  /** Submits what was recorded and waits for it. The timer is used up. */
  async run(encoder: GPUCommandEncoder): Promise<Timing> {
    const begin = performance.now();
    this.#device.queue.submit([encoder.finish()]);
    const stamps = await this.#read();
    const end = performance.now();

    const lengths = Array.from(
      { length: EMPTY_PASSES + this.#count },
      (_, at) => Number(stamps[2 * at + 1] - stamps[2 * at]),
    );
    const empty = lengths.splice(0, EMPTY_PASSES).sort((a, b) => a - b);
    const overhead = empty[EMPTY_PASSES >> 1];
    return {
      passes: lengths.map((length) => Math.max(0, length - overhead)),
      overhead,
      span: Number(stamps[stamps.length - 1] - stamps[2 * EMPTY_PASSES]),
      wall: (end - begin) * 1e6,
    };
  }

  async #read(): Promise<BigUint64Array> {
    try {
      const [bytes] = await readBuffers(this.#device, [this.#buffer]);
      return new BigUint64Array(bytes);
    } finally {
      this.#device.destroyBuffer(this.#buffer);
      this.#stamps.destroy();
    }
  }
}

/** Whether asking a queue when its work is done waits for it within the call, as it does in Deno. */
export const waitsInCall: boolean = globalThis.navigator?.userAgent?.startsWith("Deno/") ?? false;

/**
 * Measures passes one after another, each submitted and waited for by itself: for adapters that are CPUs,
 * whose time stamps are taken in another thread than the work is done in. All is done within the call;
 * only for platforms where {@linkcode waitsInCall} is true.
 */
export function timeApart(
  device: Device,
  passes: number,
  record: (pass: GPUComputePassEncoder, at: number) => void,
): Promise<Timing> {
  const begin = performance.now();
  const doNothing = emptyDispatch(device);
  const lengths: number[] = [], waits: Promise<void>[] = [];
  for (let at = -EMPTY_PASSES; at < passes; at++) {
    const encoder = device.encoder();
    const pass = encoder.beginComputePass();
    if (at >= 0) record(pass, at);
    else doNothing(pass);
    pass.end();
    const commands = [encoder.finish()];
    const start = performance.now();
    device.queue.submit(commands);
    waits.push(device.queue.onSubmittedWorkDone());
    lengths.push((performance.now() - start) * 1e6);
  }
  const wall = (performance.now() - begin) * 1e6;
  const [overhead] = lengths.splice(0, EMPTY_PASSES).sort((a, b) => a - b).slice(EMPTY_PASSES >> 1);
  return Promise.all(waits).then(() => ({
    passes: lengths.map((length) => Math.max(0, length - overhead)),
    overhead,
    span: lengths.reduce((sum, length) => sum + length, 0),
    wall,
  }));
}

/** What a pass is filled with that does nothing. */
function emptyDispatch(device: Device): (pass: GPUComputePassEncoder) => void {
  const pipeline = device.pipeline(EMPTY, { label: "empty", kinds: [] });
  const bindings = device.bindGroup([], { label: "empty", kinds: [] });
  return (pass) => {
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindings);
    pass.dispatchWorkgroups(1);
  };
}
