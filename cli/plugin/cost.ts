// What a step costs with a plugin, against one without.

import type { Trial } from "../../training/mod.ts";
import { median } from "../median.ts";

/**
 * Takes steps of both in turns, and says in a line what the first costs more.
 *
 * On a busy machine, a ratio of steps that ran one after the other says more than a ratio of medians.
 */
export async function compareCost(
  own: Trial,
  without: Trial,
  { rounds }: { rounds: number },
): Promise<string> {
  // The first steps trace and compile.
  for (const trial of [own, without]) {
    await trial.step();
    await trial.step();
  }
  const times: { own: number; without: number }[] = [];
  for (let i = 0; i < rounds; i++) {
    times.push({ without: await without.step(), own: await own.step() });
  }
  const a = own.footprint, b = without.footprint;
  const ratio = median(times.map(({ own, without }) => own / without));
  const ms = (which: "own" | "without"): string =>
    median(times.map((it) => it[which])).toPrecision(3);
  const mib = (bytes: number): string => (bytes / 2 ** 20).toPrecision(3);
  return `${ms("own")} ms a step, ${ms("without")} without it (x${ratio.toFixed(2)}); ` +
    `${mib(a.deviceBytes)} MiB, ${mib(b.deviceBytes)} without; ` +
    `${a.dispatches} dispatches, ${b.dispatches} without`;
}
