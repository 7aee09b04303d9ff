import { Device } from "../engine/mod.ts";

/** Work may pile up on the device for about this long. */
const AHEAD_MS = 500;
/** Signals and timers are heard at least this often. */
const BREATH_MS = 20;

/**
 * Keeps the device busy, yet not so far behind that a stop is heard late: steps are enqueued without
 * waiting, and every half second (or every step, where one takes longer) they are waited for.
 */
export class Pace {
  #enqueued = 0;
  #ahead = 1;
  #waitedAt: number = performance.now();
  #breathedAt: number = performance.now();

  /** To be called after each step. */
  async step(): Promise<void> {
    if (++this.#enqueued >= this.#ahead) {
      await Device.default.idle();
      const now = performance.now();
      const each = (now - this.#waitedAt) / this.#enqueued;
      this.#ahead = Math.max(1, Math.round(AHEAD_MS / each));
      this.#enqueued = 0;
      this.#waitedAt = now;
    }
    if (performance.now() - this.#breathedAt < BREATH_MS) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    this.#breathedAt = performance.now();
  }
}
