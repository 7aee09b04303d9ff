// Measures which variant of each kernel is the fastest on a device.

import type { KernelSite } from "../compile/lower.ts";
import { targetOf } from "../compile/plan.ts";
import { dispatchesOf, isolate } from "../compile/sites.ts";
import { Device } from "../runtime/device.ts";
import { CannotRunError, contest } from "./contest.ts";
import { TestBench } from "./test_bench.ts";
import { Stopwatch } from "./stopwatch.ts";
import { Warmth } from "./warmth.ts";
import { fingerprintOf, siteKey, type TuningEntry, type TuningTable } from "./table.ts";

/** How to tune. */
export interface TuneOptions {
  /** The default device where left out. */
  readonly device?: Device;
  /** What earlier calls measured on this adapter: what still holds is not measured again. */
  readonly known?: TuningTable;
  /**
   * Seconds to measure for. A kernel that is in hand then goes by what was seen of it, which is not kept, and
   * those that are left go by the static guess. By default there is no end.
   */
  readonly budget?: number;
  /** Told how many of those that are not known have been measured: at the start, and after each. */
  readonly onProgress?: (measured: number, total: number) => void;
  /** Told in a sentence of variants that cannot run, or that compute something else. */
  readonly onMessage?: (message: string) => void;
  /** Given the table each time that it has grown, so that a run that is ended loses nothing. */
  readonly onMeasured?: (table: TuningTable) => void | Promise<void>;
  /** A clock in seconds, for tests. */
  readonly now?: () => number;
}

/** What {@linkcode tune} did about one kernel family on one shape. */
export interface TunedKernel {
  /** The kernel family. */
  readonly family: string;
  /** Its geometry in one line. */
  readonly shape: string;
  /** What runs without tuning. */
  readonly guess: string;
  /** What runs now. */
  readonly choice: string;
  /** Seconds a run of each variant that was measured; empty where none was. */
  readonly seconds: Readonly<Record<string, number>>;
  /** Whether it was measured now, known from before, or left to the static guess. */
  readonly source: "measured" | "known" | "guess";
}

/** What {@linkcode tune} found. */
export interface TuneResult {
  /** Every kernel that there is a choice for, the most work first. */
  readonly kernels: readonly TunedKernel[];
  /** What was known, and what was measured now. */
  readonly table: TuningTable;
}

/**
 * Chooses the variant of each kernel by measuring them on the device. Functions that are called for the first
 * time afterwards run what was chosen.
 *
 * Every variant is run on the same random numbers, and one that computes something else than the static guess
 * is never chosen.
 *
 * @param sites what {@linkcode Compiled.sites} of the compiled functions gave, in one list.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { compile, Device, matmul, tensor, tune } from "../mod.ts";
 * await Device.open();
 * const square = compile((x) => matmul(x, x));
 * const x = tensor(new Float32Array(64 * 64), [64, 64]);
 * const { kernels, table } = await tune(square.sites(x));
 * assertEquals(kernels.map(({ family }) => family), ["matmul"]);
 * JSON.stringify(table); // To be given to the next start as `known`.
 * square(x);
 * ```
 */
export async function tune(
  sites: readonly KernelSite[],
  options: TuneOptions = {},
): Promise<TuneResult> {
  const { device = Device.default, known = {}, budget = Infinity } = options;
  const { onProgress = () => {}, onMessage = () => {}, onMeasured = () => {} } = options;
  const { now = () => performance.now() / 1000 } = options;
  const end = now() + budget, late = () => now() >= end;
  const target = targetOf(device);

  const work = distinct(
    sites,
    (site) =>
      dispatchesOf(isolate(site).program, target).reduce((sum, { flops }) => sum + flops, 0),
  );
  const fingerprints = await Promise.all(work.map((site) => fingerprintOf(site, target)));
  const holds = (at: number): boolean => {
    const entry = known[siteKey(work[at])];
    return entry?.fingerprint === fingerprints[at] && work[at].candidates.includes(entry.choice);
  };
  const total = work.filter((_, at) => !holds(at)).length;

  const table: Record<string, TuningEntry> = { ...known };
  const kernels: TunedKernel[] = [];
  if (total > 0) onProgress(0, total);
  let measured = 0, clock: Clock | undefined;
  try {
    for (const [at, site] of work.entries()) {
      const { family, shape, candidates } = site, key = siteKey(site);
      const isKnown = holds(at);
      let entry: TuningEntry | undefined = isKnown ? known[key] : undefined;
      if (!isKnown && !late()) {
        clock ??= await openClock(device);
        const outcome = await measure(site, {
          device,
          ...clock,
          late,
          onMessage: (message) => onMessage(`${key}: ${message}`),
        });
        if (outcome) {
          const { choice, seconds, complete } = outcome;
          entry = { fingerprint: fingerprints[at], choice, seconds };
          if (complete) {
            table[key] = entry;
            await onMeasured(table);
          }
          onProgress(++measured, total);
        }
      }
      device.variants.set(site, entry?.choice);
      kernels.push({
        family,
        shape,
        guess: candidates[0],
        choice: entry?.choice ?? candidates[0],
        seconds: entry?.seconds ?? {},
        source: isKnown ? "known" : entry ? "measured" : "guess",
      });
    }
  } finally {
    clock?.warmth.close();
  }
  return { kernels, table };
}

/** What measurements need of a device: to be told the time, at the speed that it works at. */
interface Clock {
  readonly stopwatch: Stopwatch;
  readonly warmth: Warmth;
}

/** Seconds of work before each measurement: waiting for the one before took as long. */
const WARM_BEFORE = 0.01;

async function openClock(device: Device): Promise<Clock> {
  const warmth = new Warmth(device);
  await warmth.reach();
  const stopwatch = await Stopwatch.for(device, { warm: () => warmth.fill(WARM_BEFORE) });
  return { warmth, stopwatch };
}

/** Sites that differ, with how much work all of each kind are, the most first. */
function distinct(
  sites: readonly KernelSite[],
  flopsOf: (site: KernelSite) => number,
): KernelSite[] {
  const kinds = new Map<string, { site: KernelSite; flops: number; count: number }>();
  for (const site of sites) {
    const kind = kinds.get(siteKey(site)) ?? { site, flops: flopsOf(site), count: 0 };
    kind.count++;
    kinds.set(siteKey(site), kind);
  }
  return [...kinds.values()].sort((a, b) => b.count * b.flops - a.count * a.flops)
    .map(({ site }) => site);
}

async function measure(
  site: KernelSite,
  options: Clock & {
    device: Device;
    late: () => boolean;
    onMessage: (message: string) => void;
  },
): ReturnType<typeof contest> {
  let bench: TestBench | undefined;
  try {
    bench = await TestBench.open(site, options);
    return await contest(bench.entries(), options);
  } catch (error) {
    if (!(error instanceof CannotRunError)) throw error;
    options.onMessage(`It cannot be measured: ${error.message}`);
    return undefined;
  } finally {
    bench?.close();
  }
}
