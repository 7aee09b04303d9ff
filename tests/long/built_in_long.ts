// Every built-in plugin by itself, and all of them together, on drawn avatars for 200 steps.

import { assert, assertEquals } from "@std/assert";
import { avatarDataset } from "../../data/mod.ts";
import { Device } from "../../engine/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import { type ChosenPlugin, NEWEST, presetSettings, train } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { chosen } from "../plugins/tiny_run.ts";

await Device.open();

const STEPS = 200, STOPPED = 120;
const dataset = avatarDataset({
  count: 240,
  size: 32,
  seed: 3,
  also: ["tilt", "smile", "glasses"],
});
const settings = {
  ...presetSettings("small32"),
  generator: { latent: 16, base: 4, channels: [32, 16, 8, 8] },
  discriminator: { channels: [8, 16, 32] },
  batch: 8,
};
const classifier = chosen("classifier", { columns: ["hair"] });
const plugins: Readonly<Record<string, ChosenPlugin>> = {
  ada: chosen("ada", { start: 0.2, kimg: 2 }),
  adc: chosen("adc"),
  attributes: chosen("attributes", { columns: ["glasses"] }),
  "conditional-batch-norm": chosen("conditional-batch-norm"),
  "continuous-labels": chosen("continuous-labels", { columns: ["tilt", "smile"], odd: ["tilt"] }),
  "d2d-ce": chosen("d2d-ce", { dimensions: 32 }),
  "diff-augment": chosen("diff-augment"),
  dragan: chosen("dragan"),
  hinge: chosen("hinge"),
  "info-gan": chosen("info-gan"),
  "label-smoothing": chosen("label-smoothing"),
  "least-squares": chosen("least-squares"),
  "multi-scale": chosen("multi-scale", { channels: 8 }),
  projection: chosen("projection", { columns: ["eyes"] }),
  r1: chosen("r1"),
  sgan: chosen("sgan"),
  "spectral-norm": chosen("spectral-norm"),
  tac: chosen("tac"),
  wasserstein: chosen("wasserstein"),
};

/** Beside another augmentation hues stay as they are: hair is told by them. */
const sparing = chosen("ada", {
  ...{ start: 0.2, kimg: 2 },
  changes: ["flip", "turn", "translation", "scale", "rotation"],
});

/** Plugins that tell hair in place of the classifier. */
const IN_PLACE = ["adc", "d2d-ce", "sgan", "tac"];
/** Those that cannot be together with the others: there is one adversarial loss, and one way to tell hair. */
const EXCLUSIVE = ["label-smoothing", "least-squares", "wasserstein", ...IN_PLACE];

/** Trains up to a step; the last line of the metrics. */
async function run(
  folder: string,
  asked: readonly ChosenPlugin[],
  steps: number,
): Promise<Record<string, number>> {
  await train(dataset, {
    folder,
    settings,
    schedule: { steps, logEvery: 20, gridEvery: STEPS, checkpointEvery: STEPS },
    plugins: asked,
  });
  const lines = (await Deno.readTextFile(`${folder}/metrics.jsonl`)).trim().split("\n");
  return JSON.parse(lines.at(-1)!);
}

Deno.test("No built-in plugin is left out", () => {
  assertEquals(Object.keys(builtIn).sort(), [...Object.keys(plugins), "classifier"].sort());
});

const cases = Object.entries({
  classifier: [classifier],
  ...Object.fromEntries(
    Object.entries(plugins).map(([name, one]) => [
      name,
      IN_PLACE.includes(name)
        ? [{ ...one, options: { ...one.options, columns: ["hair"] } }]
        : [classifier, one],
    ]),
  ),
  "all together": [
    classifier,
    ...Object.entries({ ...plugins, ada: sparing }).filter(([name]) => !EXCLUSIVE.includes(name))
      .map(([, one]) => one),
  ],
});
for (const [name, asked] of cases) {
  Deno.test(`${STEPS} steps on drawn avatars, and on with the same bytes: ${name}`, async () => {
    using folder = temporaryFolder();
    const metrics = await run(`${folder.path}/whole`, asked, STEPS);
    assertEquals(metrics.step, STEPS);
    // Of eight colours, one in eight is right by chance.
    const told = metrics["accuracy.hair.real"];
    assert(told > 0.25, `hair is told at ${told}`);
    await run(`${folder.path}/stopped`, asked, STOPPED);
    await run(`${folder.path}/stopped`, asked, STEPS);
    const newest = (run: string) => Deno.readFile(`${folder.path}/${run}/${NEWEST}`);
    assertEquals(await newest("stopped"), await newest("whole"));
  });
}
