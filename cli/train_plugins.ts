// Which plugins a training has: those of its flags or its file, or else those that the run had before.

import type { Option, Options, Positionals } from "../plugin/mod.ts";
import { type Preset, type PresetName, presets } from "../models/mod.ts";
import { builtIn } from "../plugins/mod.ts";
import {
  type ChosenPlugin,
  claimedColumns,
  readRun,
  requiredColumns,
  type RunDescription,
} from "../training/mod.ts";
import type { EarlyArguments, MoreOptions } from "./command.ts";
import { type ConfigFile, readConfig } from "./config.ts";
import { givenOptions, loadPlugins, pluginOptions, type PluginRequest } from "./plugins.ts";

/** The options of `train` that plugins come by. */
export const pluginTrainOptions = {
  plugin: {
    type: "list",
    placeholder: "name,./file.ts,...",
    help:
      "Plugins besides the classifier, in order, in place of the preset's; kao plugin list shows those that are built in",
  },
  classifier: {
    type: "boolean",
    default: true,
    help: "Leave out the classifier: label columns that no plugin reads do not matter",
  },
  dropPlugin: {
    type: "list",
    placeholder: "name,...",
    help: "Go on with a run without plugins that it had, and what they remember",
  },
  config: { type: "string", placeholder: "file", help: "YAML file of these options, and plugins" },
} as const satisfies Options;

const CLASSIFIER = "classifier";

/** What is known of plugins before the other options are. */
export interface FoundPlugins {
  /** Those besides the classifier. */
  readonly plugins: readonly ChosenPlugin[];
  /** The classifier's options; undefined where it is left out. */
  readonly classifier: Readonly<Record<string, unknown>> | undefined;
}

/** Options by which plugins are looked for. */
type Asking = typeof pluginTrainOptions & { readonly out: Option; readonly preset?: Option };

/** Loads the plugins that are asked for, for their options. */
export async function findMore<O extends Asking & Options, P extends Positionals>(
  { flag }: EarlyArguments<O, P>,
  declared: O,
): Promise<MoreOptions<FoundPlugins>> {
  const path = flag("config");
  const { values, plugins }: ConfigFile = path === undefined
    ? { values: {} }
    : await readConfig(String(path), declared);
  const valueOf = <T>(key: keyof Asking): T | undefined => (flag(key) ?? values[key]) as T;
  const out = valueOf<string>("out");
  const before = out === undefined ? undefined : await runIn(out);
  const dropped = valueOf<readonly string[]>("dropPlugin") ?? [];
  const given = (flag("plugin") as readonly string[] | undefined)
    ?.map((source) => ({ source, options: {} })) ?? plugins;
  const kept = before?.plugins.filter(({ name }) => !dropped.includes(name));
  const requests = given ?? kept?.filter(({ name }) => name !== CLASSIFIER) ??
    usualPlugins(valueOf("preset"));
  const had = before?.plugins.find(({ name }) => name === CLASSIFIER);
  const wanted = valueOf<boolean>("classifier") ?? (before === undefined || had !== undefined);
  const chosen = await loadPlugins(requests);
  return {
    options: pluginOptions(chosen.map(({ plugin }) => plugin)),
    values,
    found: { plugins: chosen, classifier: wanted ? had?.options ?? {} : undefined },
  };
}

/** The plugins that networks of a preset are trained with, unless others are named. */
function usualPlugins(name: PresetName | undefined): PluginRequest[] {
  const preset: Preset | undefined = name && presets[name];
  return Object.entries(preset?.plugins ?? {}).map(([source, options]) => ({ source, options }));
}

/** The run in a folder. What is wrong with the folder is found, and told, when it is claimed. */
async function runIn(folder: string): Promise<RunDescription | undefined> {
  try {
    return await readRun(folder);
  } catch {
    return undefined;
  }
}

/** The plugins of a training, with the options that flags give them. */
export function choosePlugins(
  { plugins, classifier }: FoundPlugins,
  { columns, more }: {
    columns: readonly string[] | undefined;
    more: Readonly<Record<string, unknown>>;
  },
): ChosenPlugin[] {
  const others = plugins.map(({ plugin, source, options }) => {
    return { plugin, source, options: { ...options, ...givenOptions(plugin, more) } };
  });
  if (classifier === undefined) return others;
  const plugin = builtIn[CLASSIFIER];
  const options = { ...classifier, ...(columns && { columns }) };
  return [{ plugin, source: CLASSIFIER, options }, ...others];
}

/** Which label columns `loadDataset` has to read for plugins. */
export function columnsOf(
  plugins: readonly ChosenPlugin[],
): { columns: readonly string[] | undefined; also: readonly string[]; required: string[] } {
  const isClassifier = ({ plugin }: ChosenPlugin) => plugin.name === CLASSIFIER;
  const classifier = plugins.find(isClassifier);
  return {
    columns: classifier ? classifier.options.columns as readonly string[] | undefined : [],
    also: claimedColumns(plugins.filter((plugin) => !isClassifier(plugin))),
    required: requiredColumns(plugins),
  };
}
