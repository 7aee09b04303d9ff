// Where the time of a workload's step goes, kernel by kernel, against what the adapter can do.

import { Device } from "../engine/mod.ts";
import { allSlots, type Dispatch } from "../engine/kernels/dispatch.ts";
import { type Ceilings, measureCeilings } from "./ceilings.ts";
import { timePlan } from "./clock.ts";
import { digits } from "./statistics.ts";
import { StepBench, type StepOptions } from "./steps.ts";
import { percent, table } from "./table.ts";
import type { WorkloadName } from "./workloads.ts";

/** Dispatches of a step that do the same. */
export interface KernelRow {
  readonly kernel: string;
  readonly variant: string;
  readonly shape: string;
  readonly count: number;
  /** Of all of them together. */
  readonly ms: number;
  /** Of the time of all kernels. */
  readonly share: number;
  /** 10^9 operations a second, counted as the direct form needs them. */
  readonly gflops: number;
  /** 10^9 bytes a second, all that is bound counted once. */
  readonly gigabytes: number;
}

/** The kernels of a step, the longest first. */
export interface Roofline {
  readonly workload: WorkloadName;
  readonly batch: number;
  readonly device: string;
  readonly ceilings: Ceilings;
  /** A whole step, as `deno task bench` measures it. */
  readonly step_ms: number;
  /** JavaScript of a replay. */
  readonly replay_js_ms: number;
  /** All kernels of a step. */
  readonly kernels_ms: number;
  readonly kernels: readonly KernelRow[];
}

/** Measures a workload's kernels in the order in which the step runs them. */
export async function measureRoofline(name: WorkloadName, options: StepOptions): Promise<Roofline> {
  const device = Device.default;
  const bench = new StepBench(name, options);
  const { step_ms, replay_js_ms } = await bench.measure();
  const { plan } = bench;
  const { each, total } = await timePlan(device, plan, { each: true });
  if (each === undefined) {
    throw new Error(
      `Cannot time kernels one by one: the clock of ${device.adapter.name} is missing, or runs too fast`,
    );
  }
  return {
    workload: name,
    batch: options.batch,
    device: device.adapter.name,
    ceilings: await measureCeilings(device),
    step_ms: step_ms.median,
    replay_js_ms,
    kernels_ms: total / 1e6,
    kernels: groupKernels(
      plan.dispatches.filter(isAlways),
      each.filter((_, at) => isAlways(plan.dispatches[at])),
    ),
  };
}

/** Whether a dispatch is part of each step, and not only of those before which variables changed. */
const isAlways = ({ constant }: Dispatch): boolean => !constant;

/** Puts together dispatches that do the same; `times` are in nanoseconds. */
export function groupKernels(
  dispatches: readonly Dispatch[],
  times: readonly number[],
): KernelRow[] {
  const groups = new Map<string, { dispatch: Dispatch; count: number; time: number }>();
  dispatches.forEach((dispatch, at) => {
    const key = `${dispatch.kernel} ${dispatch.variant} ${dispatch.shape}`;
    const { count, time } = groups.get(key) ?? { count: 0, time: 0 };
    groups.set(key, { dispatch, count: count + 1, time: time + times[at] });
  });
  const total = times.reduce((a, b) => a + b, 0);
  const rate = (amount: number, time: number): number => time === 0 ? 0 : amount / time;
  return [...groups.values()].sort((a, b) => b.time - a.time).map(({ dispatch, count, time }) => {
    const { kernel, variant, shape, flops } = dispatch;
    const bytes = allSlots(dispatch).reduce((sum, slot) => sum + slot.bytes, 0);
    return {
      ...{ kernel, variant, shape, count },
      ms: time / 1e6,
      share: rate(time, total),
      gflops: rate(count * flops, time),
      gigabytes: rate(count * bytes, time),
    };
  });
}

/** The longest kernels as a table, with what is left out in a last line. */
export function formatRoofline(roofline: Roofline, options: { rows: number }): string {
  const { workload, batch, kernels, ceilings: { product, copy } } = roofline;
  const { step_ms, replay_js_ms, kernels_ms } = roofline;
  const shown = kernels.slice(0, options.rows), rest = kernels.slice(options.rows);
  const rows = shown.map((row) => [
    `${row.kernel} ${row.shape} [${row.variant}]`,
    String(row.count),
    digits(row.ms),
    percent(row.share),
    row.gflops === 0 ? "" : digits(row.gflops),
    row.gflops === 0 ? "" : percent(row.gflops / product.rate),
    digits(row.gigabytes),
    percent(row.gigabytes / copy.rate),
  ]);
  const heading = ["kernel", "count", "ms", "share", "GFLOP/s", "of roof", "GB/s", "of roof"];
  const left = rest.reduce((sum, row) => sum + row.ms, 0);
  return [
    `${workload}, batch ${batch}: ${digits(step_ms)} ms a step, ${
      digits(kernels_ms)
    } ms in its kernels, ` +
    `${digits(replay_js_ms)} ms of JavaScript`,
    formatCeilings(roofline.ceilings),
    table(heading, rows),
    ...(rest.length > 0 ? [`and ${rest.length} more kinds, ${digits(left)} ms`] : []),
  ].join("\n");
}

/** Both ceilings in a line. */
export function formatCeilings({ product, copy }: Ceilings): string {
  return `Roof: ${digits(product.rate)} GFLOP/s by the best matrix product (${product.by}), ` +
    `${digits(copy.rate)} GB/s by the best copy (${copy.by})`;
}
