// Whether a larger batch costs more a picture, and more memory than it needs.

import { Device } from "../engine/mod.ts";
import { digits } from "./statistics.ts";
import { StepBench, type StepOptions, type StepReport } from "./steps.ts";
import { mebibytes, table } from "./table.ts";
import type { WorkloadName } from "./workloads.ts";

/** Measures a workload at several batches, each on a device of its own. */
export async function measureScaling(
  name: WorkloadName,
  options: Omit<StepOptions, "batch"> & { batches: readonly number[] },
): Promise<StepReport[]> {
  const reports: StepReport[] = [];
  for (const batch of options.batches) {
    const device = await Device.open();
    reports.push(await new StepBench(name, { ...options, batch }).measure());
    device.destroy();
  }
  return reports;
}

/** Cost and memory a batch, against the first of them and the least that is possible. */
export function formatScaling(reports: readonly StepReport[]): string {
  const each = ({ step_ms, batch }: StepReport): number => step_ms.median / batch;
  const rows = reports.map((report) => [
    String(report.batch),
    digits(report.step_ms.median),
    digits(each(report)),
    digits(each(report) / each(reports[0])),
    mebibytes(report.arena_bytes),
    digits(report.arena_bytes / report.liveness_bytes),
    mebibytes(report.arena_bytes / report.batch),
    mebibytes(report.device_bytes),
  ]);
  const first = reports[0].batch;
  return table([
    "batch",
    "ms a step",
    "ms a picture",
    `of batch ${first}`,
    "arena",
    "of its bound",
    "arena a picture",
    "device",
  ], rows);
}
