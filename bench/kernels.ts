// Every op of the workloads that has kernels of its own, by itself.

import { Device, type Precision, type Tensor } from "../engine/mod.ts";
import { kernelOps, onNoise, timeAlone } from "./alone.ts";
import type { Ceilings } from "./ceilings.ts";
import { digits } from "./statistics.ts";
import { percent, table } from "./table.ts";
import type { WorkloadName } from "./workloads.ts";

/** What one op took, and its dispatches. */
export interface KernelTime {
  readonly name: string;
  readonly ms: number;
  readonly gflops: number;
  readonly gigabytes: number;
  readonly dispatches: readonly { readonly variant: string; readonly ms?: number }[];
}

/** Measures the ops of workloads whose name contains `filter`. */
export async function measureKernels(
  names: readonly { readonly workload: WorkloadName; readonly batch: number }[],
  options: {
    filter: string;
    each: boolean;
    variant?: string;
    precision?: Precision;
    progress: (line: string) => void;
  },
): Promise<KernelTime[]> {
  const ops = new Map<string, Tensor>();
  for (const { workload, batch } of names) {
    for (const node of kernelOps(workload, batch)) {
      const name = opName(node);
      if (name.includes(options.filter) && !ops.has(name)) ops.set(name, node);
    }
  }
  const times: KernelTime[] = [];
  for (const [name, node] of ops) {
    const { time, flops, read, written, dispatches } = await timeAlone(
      Device.default,
      onNoise(node),
      options,
    );
    options.progress(`${name}: ${digits(time.total / 1e6)} ms`);
    times.push({
      name,
      ms: time.total / 1e6,
      gflops: flops / time.total,
      gigabytes: (read + written) / time.total,
      dispatches: dispatches.map(({ variant }, i) => ({
        variant,
        ms: time.each && time.each[i] / 1e6,
      })),
    });
  }
  return times;
}

/** The op with the shapes of its operands, and what else tells it from others of the same shapes. */
function opName({ op, inputs, shape, attributes }: Tensor): string {
  const { geometry, transposeA, transposeB } = attributes;
  const operands = inputs.map((input, i) =>
    `[${input.shape.join("x")}]${[transposeA, transposeB][i] ? "T" : ""}`
  );
  const stride = geometry && geometry.stride[0] > 1 ? ` stride ${geometry.stride[0]}` : "";
  return `${op.name}${stride} ${operands.join(" ")} -> [${shape.join("x")}]`;
}

/** Ops as a table, with a line for each dispatch if asked for. */
export function formatKernels(
  kernels: readonly KernelTime[],
  { product, copy }: Ceilings,
  options: { each: boolean },
): string {
  const rows = kernels.flatMap(({ name, ms, gflops, gigabytes, dispatches }) => [
    [
      name,
      digits(ms),
      gflops === 0 ? "" : digits(gflops),
      gflops === 0 ? "" : percent(gflops / product.rate),
      digits(gigabytes),
      percent(gigabytes / copy.rate),
    ],
    ...dispatches.filter(() => options.each).map((
      { variant, ms },
    ) => [`  ${variant}`, ms === undefined ? "" : digits(ms), "", "", "", ""]),
  ]);
  return table(["op", "ms", "GFLOP/s", "of roof", "GB/s", "of roof"], rows);
}
