import { loadGenerator, restoreKernels, Sampler } from "../../training/mod.ts";
import { defineCommand } from "../command.ts";
import { openDevice } from "../device.ts";
import { kindsOf, layersOf, withPlugins } from "../plugins.ts";
import { kernelChooser } from "../tuning.ts";
import type { Drawing, Mode } from "./drawing.ts";
import { each } from "./each.ts";
import { interpolation } from "./interpolation.ts";
import { nearest } from "./nearest.ts";
import { checkTogether, options, type SampleOptions } from "./options.ts";
import { type DescribedRun, describedRun, optionsOf } from "./run.ts";
import { sheet } from "./sheet.ts";
import { sweep } from "./sweep.ts";
import { type AskedValues, askedValues, withMixes } from "./values.ts";

export { reservedNames } from "./options.ts";

/** With `--tune fast`, kernels that training did not choose are measured for so long. */
const TUNING_SECONDS = 10;

/** `kao sample`: draws pictures with what `kao train` made. */
export const command = defineCommand({
  name: "sample",
  summary: "Draw pictures with a trained run: of a description, in sweeps, or from one to another",
  positionals: { run: { help: "Folder of the run, the --out of train" } },
  options,
  moreOptions: async ({ positionals }) => {
    const { run } = positionals() ?? {};
    if (run === undefined) return { options: {}, found: undefined };
    const described = await describedRun(run);
    return { options: optionsOf(described), found: described };
  },
}, async ({ options, given, positionals, more, found }) => {
  checkTogether(given);
  const run = found!, asked = askedValues(run.conditions, more);
  const work = await modeOf(options)({ options, given, run, asked });
  await work(await open(positionals.run, { run, options, asked, more }));
});

function modeOf(options: SampleOptions): Mode {
  if (options.sweep) return sweep;
  if (options.interpolate) return interpolation;
  if (options.nearest !== undefined) return nearest;
  return options.each ? each : sheet;
}

/** Loads a run's networks, and puts together all that changes what is drawn. */
async function open(
  folder: string,
  { run: { plugins }, options, asked, more }: {
    run: DescribedRun;
    options: SampleOptions;
    asked: AskedValues;
    more: Readonly<Record<string, unknown>>;
  },
): Promise<Drawing> {
  const { raw, checkpoint, bestOf, truncation } = options;
  const device = await openDevice(options);
  const onMessage = (message: string) => console.error(message);
  const { generator, conditions, step, critic } = await loadGenerator(folder, {
    raw,
    kinds: kindsOf(plugins),
    layers: layersOf(plugins),
    checkpoint,
    critic: bestOf !== undefined,
    onMessage,
  });
  const sampler = new Sampler(generator, conditions);
  const sites = await restoreKernels(folder, sampler.sites(), { device, onMessage });
  if (sites.length > 0) await kernelChooser(device, options, { seconds: TUNING_SECONDS })?.(sites);
  const pictures = withPlugins(withMixes(sampler, asked.mixes), plugins, more);
  const words = [
    ...Object.entries(more).map(([name, value]) => `${name}-${value}`),
    ...(truncation === undefined ? [] : [`truncation-${truncation}`]),
    ...(bestOf === undefined ? [] : [`best-of-${bestOf}`]),
  ];
  return {
    size: pictures.size,
    conditions,
    critic,
    requests: (seeds, attempt) => pictures.requests(seeds, asked.given, { truncation, attempt }),
    draw: (requests) => pictures.draw(requests),
    path(ending, ...more) {
      const parts = [...words, ...more, ...(raw ? ["raw"] : [])].map(fileName);
      return options.out ?? `${folder}/samples/${[`step-${step}`, ...parts].join("_")}${ending}`;
    },
  };
}

/** Text as a part of a file's name: a class may be named with a slash. */
function fileName(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}_.=-]+/gu, "_");
}
