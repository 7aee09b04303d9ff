// How long plans take, by the device's clock where it can be trusted, else by this machine's.

import type { Plan } from "../compile/plan.ts";
import type { Device } from "../runtime/device.ts";

/** What a {@linkcode Stopwatch} measures; a {@linkcode Plan}, for one. */
export type Measured = Pick<Plan, "measure">;

/** Clocks are compared over at least so many seconds, which one wait for a result is little beside. */
const COMPARED = 0.06;
/** A measurement lasts about so long: a device's clock counts nanoseconds, waiting has steps of 10 ms. */
const LASTS = { device: 0.01, wall: 0.1 };
const MOST_REPEATS = 500;

/** Times plans on one device. */
export class Stopwatch {
  readonly #waiting: number;
  /** Undefined until the first plan has been timed. */
  #trusted: boolean | undefined;

  /** @param waiting seconds that a wait for no work takes. */
  constructor(waiting: number) {
    this.#waiting = waiting;
  }

  /** A stopwatch for a device. */
  static async for(device: Device): Promise<Stopwatch> {
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      const begin = performance.now();
      device.queue.submit([device.encoder().finish()]);
      await device.idle();
      waits.push((performance.now() - begin) / 1e3);
    }
    return new Stopwatch(Math.min(...waits));
  }

  /** Seconds that a `share` of a plan's work takes, once; a plan's first run may compile it. */
  async glance(plan: Measured, options: { share: number }): Promise<number> {
    const { wall, device } = await plan.measure(options);
    return this.#trusted && device !== undefined ? device : this.#withoutWait(wall);
  }

  /** Seconds a run of a plan, of enough runs for the clock where one of them takes about `once`. */
  async time(plan: Measured, { once }: { once: number }): Promise<number> {
    if (this.#trusted === undefined) await this.#compareClocks(plan, once);
    const lasts = this.#trusted ? LASTS.device : LASTS.wall;
    const repeats = Math.min(Math.ceil(lasts / once), MOST_REPEATS);
    const { wall, device } = await plan.measure({ repeats });
    return (this.#trusted ? device! : this.#withoutWait(wall)) / repeats;
  }

  /** Trusts the device's clock where it agrees with this machine's. */
  async #compareClocks(plan: Measured, once: number): Promise<void> {
    let repeats = Math.ceil(COMPARED / once);
    for (;;) {
      repeats = Math.min(repeats, MOST_REPEATS);
      const { wall, device } = await plan.measure({ repeats });
      const worked = this.#withoutWait(wall);
      if (worked < COMPARED / 2 && repeats < MOST_REPEATS) {
        repeats *= 4; // `once` was mostly waiting.
        continue;
      }
      this.#trusted = device !== undefined && device < 1.1 * wall && device > 0.5 * worked;
      return;
    }
  }

  /** What waiting leaves, but not nothing: a plan that is faster than a wait has to be repeated. */
  #withoutWait(wall: number): number {
    return Math.max(wall - this.#waiting, 1e-4);
  }
}
