// How long plans take, by the device's clock where it can be trusted, else by this machine's.

import type { Plan } from "../compile/plan.ts";
import type { Device } from "../runtime/device.ts";

/** What a {@linkcode Stopwatch} measures; a {@linkcode Plan}, for one. */
export type Measured = Pick<Plan, "measure">;

/** A clock: what one reading may be off by, and how long something must last to be measured by it. */
interface Clock {
  readonly doubt: number;
  readonly lasts: number;
}

const DEVICE: Clock = { doubt: 2e-4, lasts: 0.01 };
/** Deno waits for a device in steps of 10 ms. */
const MACHINE: Clock = { doubt: 0.01, lasts: 0.1 };
const MOST_REPEATS = 500;

/** Times plans on one device, in seconds. */
export class Stopwatch {
  readonly #waiting: number;
  readonly #warm: () => void;
  /** Undefined until the two were compared, by the first plan that is timed. */
  #clock: Clock | undefined;

  /**
   * @param waiting what a wait for no work takes.
   * @param options.warm enqueues other work, to be done before what is measured. Only where the device's clock is
   * trusted, for the other one would count it in.
   */
  constructor(waiting: number, options: { warm?: () => void } = {}) {
    this.#waiting = waiting;
    this.#warm = options.warm ?? (() => {});
  }

  /** A stopwatch for a device. */
  static async for(device: Device, options: { warm?: () => void } = {}): Promise<Stopwatch> {
    const waits: number[] = [];
    for (let i = 0; i < 3; i++) {
      const begin = performance.now();
      device.queue.submit([device.encoder().finish()]);
      await device.idle();
      waits.push((performance.now() - begin) / 1e3);
    }
    return new Stopwatch(Math.min(...waits), options);
  }

  /** What a plan's run takes at least, or a `share` of its run, once. */
  async atLeast(plan: Measured, options: { share?: number } = {}): Promise<number> {
    const clock = this.#clock ?? MACHINE;
    return Math.max(
      0,
      this.#read(await this.#measure(plan, { ...options, clock }), clock) - clock.doubt,
    );
  }

  /**
   * What a plan's run takes: of so many runs, or of more where these are too few for the clock. Returns how
   * many it were, to begin with next time.
   */
  async time(
    plan: Measured,
    options: { repeats: number },
  ): Promise<{ seconds: number; repeats: number }> {
    const clock = this.#clock ??= await this.#compare(plan);
    const { seconds, repeats } = await this.#stretch(plan, { ...options, clock });
    return { seconds: seconds / repeats, repeats };
  }

  /** Trusts the device's clock where it agrees with this machine's over some work. */
  async #compare(plan: Measured): Promise<Clock> {
    const { seconds, reading } = await this.#stretch(plan, { repeats: 1, clock: MACHINE });
    const { wall, device = 0 } = reading;
    return device > 0.5 * seconds && device < 1.1 * wall ? DEVICE : MACHINE;
  }

  /** Runs a plan more and more often, until it lasts long enough for a clock. */
  async #stretch(plan: Measured, options: { repeats: number; clock: Clock }) {
    const { clock } = options;
    for (let { repeats } = options;;) {
      const reading = await this.#measure(plan, { repeats, clock });
      const seconds = this.#read(reading, clock);
      if (seconds >= 0.7 * clock.lasts || repeats === MOST_REPEATS) {
        return { seconds, repeats, reading };
      }
      const wanted = Math.ceil(repeats * clock.lasts / Math.max(seconds, clock.doubt));
      repeats = Math.min(wanted, MOST_REPEATS);
    }
  }

  #measure(plan: Measured, options: { repeats?: number; share?: number; clock: Clock }) {
    if (options.clock === DEVICE) this.#warm();
    return plan.measure(options);
  }

  #read({ wall, device }: { wall: number; device?: number }, clock: Clock): number {
    return clock === DEVICE ? device! : Math.max(0, wall - this.#waiting);
  }
}
