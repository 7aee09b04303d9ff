// Plans as tables for people: what KAO_DEBUG=plan and KAO_DEBUG=profile print.

import type { Dispatch } from "../kernels/dispatch.ts";
import type { Plan } from "./plan.ts";

/** The dispatches of a plan in order. */
export function formatPlan(name: string, plan: Plan): string {
  const rows = plan.dispatches.map((dispatch, at) =>
    `${String(at).padStart(4)}  ${dispatch.kernel.padEnd(16)} ${dispatch.shape.padEnd(28)} ` +
    `${dispatch.workgroups.join("x").padEnd(12)} ${fixed(dispatch.flops / 1e6, 9)} MFLOP  ` +
    dispatch.variant
  );
  return [heading(name, plan), ...rows].join("\n");
}

/** Dispatches that do the same, with the time they took together, the longest first. */
export function formatProfile(name: string, plan: Plan, nanoseconds: readonly number[]): string {
  const rows = new Map<string, { dispatch: Dispatch; count: number; time: number }>();
  plan.dispatches.forEach((dispatch, at) => {
    const key = `${dispatch.kernel} ${dispatch.variant} ${dispatch.shape}`;
    const row = rows.get(key) ?? { dispatch, count: 0, time: 0 };
    rows.set(key, { dispatch, count: row.count + 1, time: row.time + nanoseconds[at] });
  });
  const total = nanoseconds.reduce((sum, time) => sum + time, 0);
  const lines = [...rows.values()].sort((a, b) => b.time - a.time).map(
    ({ dispatch, count, time }) => {
      const bytes = dispatch.slots.reduce((sum, slot) => sum + slot.bytes, 0);
      return `${fixed(time / 1e6, 9)} ms ${fixed(100 * time / total, 5)} % ` +
        `${fixed(dispatch.flops * count / time, 8)} GFLOP/s ${
          fixed(bytes * count / time, 7)
        } GB/s ` +
        `${String(count).padStart(4)} x ${dispatch.kernel.padEnd(16)} ${dispatch.shape}  ` +
        `[${dispatch.variant}]`;
    },
  );
  return [`${heading(name, plan)}, ${(total / 1e6).toFixed(1)} ms on the device`, ...lines]
    .join("\n");
}

function heading(name: string, plan: Plan): string {
  const arena = (plan.arenaBytes / 2 ** 20).toFixed(1);
  return `plan ${name}: ${plan.dispatches.length} dispatches, arena ${arena} MiB`;
}

const fixed = (value: number, width: number): string => value.toFixed(1).padStart(width);
