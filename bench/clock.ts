// How long a plan takes, and each of its dispatches: the only place where measurements run plans by hand.

import type { Device } from "../engine/mod.ts";
import type { Plan } from "../engine/compile/plan.ts";
import { Warmth } from "../engine/tuning/warmth.ts";
import { median } from "./statistics.ts";

/** Nanoseconds of a plan. */
export interface PlanTime {
  /** Of a run where no variable changed. */
  readonly total: number;
  /**
   * Of each dispatch, those that run only where variables changed included; missing where the device's clock is
   * missing or cannot be believed.
   */
  readonly each?: readonly number[];
}

/** How a plan is timed. */
export interface Timekeeping {
  /** Whether the time of each dispatch is wanted, too. */
  readonly each?: boolean;
  /** Milliseconds after which there are enough runs. */
  readonly budget?: number;
}

/** Runs that the device's clock takes, at least and at most. */
const LEAST = 3;
const MOST = 25;

/**
 * Times some runs of a plan, after one that warms it up: by the device's clock on a GPU. llvmpipe takes its time
 * stamps in another thread than it computes in, late where the cores are busy: on a CPU the total is this
 * machine's clock's, over many runs in a row.
 */
export async function timePlan(
  device: Device,
  plan: Plan,
  { each = false, budget = 400 }: Timekeeping = {},
): Promise<PlanTime> {
  plan.run();
  await device.idle();
  await warmUp(device);
  const { cpu } = device.adapter;
  const stamped = cpu && !each ? undefined : await byDeviceClock(device, plan, budget);
  if (stamped !== undefined && !cpu) return stamped;
  return { total: await byWallClock(device, plan, budget), each: stamped?.each };
}

/** Has a GPU work until its clock is up. */
export async function warmUp(device: Device): Promise<void> {
  await warmthOf(device).reach();
}

/** One for each device, for as long as there is the device. */
const warmths = new WeakMap<Device, Warmth>();

function warmthOf(device: Device): Warmth {
  const warmth = warmths.get(device) ?? new Warmth(device);
  warmths.set(device, warmth);
  return warmth;
}

async function byDeviceClock(
  device: Device,
  plan: Plan,
  budget: number,
): Promise<PlanTime | undefined> {
  if (!device.features.has("timestamp-query")) return undefined;
  const runs: (readonly number[])[] = [];
  const end = performance.now() + budget;
  while (runs.length < LEAST || (runs.length < MOST && performance.now() < end)) {
    warmthOf(device).fill(0.01);
    plan.run(); // What is in caches then is what would be in a row of steps.
    const timing = await plan.time();
    if (timing.span > 1.05 * timing.wall) return undefined;
    runs.push(timing.passes);
  }
  const each = plan.dispatches.map((_, at) => median(runs.map((passes) => passes[at])));
  const always = (passes: readonly number[]): readonly number[] =>
    passes.filter((_, at) => !plan.dispatches[at].constant);
  return { total: median(runs.map((passes) => sum(always(passes)))), each };
}

/** Of runs in a row, less what waiting costs by itself. */
async function byWallClock(device: Device, plan: Plan, budget: number): Promise<number> {
  const time = async (runs: number): Promise<number> => {
    const start = performance.now();
    for (let i = 0; i < runs; i++) plan.run();
    await device.idle();
    return performance.now() - start;
  };
  const waiting = Math.min(await time(0), await time(0), await time(0));
  for (let runs = 1;; runs *= 2) {
    const ms = await time(runs) - waiting;
    if (ms >= budget) return 1e6 * ms / runs;
  }
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
