// How long a plan takes, and each of its dispatches: the only place where measurements run plans by hand.

import type { Device } from "../engine/mod.ts";
import type { Plan } from "../engine/compile/plan.ts";
import { median } from "./statistics.ts";

/** Nanoseconds of a plan. */
export interface PlanTime {
  readonly total: number;
  /** Of each dispatch; missing where the device's clock is missing or cannot be believed. */
  readonly each?: readonly number[];
}

/** How often a plan is timed. */
export interface Repeats {
  readonly least: number;
  readonly most: number;
  /** Milliseconds after which there are enough. */
  readonly budget: number;
}

const USUAL: Repeats = { least: 3, most: 25, budget: 400 };

/** Medians over a few runs of a plan, after one that warms it up. */
export async function timePlan(
  device: Device,
  plan: Plan,
  repeats: Partial<Repeats> = {},
): Promise<PlanTime> {
  const { budget } = { ...USUAL, ...repeats };
  plan.run();
  await device.idle();
  return await byDeviceClock(device, plan, { ...USUAL, ...repeats }) ??
    { total: await byWallClock(device, plan, { budget }) };
}

async function byDeviceClock(
  device: Device,
  plan: Plan,
  { least, most, budget }: Repeats,
): Promise<PlanTime | undefined> {
  if (!device.features.has("timestamp-query")) return undefined;
  const runs: (readonly number[])[] = [];
  const end = performance.now() + budget;
  while (runs.length < least || (runs.length < most && performance.now() < end)) {
    // A GPU that was idle would start slowly.
    if (!device.adapter.cpu) plan.run();
    const timing = await plan.time();
    if (timing.span > 1.05 * timing.wall) return undefined;
    runs.push(timing.passes);
  }
  const each = plan.dispatches.map((_, at) => median(runs.map((passes) => passes[at])));
  return { total: median(runs.map(sum)), each };
}

/** Of many runs in a row, less what waiting costs by itself. */
async function byWallClock(
  device: Device,
  plan: Plan,
  { budget }: { budget: number },
): Promise<number> {
  const time = async (runs: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < runs; i++) plan.run();
    await device.idle();
    return performance.now() - start;
  };
  const waiting = await time(0);
  for (let runs = 1;; runs *= 2) {
    const ms = await time(runs) - waiting;
    if (ms >= budget) return 1e6 * ms / runs;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
