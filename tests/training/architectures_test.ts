import { assertEquals, assertNotEquals } from "@std/assert";
import { avatarDataset } from "../../data/mod.ts";
import { decodeSafetensors, Device } from "../../engine/mod.ts";
import { NEWEST, presetSettings, type TrainSettings } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { chosen, trainsAndResumes, trainTiny } from "../plugins/tiny_run.ts";
import { tinySettings } from "./tiny.ts";

await Device.open();

/** The paper's networks, narrow, with dropout and noise. */
const settings: TrainSettings = {
  ...presetSettings("odena32"),
  size: 16,
  generator: { architecture: "odena", latent: 6, base: 4, channels: [8, 4] },
  discriminator: { architecture: "odena", channels: [4, 4, 8], dropout: 0.5, noise: 0.1 },
  batch: 4,
};
const plugins = () => [chosen("classifier", { columns: ["hair"] })];
const dataset = avatarDataset({ count: 40, size: 16, seed: 1 });
const options = { dataset, settings };

Deno.test("A run with dropout and noise goes on with the same bytes", async () => {
  await trainsAndResumes(plugins, options);
});

Deno.test("The checkpoint keeps where the random numbers of dropout and noise are", async () => {
  const random = async (steps: number): Promise<number[]> => {
    using folder = temporaryFolder();
    await trainTiny(folder.path, plugins(), { ...options, steps });
    const { tensors } = decodeSafetensors(await Deno.readFile(`${folder.path}/${NEWEST}`));
    return Array.from(tensors["random.D"].data, Number);
  };
  const [one, two] = [await random(1), await random(2)];
  assertNotEquals(one, two);
  // Noise and dropout of three convolutions, each of which a step's three batches pass.
  assertEquals([one[2], two[2]], [18, 36]);
});

Deno.test("A run of the usual architecture keeps no more than it did before there was a choice", async () => {
  using folder = temporaryFolder();
  await trainTiny(folder.path, plugins(), {
    steps: 1,
    settings: tinySettings,
    ...{ dataset: avatarDataset({ count: 40, size: 8, seed: 1 }) },
  });
  const { tensors, metadata } = decodeSafetensors(await Deno.readFile(`${folder.path}/${NEWEST}`));
  assertEquals(
    Object.keys(tensors).filter((name) => /^(random|[GD]\.(conv|bn)1)/.test(name)).sort(),
    [
      "D.conv1.bias",
      "D.conv1.weight",
      "G.bn1.bias",
      "G.bn1.running_mean",
      "G.bn1.running_var",
      "G.bn1.weight",
      "G.conv1.weight",
      "random",
    ],
  );
  const { generator, discriminator, plugins: described } = JSON.parse(metadata.run);
  assertEquals(generator, { latent: 6, base: 4, channels: [8, 4] });
  assertEquals(discriminator, { channels: [4, 8] });
  assertEquals(Object.keys(described[0]), [
    ...["name", "version", "source", "options", "conditions", "draws"],
  ]);
});
