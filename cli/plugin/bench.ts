import { presets } from "../../models/mod.ts";
import type { Plugin } from "../../plugin/mod.ts";
import { presetSettings, Trial } from "../../training/mod.ts";
import { defineCommand } from "../command.ts";
import { openDevice } from "../device.ts";
import { givenOptions, loadPlugin, pluginOptions } from "../plugins.ts";
import { avatarsFor, classifier, isClassifier, withClassifier } from "./avatars.ts";
import { compareCost } from "./cost.ts";
import { giveUpRunning } from "./deno.ts";
import { compareWays, describeWays } from "./interface_cost.ts";

/** `kao plugin bench`: what a plugin costs, and what plugins cost as such. */
export const command = defineCommand({
  name: "plugin bench",
  summary: "Measure what a plugin costs a step, and what the interface itself does",
  positionals: {
    plugin: {
      help: "Name, or path such as ./hue.ts; without it the interface alone",
      optional: true,
    },
  },
  options: {
    preset: {
      type: "choice",
      choices: Object.keys(presets) as (keyof typeof presets)[],
      default: "small32",
      help: "Networks to measure with",
    },
    batch: { type: "integer", min: 2, help: "Pictures in a batch; by default the preset's" },
    rounds: {
      type: "integer",
      min: 1,
      default: 15,
      help: "Steps of each kind, in turns; medians of them are shown",
    },
  },
  moreOptions: async ({ positionals }) => {
    const source = positionals()?.plugin;
    await giveUpRunning();
    const plugin = source === undefined ? undefined : await loadPlugin(source);
    return { options: plugin ? pluginOptions([plugin]) : {}, found: plugin };
  },
}, async ({ options, positionals, more, found }) => {
  const { preset, rounds } = options;
  const settings = { ...presetSettings(preset), holdout: 0 };
  const sized = { ...settings, batch: options.batch ?? settings.batch };
  await openDevice({ install: false });
  const plugin: Plugin | undefined = found;
  if (plugin && !isClassifier(plugin)) {
    const chosen = { plugin, source: positionals.plugin!, options: givenOptions(plugin, more) };
    const plugins = withClassifier(chosen), dataset = avatarsFor(plugins, sized);
    const own = await Trial.setUp(dataset, { settings: sized, plugins });
    const without = await Trial.setUp(dataset, { settings: sized, plugins: [classifier] });
    console.log(`${plugin.name}: ${await compareCost(own, without, { rounds })}`);
  }
  // What is written by hand to compare with is of the one architecture.
  const { generator, discriminator } = sized;
  if (plugin && (generator.architecture || discriminator.architecture)) return;
  const dataset = avatarsFor([classifier], sized);
  const ways = await compareWays(dataset, { settings: sized, rounds });
  console.log(`AC-GAN by plugins: ${describeWays(ways)}`);
});
