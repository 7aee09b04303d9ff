// Whether a larger batch costs more a picture, and more memory than it needs.

import { digits, median, ratios } from "./statistics.ts";
import { StepBench, type StepOptions, type StepReport } from "./steps.ts";
import { mebibytes, table } from "./table.ts";
import type { WorkloadName } from "./workloads.ts";

/** A workload at one batch. */
export interface Scale {
  readonly report: StepReport;
  /** Milliseconds a step in each round. */
  readonly rounds: readonly number[];
}

/** Measures a workload at several batches, in turns. */
export async function measureScaling(
  name: WorkloadName,
  options: Omit<StepOptions, "batch"> & { batches: readonly number[]; rounds: number },
): Promise<Scale[]> {
  const benches = options.batches.map((batch) => new StepBench(name, { ...options, batch }));
  for (const bench of benches) await bench.warmUp();
  const rounds: number[][] = benches.map(() => []);
  for (let round = 0; round < options.rounds; round++) {
    for (const [i, bench] of benches.entries()) rounds[i].push(median(await bench.times()));
  }
  const scales: Scale[] = [];
  for (const [i, bench] of benches.entries()) {
    scales.push({ report: await bench.report(rounds[i]), rounds: rounds[i] });
  }
  return scales;
}

/** Cost and memory a batch, against the first of them and the least that is possible. */
export function formatScaling(scales: readonly Scale[]): string {
  const [first] = scales;
  const each = ({ report, rounds }: Scale): number[] => rounds.map((ms) => ms / report.batch);
  const rows = scales.map((scale) => {
    const { batch, step_ms, arena_bytes, liveness_bytes, device_bytes } = scale.report;
    return [
      String(batch),
      digits(step_ms.median),
      digits(median(each(scale))),
      digits(ratios(each(first), each(scale))!.median),
      mebibytes(arena_bytes),
      digits(arena_bytes / liveness_bytes),
      mebibytes(arena_bytes / batch),
      mebibytes(device_bytes),
    ];
  });
  return table([
    "batch",
    "ms a step",
    "ms a picture",
    `of batch ${first.report.batch}`,
    "arena",
    "of its bound",
    "arena a picture",
    "device",
  ], rows);
}
