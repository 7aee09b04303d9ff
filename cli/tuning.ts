import {
  type Device,
  identify,
  type KernelSite,
  tune,
  type TunedKernel,
  type TuneResult,
} from "../engine/mod.ts";
import type { ChooseKernels } from "../training/mod.ts";
import type { Options, OptionValues } from "../plugin/mod.ts";
import { cacheFolder } from "./cache_folder.ts";
import { countAloud, formatDuration } from "./progress.ts";
import { TuningCache } from "./tuning_cache.ts";

const cacheOption = {
  tuneCache: {
    type: "string",
    placeholder: "file",
    help: "Where measurements of kernels are kept; by default in this user's cache folder",
  },
} as const satisfies Options;

/** The options of every command that runs kernels which come in several variants. */
export const tuneOptions = {
  tune: {
    type: "choice",
    choices: ["off", "fast", "full"],
    default: "fast",
    help: "Choose kernels by measuring them: not at all, for a short time at most, or all of them",
  },
  ...cacheOption,
} as const satisfies Options;

/** The options of `kao tune`. */
export const tuneCommandOptions = {
  ...cacheOption,
  seconds: {
    type: "number",
    min: 0,
    help: "Stop after so long, and go on when started again; by default all kernels are measured",
  },
  fresh: { type: "boolean", help: "Measure again what was measured before" },
} as const satisfies Options;

/**
 * What `--tune` asks for: a function that chooses kernels by what was measured before on this adapter, and
 * measures the others, with `fast` for `seconds` at most. Undefined with `off`.
 */
export function kernelChooser(
  device: Device,
  options: OptionValues<typeof tuneOptions>,
  { seconds }: { seconds: number },
): ChooseKernels | undefined {
  if (options.tune === "off") return undefined;
  const { tune, tuneCache } = options;
  const more = "--tune full measures all";
  return async (sites) => {
    await tuneKernels(device, sites, { tuneCache, more, ...(tune === "fast" && { seconds }) });
  };
}

/**
 * Chooses kernels, and says on stderr how far it is and what came out.
 *
 * @param options.seconds how long to measure at most; by default there is no end.
 * @param options.more what makes up for kernels that there was no time for, to be told.
 */
export async function tuneKernels(
  device: Device,
  sites: readonly KernelSite[],
  options: { tuneCache?: string; seconds?: number; fresh?: boolean; more: string },
): Promise<TuneResult> {
  const started = performance.now();
  const say = (message: string) => console.error(message);
  const caches = cacheFolder();
  const path = options.tuneCache ?? (caches && `${caches}/tuning.json`);
  const cache = new TuningCache(path, { adapter: identify(device.adapter), onMessage: say });
  const kept = await cache.read();
  const { seconds } = options;
  const count = countAloud("Measured", "kernels");
  const limit = seconds === undefined ? "" : `, for ${formatDuration(seconds)} at most`;
  const result = await tune(sites, {
    device,
    known: options.fresh ? {} : kept,
    budget: seconds,
    onMessage: (message) => say(`Tuning: ${message}`),
    onProgress(measured, total) {
      if (measured === 0) say(`Measuring ${total} kernels${limit}`);
      else count(measured, total);
    },
    onMeasured: (table) => cache.write({ ...kept, ...table }),
  });
  const counted = (source: TunedKernel["source"]): number =>
    result.kernels.filter((kernel) => kernel.source === source).length;
  const measured = counted("measured"), left = counted("guess");
  if (measured + left > 0) {
    const took = formatDuration((performance.now() - started) / 1000);
    const rest = left > 0 ? `; ${left} go by a guess for now, ${options.more}` : "";
    say(`Measured ${measured} kernels in ${took}${rest}`);
  }
  return result;
}
