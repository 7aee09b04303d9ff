// What a training would be, told without beginning it.

import type { Dataset } from "../data/mod.ts";
import { architectureOf, inspectNetworks, type Layer } from "../models/mod.ts";
import type { Condition } from "../plugin/mod.ts";
import {
  batchesPerStep,
  estimateStep,
  prepare,
  type PrepareOptions,
  type Schedule,
  type TrainSettings,
} from "../training/mod.ts";
import { columns } from "./columns.ts";

/** Networks, memory, terms, conditions and schedule of a training, as text. Nothing is written. */
export async function describeTraining(
  dataset: Dataset,
  options: PrepareOptions & { readonly schedule: Schedule; readonly cpu: boolean },
): Promise<string> {
  const { settings, schedule, cpu, ancestor } = options;
  const { pictures, unseen, plugins, weights } = await prepare(dataset, options);
  const { conditions } = plugins;
  const layers = inspectNetworks(settings, {
    codeSize: conditions.reduce((sum, { codeSize }) => sum + codeSize, 0),
    heads: Object.fromEntries(
      conditions.filter(({ headSize }) => headSize > 0).map((
        { name, headSize },
      ) => [name, headSize]),
    ),
  });
  const { bytes, variables, inputs, dispatches } = estimateStep(settings, conditions, {
    cpu,
    plugins,
  });
  const mebibytes = (n: number): string => (n / 2 ** 20).toFixed(1);
  return [
    `Data: ${pictures.count} pictures of ${settings.size}x${settings.size} to train on, ` +
    `${unseen.count} held out`,
    `Networks, with multiply-adds a picture, forward:\n${
      columns([
        ["", "architecture", "parameters", "multiply-adds"],
        networkRow("generator", architectureOf<string>(settings.generator), layers.generator),
        networkRow(
          "discriminator",
          architectureOf<string>(settings.discriminator),
          layers.discriminator,
        ),
      ], { numeric: [2, 3] })
    }`,
    `Memory of a step, in MiB, as planned for ${cpu ? "a CPU adapter" : "a GPU"}:\n${
      columns([
        ["all", "weights and optimisers", "intermediate", "inputs", "kernels"],
        [...[bytes + variables + inputs, variables, bytes, inputs].map(mebibytes), `${dispatches}`],
      ], { numeric: [0, 1, 2, 3, 4] })
    }`,
    `Conditions:\n${
      columns([
        ["", "kind", "code", "head", ""],
        ...conditions.map(({ name, kind, codeSize, headSize, help }: Condition) => [
          ...[name, kind, `${codeSize}`, `${headSize}`, shortened(help)],
        ]),
      ], { numeric: [2, 3] })
    }`,
    `Plugins: ${plugins.list.map(({ name }) => name).join(", ") || "none"}`,
    `Loss terms, with their weights:\n${
      columns([
        ["", "weight"],
        ...Object.entries(weights).map(([name, weight]) => [
          name,
          weight === 0 ? "off" : `${weight}`,
        ]),
      ], { numeric: [1] })
    }`,
    describeSteps(settings, schedule, pictures.count),
    ...(ancestor ? [`Begins with the weights of step ${ancestor.step} of another run`] : []),
  ].join("\n\n");
}

function networkRow(name: string, architecture: string, layers: readonly Layer[]): string[] {
  const total = (of: "parameters" | "multiplyAdds"): string =>
    layers.reduce((sum, layer) => sum + layer[of], 0).toLocaleString("en");
  return [name, architecture, total("parameters"), total("multiplyAdds")];
}

function describeSteps(settings: TrainSettings, schedule: Schedule, count: number): string {
  const { batch, lr, lrD = lr, dSteps = 1, accumulate = 1, clipNorm, precision = "f32" } = settings;
  const { lrSchedule = "constant", lrWarmup = 0, lrDecayFrom = 0, lrDecayTo } = settings;
  const { steps, logEvery, gridEvery, checkpointEvery } = schedule;
  const seen = batch * batchesPerStep(settings);
  const times = (n: number, what: string): string => n > 1 ? `, ${what} ${n}` : "";
  const rate = lrD === lr ? `${lr}` : `${lr} (generator) and ${lrD} (discriminator)`;
  return [
    `Steps: ${steps} of ${seen} real pictures (batch ${batch}${times(accumulate, "accumulated")}` +
    `${times(dSteps, "updates of the discriminator")}): ${
      (steps * seen / count).toFixed(1)
    } epochs`,
    `Step size: ${rate}` + (lrWarmup > 0 ? `, grows over the first ${lrWarmup} steps` : "") +
    (lrSchedule === "constant"
      ? ", constant"
      : `, ${lrSchedule} to 0 from step ${lrDecayFrom} to ${lrDecayTo}`) +
    (clipNorm === undefined ? "" : `; gradients are clipped to a norm of ${clipNorm}`),
    `Numbers: ${precision}; reports every ${logEvery} steps, grids every ${gridEvery}, ` +
    `checkpoints every ${checkpointEvery}`,
  ].join("\n");
}

/** Long lists of classes are cut. */
function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}...`;
}
