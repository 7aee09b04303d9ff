import { UserError } from "../data/mod.ts";
import { type Preset, type PresetName, presets } from "../models/mod.ts";
import { didYouMean, optionValues } from "../plugin/mod.ts";
import { builtIn } from "../plugins/mod.ts";
import { presetSettings } from "../training/mod.ts";
import { defineCommand } from "./command.ts";
import { presetNames, valuesOf } from "./settings.ts";
import { trainOptions } from "./train.ts";
import { lastingOptions } from "./train_config.ts";
import { type ConfigPlugin, formatConfig } from "./write_config.ts";

/** `kao config`: every option of `kao train` with what it does, as a file to begin with. */
export const command = defineCommand({
  name: "config",
  summary: "Print a preset as a commented file of options for kao train --config",
  positionals: {
    preset: { help: `One of ${presetNames.join(", ")}; small32 unless given`, optional: true },
  },
  options: {},
}, ({ positionals }) => {
  console.log(presetConfig(positionals.preset ?? "small32").trimEnd());
});

/**
 * A preset with every option of `kao train` and of the built-in plugins. It is made of their declarations, so it is
 * never out of date.
 */
export function presetConfig(name: string): string {
  if (!Object.hasOwn(presets, name)) {
    throw new UserError(
      `There is no preset "${name}"${didYouMean(name, presetNames)}: there are ${
        presetNames.join(", ")
      }`,
    );
  }
  const { help, plugins = {} }: Preset = presets[name as PresetName];
  const options = lastingOptions(trainOptions);
  const defaults = Object.entries(options).map(([key, option]) => [key, option.default]);
  const pluginOf = (source: string, given: Readonly<Record<string, unknown>>): ConfigPlugin => ({
    ...{ source, plugin: builtIn[source], values: optionValues(builtIn[source], given) },
  });
  const others = Object.keys(builtIn).filter((name) => name !== "classifier" && !plugins[name]);
  return formatConfig({
    heading: [
      `${name}: ${help}.`,
      "Train with it: kao train <data> --out <run> --config <this file>. A flag goes before a line here, " +
      "and a line left out is as the preset has it.",
    ],
    options,
    values: { ...Object.fromEntries(defaults), ...valuesOf(presetSettings(name as PresetName)) },
    plugins: Object.entries(plugins).map(([source, given]) => pluginOf(source, given)),
    others: others.map((source) => pluginOf(source, {})),
  });
}
