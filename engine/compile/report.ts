// Plans as tables for people: what KAO_DEBUG=plan and KAO_DEBUG=profile print.

import { allSlots, type Dispatch } from "../kernels/dispatch.ts";
import type { Timing } from "../runtime/timer.ts";
import type { Plan } from "./plan.ts";

/** The dispatches of a plan in order; those that only run where variables changed are marked. */
export function formatPlan(name: string, plan: Plan): string {
  const rows = plan.dispatches.map((dispatch, at) =>
    `${String(at).padStart(4)}${dispatch.constant ? "c" : " "} ` +
    `${dispatch.kernel.padEnd(16)} ${dispatch.shape.padEnd(28)} ` +
    `${dispatch.workgroups.join("x").padEnd(12)} ${fixed(dispatch.flops / 1e6, 9)} MFLOP  ` +
    dispatch.variant
  );
  return [heading(name, plan), ...rows].join("\n");
}

/** Dispatches that do the same, with the time they took together, the longest first. */
export function formatProfile(name: string, plan: Plan, timing: Timing): string {
  const rows = new Map<string, { dispatch: Dispatch; count: number; time: number }>();
  plan.dispatches.forEach((dispatch, at) => {
    const key = labelOf(dispatch);
    const row = rows.get(key) ?? { dispatch, count: 0, time: 0 };
    rows.set(key, { dispatch, count: row.count + 1, time: row.time + timing.passes[at] });
  });
  const total = timing.passes.reduce((sum, time) => sum + time, 0);
  const lines = [...rows.values()].sort((a, b) => b.time - a.time).map(
    ({ dispatch, count, time }) => {
      const bytes = count * allSlots(dispatch).reduce((sum, slot) => sum + slot.bytes, 0);
      const perNanosecond = (amount: number): number => time === 0 ? 0 : amount / time;
      return [
        `${fixed(time / 1e6, 9)} ms`,
        `${fixed(100 * time / (total || 1), 5)} %`,
        fixed(perNanosecond(dispatch.flops * count), 8),
        fixed(perNanosecond(bytes), 7),
        String(count).padStart(5),
        labelOf(dispatch),
      ].join(" ");
    },
  );
  return [
    heading(name, plan),
    ...clocks(timing, total),
    "     time   share  GFLOP/s    GB/s count kernel           shape  [variant]",
    ...lines,
  ].join("\n");
}

const labelOf = ({ kernel, shape, variant, constant }: Dispatch): string =>
  `${kernel.padEnd(16)} ${shape}  [${variant}]${constant ? " only where variables changed" : ""}`;

/** How the sum of the kernels compares with the clocks, and whether the device's can be believed. */
function clocks(timing: Timing, total: number): string[] {
  const { overhead, span, wall } = timing;
  const ms = (nanoseconds: number): string => `${(nanoseconds / 1e6).toFixed(1)} ms`;
  const lines = [
    `${ms(total)} in kernels, an empty pass of ${(overhead / 1e3).toFixed(1)} us taken off each`,
    `${ms(span)} from first to last by the kernels' clock, ${
      ms(wall)
    } by this machine's, with the wait`,
  ];
  if (span > 1.05 * wall || total > 1.05 * span) {
    lines.push("The device's clock runs faster than this machine's: only shares mean something");
  } else if (span < 0.5 * wall) {
    lines.push(
      "Much of the time is not in the plan: earlier work, or a device's clock that is slow",
    );
  }
  return lines;
}

function heading(name: string, plan: Plan): string {
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
  const constant = plan.dispatches.filter((dispatch) => dispatch.constant).length;
  const kept = constant === 0
    ? ""
    : `; ${constant} dispatches (c) only where variables changed, ${mib(plan.keptBytes)} kept`;
  return `plan ${name}: ${plan.dispatches.length} dispatches, arena ${mib(plan.arenaBytes)}${kept}`;
}

const fixed = (value: number, width: number): string => value.toFixed(1).padStart(width);
