import { assert, assertEquals } from "@std/assert";
import { pathToFileURL } from "node:url";
import { avatarDataset } from "../../data/mod.ts";
import { Device } from "../../engine/mod.ts";
import type { Plugin } from "../../plugin/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import { presetSettings, Trial } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";

await Device.open();

Deno.test("The plugins of docs/plugins.md train, all of them together", async () => {
  const page = await Deno.readTextFile(new URL("../../docs/plugins.md", import.meta.url));
  const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code]) => code)
    .filter((code) => code.includes("export default definePlugin("));
  using folder = temporaryFolder(
    Object.fromEntries(blocks.map((code, i) => [`${i}.ts`, code])),
  );
  const plugins: Plugin[] = [];
  for (const i of blocks.keys()) {
    plugins.push((await import(pathToFileURL(`${folder.path}/${i}.ts`).href)).default);
  }
  const names = plugins.map(({ name }) => name);
  assertEquals(names, [
    ...["calm", "brightness", "direction", "smooth", "coarse"],
    ...["weight-norm", "group-norm", "grain", "steady"],
  ]);

  const settings = {
    ...presetSettings("small32"),
    size: 16,
    generator: { latent: 4, base: 8, channels: [4, 4] },
    discriminator: { channels: [4, 4] },
    batch: 4,
  };
  const trial = await Trial.setUp(avatarDataset({ count: 16, size: 16, seed: 1 }), {
    settings,
    plugins: [
      { plugin: builtIn.classifier, source: "classifier", options: { columns: ["hair"] } },
      ...plugins.map((plugin, i) => ({ plugin, source: `./${i}.ts`, options: {} })),
    ],
  });
  for (let i = 0; i < 3; i++) await trial.step();
  const metrics = Object.keys(await trial.metrics());
  for (
    const name of [
      "d.calm.logits",
      "g.class.brightness",
      "d.class.direction.fake",
      "g.smooth.matching",
      "d.smooth.penalty",
      "g.coarse.half.adv",
      "grain.fakes",
      "d.steady.drift",
    ]
  ) assert(metrics.includes(name), `${name} is not among ${metrics}`);
});
