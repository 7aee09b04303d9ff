import { loadDataset, measureHairColour, writeAvatars } from "../data/mod.ts";
import type { Condition } from "../plugin/mod.ts";
import {
  drawGrid,
  loadGenerator,
  presetSettings,
  restoreKernels,
  Sampler,
  train,
} from "../training/mod.ts";
import { defineCommand } from "./command.ts";
import { deviceOptions, openDevice } from "./device.ts";
import { writeOutput } from "./output.ts";
import { countAloud, formatDuration, formatProgress } from "./progress.ts";
import { stopSignal } from "./stop_signal.ts";
import { kernelChooser, tuneOptions } from "./tuning.ts";

/** Drawn pictures to train on. */
const PICTURES = 3000;

/** With `--tune fast` kernels are measured for so long before training. */
const TUNING_SECONDS = 40;

/** Sampled pictures whose hair is measured. */
const MEASURED = 256;

const settings = presetSettings("small32");
const { size } = settings;

/** `kao quickstart`: from nothing to pictures that follow their labels, in minutes. */
export const command = defineCommand({
  name: "quickstart",
  summary: "Draw a labelled data set, train a small GAN on it, sample it",
  positionals: {},
  options: {
    out: {
      type: "string",
      placeholder: "folder",
      default: "runs/quickstart",
      help: "Where to work",
    },
    steps: { type: "integer", min: 1, default: 1200, help: "Training steps" },
    ...tuneOptions,
    ...deviceOptions,
  },
}, async ({ options }) => {
  const started = performance.now();
  const { out, steps } = options;
  const data = `${out}/avatars`;
  const run = `${out}/run`;
  const device = await openDevice(options);
  const chooseKernels = kernelChooser(device, options, { seconds: TUNING_SECONDS });

  if (!await isThere(data)) {
    console.log(`Drawing ${PICTURES} avatars into ${data}`);
    await writeAvatars(data, { count: PICTURES, size, seed: 1, onProgress: countAloud("Drew") });
  }
  const dataset = await loadDataset(data, {
    size,
    cache: `${out}/cache`,
    columns: ["hair", "eyes"],
    onProgress: countAloud("Read"),
  });

  {
    using stop = stopSignal(); // Only while there is a step to finish.
    const step = await train(dataset, {
      folder: run,
      settings,
      schedule: { steps, logEvery: 50, gridEvery: 200, checkpointEvery: 400 },
      chooseKernels,
      signal: stop.signal,
      onProgress: (progress) => console.log(formatProgress(progress)),
      onMessage: (message) => console.log(message),
    });
    if (stop.signal.aborted) {
      console.log(`Stopped and saved at step ${step}; the same command goes on`);
      return;
    }
  }

  const { generator, conditions } = await loadGenerator(run);
  const sampler = new Sampler(generator, conditions);
  await restoreKernels(run, sampler.sites(), { device });
  const hair = conditions.find(({ name }) => name === "hair")!;
  const obeyed = await hairObedience(sampler, hair);
  const seeds = Array.from({ length: 8 }, (_, i) => i + 1);
  await writeOutput(`${out}/hair.png`, await drawGrid(sampler, hair, { seeds, scale: 2 }));

  console.log(
    `\nHair as asked for, measured from the pixels: ${(100 * obeyed).toFixed(1)}% of ${MEASURED}`,
  );
  console.log(`Sampled pictures, a hair colour a column:     ${out}/hair.png`);
  console.log(`Grids drawn while training:                   ${run}/grids`);
  console.log(`More pictures:  deno task sample ${run} --hair blonde --eyes blue`);
  console.log(`Took ${formatDuration((performance.now() - started) / 1000)}`);
});

/** The share of samples whose hair, measured from their pixels, is of the colour that was asked for. */
async function hairObedience(sampler: Sampler, hair: Condition): Promise<number> {
  const classes = hair.showcase();
  const index = sampler.conditions.indexOf(hair);
  const seeds = Array.from({ length: MEASURED }, (_, i) => 1000 + i);
  const requests = (await sampler.requests(seeds)).map(({ z, values }, i) => ({
    z,
    values: values.with(index, classes[i % classes.length].value),
  }));
  const pictures = await sampler.draw(requests);
  const length = 3 * size * size;
  const right = requests.filter((_, i) => {
    const picture = pictures.subarray(i * length, (i + 1) * length);
    return measureHairColour(picture, size) === classes[i % classes.length].label;
  });
  return right.length / MEASURED;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
