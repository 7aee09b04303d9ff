// What JavaScript a replay costs, and what of it is WebGPU's own. Measured from outside: the engine knows nothing of it.

import { median, thousandths } from "./statistics.ts";

/** Milliseconds of JavaScript's thread in a replay, part by part. */
export interface ReplayTime {
  /** Calling WebGPU for each dispatch. */
  readonly record: number;
  /** What WebGPU makes of that when the commands are finished: it checks them, and hands them to the driver. */
  readonly finish: number;
  /** Until the driver has taken them; a driver that computes on the same cores may begin before. */
  readonly submit: number;
}

/** Times what `call` costs JavaScript's thread, by this machine's clock. */
export function timeReplay<R>(call: () => R): { readonly result: R; readonly time: ReplayTime } {
  const inFinish = new Elapsed(), inSubmit = new Elapsed();
  const encoder = GPUCommandEncoder.prototype, queue = GPUQueue.prototype;
  const { finish } = encoder, { submit } = queue;
  encoder.finish = function (...args) {
    return inFinish.time(() => finish.apply(this, args));
  };
  queue.submit = function (...args) {
    return inSubmit.time(() => submit.apply(this, args));
  };
  const all = new Elapsed();
  try {
    const result = all.time(call);
    const record = all.total - inFinish.total - inSubmit.total;
    return { result, time: { record, finish: inFinish.total, submit: inSubmit.total } };
  } finally {
    Object.assign(encoder, { finish });
    Object.assign(queue, { submit });
  }
}

/** The middle of each part of some replays, and of all together. */
export function summarize(
  times: readonly ReplayTime[],
): { readonly total: number; readonly parts: ReplayTime } {
  const middle = (of: (time: ReplayTime) => number): number => thousandths(median(times.map(of)));
  return {
    total: middle(({ record, finish, submit }) => record + finish + submit),
    parts: {
      record: middle(({ record }) => record),
      finish: middle(({ finish }) => finish),
      submit: middle(({ submit }) => submit),
    },
  };
}

class Elapsed {
  total = 0;

  time<R>(call: () => R): R {
    const start = performance.now();
    try {
      return call();
    } finally {
      this.total += performance.now() - start;
    }
  }
}
