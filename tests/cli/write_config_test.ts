import { assert, assertEquals, assertThrows } from "@std/assert";
import { readConfig } from "../../cli/config.ts";
import { presetConfig } from "../../cli/config_command.ts";
import { loadPlugins } from "../../cli/plugins.ts";
import { type GivenSettings, presetNames, settingsOf, valuesOf } from "../../cli/settings.ts";
import { trainOptions } from "../../cli/train.ts";
import { lastingOptions, resolvedConfig } from "../../cli/train_config.ts";
import { UserError } from "../../data/mod.ts";
import { type Preset, presets } from "../../models/mod.ts";
import { flagOf, optionValues } from "../../plugin/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import {
  type ChosenPlugin,
  presetSettings,
  type TrainSettings,
  withoutDefaults,
} from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";

async function parsed(yaml: string) {
  using folder = temporaryFolder({ "kao.yaml": yaml });
  const { values, plugins = [] } = await readConfig(`${folder.path}/kao.yaml`, trainOptions);
  return { values: values as Record<string, unknown> & GivenSettings, plugins };
}

/** Other settings than those of any preset. */
const other = { ...presetSettings("acgan64"), seed: 9, weights: { "g.adv": 2 }, flip: false };

Deno.test("A preset's file has every option and every plugin, and reading it gives the preset", async () => {
  for (const name of presetNames) {
    const text = presetConfig(name);
    const { values, plugins } = await parsed(text);
    assertEquals(withoutDefaults(settingsOf(values, other)), withoutDefaults(presetSettings(name)));
    const { plugins: wanted = {} }: Preset = presets[name];
    assertEquals(plugins.map(({ source }) => source), Object.keys(wanted));
    for (const { source, options } of plugins) {
      assertEquals(
        options,
        JSON.parse(JSON.stringify(optionValues(builtIn[source], wanted[source]))),
      );
    }
    for (const [key, option] of Object.entries(lastingOptions(trainOptions))) {
      assert(new RegExp(`^(# )?${flagOf(key, option)}: `, "m").test(text), `${name} lacks ${key}`);
      if (option.default !== undefined) assertEquals(values[key], option.default, key);
    }
    for (const line of text.split("\n")) assert(line.length <= 101, line);
  }
});

Deno.test("Plugins of a preset's file that are uncommented are as they are by default", async () => {
  const { plugins } = await parsed(presetConfig("small32").replaceAll(/^#( {2}.*)$/gm, "$1"));
  const names = Object.keys(builtIn).filter((name) => name !== "classifier");
  const chosen = await loadPlugins(plugins);
  assertEquals(chosen.map(({ source }) => source), names);
  for (const { source, options } of chosen) {
    assertEquals(optionValues(builtIn[source], options), optionValues(builtIn[source], {}), source);
  }
});

Deno.test("A preset that there is not is refused with the nearest", () => {
  assertThrows(() => presetConfig("smal32"), UserError, "(did you mean small32?)");
});

Deno.test("Settings of any kind come back from the options that make them", () => {
  const cases: TrainSettings[] = [
    { ...presetSettings("acgan32"), accumulate: 4, dSteps: 2, clipNorm: 0.5, lrD: 1e-7 },
    {
      ...presetSettings("small32"),
      lrSchedule: "cosine",
      lrWarmup: 100,
      lrDecayTo: 9000,
      precision: "f16",
      betas: [0, 0.99],
      weights: { "d.adv_real": 0, "g.class.hair": 1.5e-3 },
      flip: false,
      classOn: "both",
    },
    { ...presetSettings("zjusct64"), batch: 3 },
  ];
  for (const settings of cases) {
    assertEquals(withoutDefaults(settingsOf(valuesOf(settings), other)), withoutDefaults(settings));
  }
});

Deno.test("A run's file gives the run again, plugins and their options included", async () => {
  const settings = { ...presetSettings("small32"), weights: { "g.adv": 0.5 }, clipNorm: 2 };
  const plugins: ChosenPlugin[] = [
    { plugin: builtIn.classifier, source: "classifier", options: { columns: ["hair", "yes"] } },
    { plugin: builtIn.dragan, source: "dragan", options: { lambda: 0.25 } },
    { plugin: builtIn["diff-augment"], source: "diff-augment", options: { policy: ["cutout"] } },
  ];
  const text = resolvedConfig({
    data: "my faces",
    declared: trainOptions,
    options: {
      steps: 70,
      logEvery: 3,
      cache: "a folder: with #",
      keepBest: "holdout.hair",
      tune: "off",
    },
    ...{ settings, plugins },
  });
  const { values, plugins: found } = await parsed(text);
  assertEquals(withoutDefaults(settingsOf(values, other)), settings);
  assertEquals(
    [values.steps, values.logEvery, values.cache, values.keepBest, values.tune, values.columns],
    [70, 3, "a folder: with #", "holdout.hair", "off", ["hair", "yes"]],
  );
  assertEquals(found, [
    { source: "dragan", options: { lambda: 0.25, k: 1, noise: 0.5 } },
    { source: "diff-augment", options: { policy: ["cutout"] } },
  ]);
  for (const key of ["out", "config", "dropPlugin", "dryRun", "plugin"]) {
    assertEquals(Object.hasOwn(values, key), false, key);
  }
  const without = resolvedConfig({
    ...{ data: "d", declared: trainOptions, options: {}, settings },
    plugins: [plugins[1]],
  });
  assertEquals((await parsed(without)).values.classifier, false);
});
