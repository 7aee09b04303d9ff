// Keeps a GPU as fast as work keeps it: between measurements, while shaders are compiled, it would slow down its
// clock, by a factor of six at worst (an H200, from 1980 to 345 MHz), and take a while to come back.

import { Plan } from "../compile/plan.ts";
import type { LeafOp } from "../op.ts";
import { matmul } from "../ops/mod.ts";
import type { Device } from "../runtime/device.ts";
import { Tensor } from "../tensor.ts";

/** What is multiplied. */
const operandOp: LeafOp = { name: "operand", kind: "leaf" };

/** The side of the square matrices whose product is the work: half a millisecond's on a fast GPU. */
const SIDE = 2048;
/** Seconds of work between two looks at how fast it was. */
const STRETCH = 0.03;
/** Warm is what was at most so much slower than it was at best, so many times in a row. */
const WITHIN = 1.03, TIMES = 3;
/** Seconds after which it is as warm as it gets. */
const MOST = 1.5;

/** A device's warmth. A CPU adapter needs none: there, nothing is run. */
export class Warmth {
  readonly #device: Device;
  readonly #plan: Plan | undefined;
  readonly #operand: GPUBuffer | undefined;
  /** Seconds of a run, when it was last looked at. */
  #seconds = 0.01;

  /**
   * Nothing is run yet.
   *
   * @param options.needed whether the device has such a clock: a GPU has.
   * @param options.side of the matrices.
   */
  constructor(device: Device, options: { needed?: boolean; side?: number } = {}) {
    const { needed = !device.adapter.cpu, side = SIDE } = options;
    this.#device = device;
    if (!needed) return;
    const operand = new Tensor(operandOp, [], {}, [side, side], "f32");
    this.#operand = device.createBuffer(4 * operand.size, { purpose: "keeping a GPU warm" });
    // Zeros would be multiplied faster.
    const noise = Float32Array.from({ length: operand.size }, (_, i) => i * 0.618 % 2 - 1);
    device.upload(this.#operand, noise);
    const program = {
      name: "keeping a GPU warm",
      outputs: [matmul(operand, operand)],
      assignments: new Map(),
    };
    this.#plan = new Plan(device, program, {
      bound: new Map([[operand, this.#operand]]),
      audit: false,
    });
  }

  /** Works until the clock is up. */
  async reach(): Promise<void> {
    const plan = this.#plan;
    if (plan === undefined) return;
    const end = performance.now() + 1e3 * MOST;
    let best = Infinity, warm = 0;
    while (warm < TIMES && performance.now() < end) {
      const repeats = Math.ceil(STRETCH / this.#seconds);
      const { wall, device = wall } = await plan.measure({ repeats });
      this.#seconds = Math.max(device / repeats, 1e-6);
      warm = this.#seconds <= WITHIN * best ? warm + 1 : 0;
      best = Math.min(best, this.#seconds);
    }
  }

  /** Has the device work for so many seconds while other things are prepared; does not wait. */
  fill(seconds: number): void {
    const runs = this.#plan ? Math.ceil(seconds / this.#seconds) : 0;
    for (let i = 0; i < runs; i++) this.#plan!.run();
  }

  /** Gives its memory back. */
  close(): void {
    this.#plan?.destroy();
    if (this.#operand) this.#device.destroyBuffer(this.#operand);
  }
}
