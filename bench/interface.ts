// What the interface of plugins costs a step: ACGAN through it against ACGAN written by hand, in turns, on networks
// so small that whatever it added would show.

import { avatarsFor, classifier } from "../cli/plugin/avatars.ts";
import { compareWays } from "../cli/plugin/interface_cost.ts";
import { Device } from "../engine/mod.ts";
import { presetSettings } from "../training/mod.ts";
import { digits, median, ratios, type Spread, spread, thousandths } from "./statistics.ts";
import { table } from "./table.ts";

/** One way to a step. */
export interface WayReport {
  readonly dispatches: number;
  readonly step_ms: Spread;
  /** JavaScript of a step, until its kernels are queued. */
  readonly replay_js_ms: number;
}

/** Both ways, and how many times as long as by hand each pair of steps took by plugins. */
export interface InterfaceReport {
  readonly device: string;
  readonly batch: number;
  readonly plugins: WayReport;
  readonly by_hand: WayReport;
  /** Whether the last step of both gave the same numbers. */
  readonly same_results: boolean;
  readonly ratio: Spread & {
    /** The quarter of the ratios, and three quarters of them, lie below. */
    readonly quartiles: readonly [number, number];
    readonly pairs: number;
  };
}

/** Batch and steps of each way. */
export interface InterfaceOptions {
  readonly batch: number;
  readonly steps: number;
}

/** Takes steps of both ways in turns. */
export async function measureInterface(
  { batch, steps }: InterfaceOptions,
): Promise<InterfaceReport> {
  const settings = {
    ...presetSettings("small32"),
    generator: { latent: 8, base: 8, channels: [8, 8, 4] },
    discriminator: { channels: [4, 8] },
    batch,
  };
  const dataset = avatarsFor([classifier], settings);
  const { plugins, byHand } = await compareWays(dataset, { settings, rounds: steps });
  const report = ({ dispatches, times, calls }: typeof plugins): WayReport => {
    const { min, median: middle, max } = spread(times);
    return {
      dispatches,
      step_ms: { min: thousandths(min), median: thousandths(middle), max: thousandths(max) },
      replay_js_ms: thousandths(median(calls)),
    };
  };
  const { rounds } = ratios(byHand.times, plugins.times)!;
  return {
    device: Device.default.adapter.name,
    batch,
    plugins: report(plugins),
    by_hand: report(byHand),
    same_results: JSON.stringify(plugins.results) === JSON.stringify(byHand.results),
    ratio: { ...spread(rounds), quartiles: quartiles(rounds), pairs: rounds.length },
  };
}

/** The middles of the lower and the upper half of some numbers. */
export function quartiles(numbers: readonly number[]): [number, number] {
  const sorted = [...numbers].sort((a, b) => a - b), half = Math.ceil(sorted.length / 2);
  return [median(sorted.slice(0, half)), median(sorted.slice(-half))];
}

/** Both side by side, and the ratio with its spread. */
export function formatInterface(
  { plugins, by_hand, ratio, same_results }: InterfaceReport,
): string {
  const row = (name: string, { dispatches, step_ms, replay_js_ms }: WayReport) => [
    name,
    String(dispatches),
    [step_ms.min, step_ms.median, step_ms.max].map(digits).join(" / "),
    digits(replay_js_ms),
  ];
  const [low, high] = ratio.quartiles.map((x) => x.toFixed(4));
  return [
    table(["", "dispatches", "ms a step: min / median / max", "JavaScript of it"], [
      row("by plugins", plugins),
      row("by hand", by_hand),
    ]),
    `by plugins over by hand: ${
      ratio.median.toFixed(4)
    } in the middle of ${ratio.pairs} pairs, half of ` +
    `them from ${low} to ${high}; ${same_results ? "the same results" : "OTHER RESULTS"}`,
  ].join("\n");
}
