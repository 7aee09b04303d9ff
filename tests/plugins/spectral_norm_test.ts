import {
  assertAlmostEquals,
  assertEquals,
  assertMatch,
  assertNotEquals,
  assertRejects,
} from "@std/assert";
import { drawingPlugins, layersOf } from "../../cli/plugins.ts";
import { UserError } from "../../data/mod.ts";
import { decodeSafetensors, Device, HostGenerator } from "../../engine/mod.ts";
import { GirlsmoeDiscriminator } from "../../models/mod.ts";
import { optionValues } from "../../plugin/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import { loadGenerator, NEWEST, readRun } from "../../training/mod.ts";
import { dropPlugins } from "../../training/run_folder.ts";
import { parametrize } from "../../training/plugin_layers.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { assertAsPyTorch } from "../models/torch.ts";
import { refusal } from "./loss_run.ts";
import { chosen, trainsAndResumes, trainTiny } from "./tiny_run.ts";

await Device.open();

const plugin = builtIn["spectral-norm"];

Deno.test("A discriminator with spectral norm judges twice as PyTorch's, with its gradients and vectors", async () => {
  const generator = new HostGenerator(1);
  const net = new GirlsmoeDiscriminator(
    { architecture: "girlsmoe", channels: [4, 5], blocks: [1, 0], kernels: [4, 3] },
    16,
    { heads: { hair: 3, eyes: 2 }, generator },
  );
  const { name } = plugin, options = optionValues(plugin, {});
  parametrize(net, { name, source: name, plugin, options, seed: 1 });
  await assertAsPyTorch("spectral.D", net, (net, { images }) => {
    const [first, second] = [net.forward(images), net.forward(images)];
    const numbered = ({ source, heads }: typeof first, which: number) =>
      Object.entries({ source, ...heads }).map(([name, x]) => [`${name}${which}`, x]);
    return Object.fromEntries([...numbered(first, 1), ...numbered(second, 2)]);
  });
});

Deno.test("A run with spectral norm keeps its vectors with D's weights, goes on with the same bytes, and can drop it", async () => {
  await trainsAndResumes(() => [chosen("classifier"), chosen("spectral-norm")]);
  using folder = temporaryFolder();
  await trainTiny(folder.path, [chosen("classifier"), chosen("spectral-norm")], { steps: 2 });
  const { tensors } = decodeSafetensors(await Deno.readFile(`${folder.path}/${NEWEST}`));
  const vectors = Object.keys(tensors).filter((name) => name.endsWith(".u"));
  assertEquals(vectors.includes("D.conv1.parametrization.u"), true);
  assertEquals(
    vectors.length,
    Object.keys(tensors).filter((name) =>
      /^D\..*\.weight$/.test(name) && tensors[name].shape.length > 1
    ).length,
  );
  for (const name of vectors) {
    assertAlmostEquals(Math.hypot(...tensors[name].data as Float32Array), 1, 1e-5);
  }
  // Pictures are judged later by the weights as they were used, which need the plugin again.
  const layers = layersOf(await drawingPlugins((await readRun(folder.path))!));
  assertNotEquals((await loadGenerator(folder.path, { critic: true, layers })).critic, undefined);
  await assertRejects(
    () => loadGenerator(folder.path, { critic: true }),
    UserError,
    ".parametrization.u",
  );

  await dropPlugins(folder.path, ["spectral-norm"]);
  await trainTiny(folder.path, [chosen("classifier")], { steps: 4 });
});

Deno.test("Spectral norm's options are refused out of range", async () => {
  assertMatch(
    await refusal("spectral-norm", { iterations: 0 }),
    /spectral-norm\.iterations must be/,
  );
});
