import { UserError } from "../data/mod.ts";
import type { TunedKernel } from "../engine/mod.ts";
import { presets } from "../models/mod.ts";
import { Categorical } from "../plugin/mod.ts";
import { checkSettings, kernelSites, presetSettings } from "../training/mod.ts";
import { defineCommand } from "./command.ts";
import { deviceOptions, openDevice } from "./device.ts";
import { tuneCommandOptions, tuneKernels } from "./tuning.ts";

const presetNames = Object.keys(presets) as (keyof typeof presets)[];

/** `kao tune`: measures ahead of time what training and sampling would measure at their start. */
export const command = defineCommand({
  name: "tune",
  summary: "Measure which kernels are the fastest here, for training and sampling to use",
  positionals: {},
  options: {
    preset: {
      type: "choice",
      choices: presetNames,
      help: "Networks whose kernels are measured; by default small32 on a CPU, else acgan64",
    },
    batch: { type: "integer", min: 2, help: "Pictures in a batch; by default the preset's" },
    classes: {
      type: "list",
      placeholder: "n,n,...",
      default: ["12", "10"],
      help: "Classes of each label column; the defaults are those of quickstart's hair and eyes",
    },
    ...tuneCommandOptions,
    ...deviceOptions,
  },
}, async ({ options }) => {
  const conditions = options.classes.map(conditionOf);
  const device = await openDevice(options);
  const preset = presetSettings(options.preset ?? (device.adapter.cpu ? "small32" : "acgan64"));
  const settings = { ...preset, batch: options.batch ?? preset.batch };
  checkSettings(settings);
  const { kernels } = await tuneKernels(device, kernelSites(settings, conditions), {
    ...options,
    more: "the same command goes on",
  });
  console.log(formatKernels(kernels));
  device.destroy();
});

/** A condition of so many classes, of a data set that need not exist. */
export function conditionOf(word: string, column: number): Categorical {
  const count = Number(word);
  if (!Number.isInteger(count) || count < 2) {
    throw new UserError(`--classes must be whole numbers above 1, not ${word}`);
  }
  const classes = Array.from({ length: count }, (_, i) => `class ${i}`);
  return Categorical.fromLabels(`column ${column}`, classes, Int32Array.from(classes.keys()));
}

/** A row a kernel, the most work first, and how far the static guess is from the best. */
export function formatKernels(kernels: readonly TunedKernel[]): string {
  const rows = kernels.map(({ family, shape, guess, choice, seconds }) => [
    family,
    shape,
    choice,
    milliseconds(seconds[choice]),
    guess,
    milliseconds(seconds[guess]),
    ratioOf({ guess, choice, seconds })?.toFixed(2) ?? "-",
  ]);
  const heading = ["kernel", "shape", "chosen", "ms", "static guess", "ms", "ratio"];
  const numeric = [3, 5, 6];
  const widths = heading.map((_, at) =>
    Math.max(...[heading, ...rows].map((row) => row[at].length))
  );
  const lines = [heading, ...rows].map((row) =>
    row.map((cell, at) =>
      numeric.includes(at) ? cell.padStart(widths[at]) : cell.padEnd(widths[at])
    ).join("  ")
  );
  const ratios = kernels.flatMap((kernel) => ratioOf(kernel) ?? []).sort((a, b) => a - b);
  if (ratios.length === 0) return [...lines, "", "Nothing was measured"].join("\n");
  const median = ratios[ratios.length >> 1], worst = ratios[ratios.length - 1];
  return [
    ...lines,
    "",
    `The static guess is within ${worst.toFixed(2)}x of the tuned choice ` +
    `(median ${median.toFixed(2)}x, of ${ratios.length} kernels)`,
  ].join("\n");
}

/** How many times as long the static guess takes as what was chosen. */
function ratioOf(
  { guess, choice, seconds }: Pick<TunedKernel, "guess" | "choice" | "seconds">,
): number | undefined {
  const [a, b] = [seconds[guess], seconds[choice]];
  return a === undefined || b === undefined ? undefined : a / b;
}

function milliseconds(seconds: number | undefined): string {
  if (seconds === undefined) return "-";
  return seconds >= 0.1 ? (1000 * seconds).toFixed(0) : (1000 * seconds).toPrecision(3);
}
