// Every architecture, narrow, with the plugins of its preset, on drawn avatars: it learns, and goes on with the same bytes.

import { assert, assertEquals } from "@std/assert";
import { avatarDataset } from "../../data/mod.ts";
import { Device } from "../../engine/mod.ts";
import { type Preset, presets } from "../../models/mod.ts";
import { NEWEST, presetSettings, train, type TrainSettings } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { chosen } from "../plugins/tiny_run.ts";

await Device.open();

const STEPS = 120, STOPPED = 50;
const dataset = avatarDataset({ count: 240, size: 16, seed: 3 });
const generator: TrainSettings["generator"] = {
  architecture: "srresnet",
  ...{ latent: 16, base: 4, channels: 12, blocks: 2, stages: 2 },
};
const networks: Readonly<Record<string, Pick<TrainSettings, "generator" | "discriminator">>> = {
  odena32: {
    generator: { architecture: "odena", latent: 16, base: 4, channels: [24, 12] },
    discriminator: { architecture: "odena", channels: [8, 8, 16, 16], dropout: 0.5, noise: 0.1 },
  },
  zjusct64: {
    generator,
    discriminator: { architecture: "zjusct", channels: [8, 16, 32], towers: [32, 16] },
  },
  girlsmoe64: {
    generator,
    discriminator: {
      ...{ architecture: "girlsmoe", channels: [8, 16, 32], blocks: [1, 1, 0], kernels: [4, 4, 3] },
    },
  },
};

for (const [name, widths] of Object.entries(networks)) {
  const preset: Preset = presets[name as keyof typeof presets];
  const plugins = [
    chosen("classifier", { columns: ["hair"] }),
    ...Object.entries(preset.plugins ?? {}).map(([plugin, options]) => chosen(plugin, options)),
  ];
  const settings = {
    ...presetSettings(name as keyof typeof presets),
    ...widths,
    ...{ size: 16, batch: 8, lr: 1e-3 },
  };
  const run = async (folder: string, steps: number) => {
    await train(dataset, {
      ...{ folder, settings, plugins },
      schedule: { steps, logEvery: 10, gridEvery: STEPS, checkpointEvery: STEPS },
    });
    const lines = (await Deno.readTextFile(`${folder}/metrics.jsonl`)).trim().split("\n");
    return lines.map((line) => JSON.parse(line));
  };

  Deno.test(`${STEPS} steps of ${name}, narrow, tell hair, and go on with the same bytes`, async () => {
    using folder = temporaryFolder();
    const rows = await run(`${folder.path}/whole`, STEPS);
    const [first, last] = [rows[0], rows.at(-1)].map((row) => row["d.class.hair.real"]);
    assert(last < 0.9 * first, `the loss of hair went from ${first} to ${last}`);
    await run(`${folder.path}/stopped`, STOPPED);
    await run(`${folder.path}/stopped`, STEPS);
    const newest = (run: string) => Deno.readFile(`${folder.path}/${run}/${NEWEST}`);
    assertEquals(await newest("stopped"), await newest("whole"));
  });
}
