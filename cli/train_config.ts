// The configuration of a training as a file: kept with the run, and printed by `kao config`.

import { type Options, optionValues } from "../plugin/mod.ts";
import type { ChosenPlugin, TrainSettings } from "../training/mod.ts";
import { valuesOf } from "./settings.ts";
import { formatConfig } from "./write_config.ts";

/** Options of `train` that say what to do this once, or on this machine, and not what is trained. */
const PASSING = ["out", "config", "plugin", "dropPlugin", "dryRun", "install"];

/** Options of `train` that a file of options is about. */
export function lastingOptions(declared: Options): Options {
  return Object.fromEntries(Object.entries(declared).filter(([key]) => !PASSING.includes(key)));
}

/**
 * A run's configuration with every option resolved: given to `--config`, it makes the same run again from the
 * same data.
 */
export function resolvedConfig(
  run: {
    readonly data: string;
    readonly declared: Options;
    readonly options: Readonly<Record<string, unknown>>;
    readonly settings: TrainSettings;
    readonly plugins: readonly ChosenPlugin[];
  },
): string {
  const { data, declared, options, settings, plugins } = run;
  const classifier = plugins.find(({ plugin }) => plugin.name === "classifier");
  const { columns } = classifier?.options ?? {};
  return formatConfig({
    heading: [
      "What this run was last started with, all of it. The same run elsewhere, from the same data: " +
      `kao train ${data} --out <folder> --config <this file>`,
    ],
    options: lastingOptions(declared),
    values: { ...options, ...valuesOf(settings), columns, classifier: classifier !== undefined },
    plugins: plugins.filter((chosen) => chosen !== classifier).map((
      { plugin, source, options },
    ) => ({
      ...{ plugin, source, values: optionValues(plugin, options) },
    })),
  });
}
