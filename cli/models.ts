import { UserError } from "../data/mod.ts";
import {
  architectureOf,
  inspectNetworks,
  type Layer,
  type Layers,
  type Preset,
  type PresetName,
  presets,
} from "../models/mod.ts";
import { didYouMean } from "../plugin/mod.ts";
import {
  checkSettings,
  estimateStep,
  presetSettings,
  type TrainSettings,
} from "../training/mod.ts";
import { columns } from "./columns.ts";
import { defineCommand } from "./command.ts";
import { networkOptions, networksOf } from "./networks.ts";
import { conditionOf } from "./tune.ts";

const presetNames = Object.keys(presets) as PresetName[];

/** `kao models`: what there is to train, how large it is, and what it takes. */
export const command = defineCommand({
  name: "models",
  summary: "List the networks that can be trained, or show one's layers, with what they take",
  positionals: {
    preset: { help: "Show the layers of this one, and its memory", optional: true },
  },
  options: {
    batch: { type: "integer", min: 2, help: "Pictures in a batch; by default the preset's" },
    classes: {
      type: "list",
      placeholder: "n,n,...",
      default: ["12", "10"],
      help: "Classes of each label column; the defaults are those of hair and eyes",
    },
    ...networkOptions,
  },
}, ({ options, given, positionals }) => {
  const conditions = options.classes.map(conditionOf);
  const { preset: name } = positionals;
  if (name === undefined) {
    const rows = presetNames.map((name) => {
      const settings = settingsOf(name, given);
      return listRow(name, settings, layersOf(settings, conditions));
    });
    const heading = ["preset", "size", "batch", "G", "D", "parameters", "multiply-adds"];
    console.log(columns([heading, ...rows], { numeric: [1, 2] }));
    console.log(
      `\nParameters, and multiply-adds a picture, forward, are those of G + D. kao models PRESET shows ` +
        `layers and memory; kao train --preset PRESET trains`,
    );
    return;
  }
  const settings = settingsOf(name, given);
  const layers = layersOf(settings, conditions);
  const machines = ([["GPU", false], ["CPU adapter", true]] as const).map(([machine, cpu]) => {
    const { bytes, variables, inputs, dispatches } = estimateStep(settings, conditions, { cpu });
    return [
      machine,
      ...[bytes + variables + inputs, variables, bytes, inputs].map(mebibytes),
      String(dispatches),
    ];
  });
  const { help, plugins = {} }: Preset = presets[name as PresetName];
  const { batch, lr, betas, size } = settings;
  console.log([
    `${name}: ${help}`,
    `batch ${batch}, Adam's step size ${lr}, betas ${betas.join(" and ")}` +
    (Object.keys(plugins).length > 0 ? `, plugins ${describePlugins(plugins)}` : ""),
    describeNetwork("Generator", settings.generator, layers.generator),
    describeNetwork("Discriminator", settings.discriminator, layers.discriminator),
    `A training step of ${batch} pictures of ${size}x${size}, without plugins, in MiB:`,
    columns(
      [
        ["on a", "all", "weights and optimisers", "intermediate", "inputs", "kernels"],
        ...machines,
      ],
      { numeric: [1, 2, 3, 4, 5] },
    ),
  ].join("\n\n"));
});

/** The settings of a preset with the options that were given. */
function settingsOf(
  name: string,
  given: Parameters<typeof networksOf>[0] & { readonly batch?: number },
): TrainSettings {
  if (!Object.hasOwn(presets, name)) {
    throw new UserError(
      `There is no preset "${name}"${didYouMean(name, presetNames)}: there are ${
        presetNames.join(", ")
      }`,
    );
  }
  const preset = presetSettings(name as PresetName);
  const settings = {
    ...preset,
    batch: given.batch ?? preset.batch,
    ...networksOf(given, preset),
  };
  checkSettings(settings);
  return settings;
}

function layersOf(
  settings: TrainSettings,
  conditions: readonly ReturnType<typeof conditionOf>[],
): Layers {
  return inspectNetworks(settings, {
    codeSize: conditions.reduce((sum, { codeSize }) => sum + codeSize, 0),
    heads: Object.fromEntries(conditions.map(({ name, headSize }) => [name, headSize])),
  });
}

function listRow(name: string, settings: TrainSettings, layers: Layers): string[] {
  const both = (of: "parameters" | "multiplyAdds"): string =>
    [layers.generator, layers.discriminator].map((list) => short(total(list, of))).join(" + ");
  return [
    name,
    `${settings.size}`,
    `${settings.batch}`,
    architectureOf(settings.generator),
    architectureOf<string>(settings.discriminator),
    both("parameters"),
    both("multiplyAdds"),
  ];
}

/** A network's widths, its layers, and what they add up to. */
function describeNetwork(
  title: string,
  settings: TrainSettings["generator"] | TrainSettings["discriminator"],
  layers: readonly Layer[],
): string {
  const widths = Object.entries(settings).filter(([key]) => key !== "architecture")
    .map(([key, value]) => `${key} ${value}`).join("; ");
  const rows = layers.map(({ name, kind, weight, output, parameters, multiplyAdds }) => [
    ...[name, kind, weight.join("x"), output.join("x")],
    ...[parameters, multiplyAdds].map((n) => n.toLocaleString("en")),
  ]);
  const sums = (["parameters", "multiplyAdds"] as const)
    .map((of) => total(layers, of).toLocaleString("en"));
  return [
    `${title} ${architectureOf<string>(settings)}: ${widths}`,
    columns(
      [
        ["layer", "", "weight", "makes of a picture", "parameters", "multiply-adds"],
        ...rows,
        ["all", "", "", "", ...sums],
      ],
      { numeric: [4, 5] },
    ),
  ].join("\n\n");
}

function total(layers: readonly Layer[], of: "parameters" | "multiplyAdds"): number {
  return layers.reduce((sum, layer) => sum + layer[of], 0);
}

/** Three digits, and a letter: 306 M. */
function short(count: number): string {
  const [unit, letter] = ([[1e9, " G"], [1e6, " M"], [1e3, " k"], [1, ""]] as const)
    .find(([unit]) => count >= unit) ?? [1, ""];
  const scaled = count / unit;
  return `${scaled.toFixed(scaled >= 100 || letter === "" ? 0 : scaled >= 10 ? 1 : 2)}${letter}`;
}

function mebibytes(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0);
}

function describePlugins(plugins: NonNullable<Preset["plugins"]>): string {
  return Object.entries(plugins).map(([name, options]) =>
    [name, ...Object.entries(options).map(([key, value]) => `${key} ${value}`)].join(" ")
  ).join(", ");
}
