import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import { decodeSafetensors, Device, HostGenerator } from "../../engine/mod.ts";
import { makeGenerator } from "../../models/mod.ts";
import { drawingPlugins, kindsOf, layersOf } from "../../cli/plugins.ts";
import { builtIn } from "../../plugins/mod.ts";
import { loadGenerator, NEWEST, readRun, Sampler } from "../../training/mod.ts";
import { normalizationBy } from "../../training/plugin_layers.ts";
import { dropPlugins } from "../../training/run_folder.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { assertAsPyTorch } from "../models/torch.ts";
import { chosen, trainsAndResumes, trainTiny } from "./tiny_run.ts";

await Device.open();

const plugin = builtIn["conditional-batch-norm"];

Deno.test("A generator with conditional batch norm draws as PyTorch's, with its gradients and statistics", async () => {
  const normalization = normalizationBy({
    ...{ name: plugin.name, source: plugin.name, plugin, options: {} },
  });
  const generator = new HostGenerator(1), widths = { latent: 4, base: 2, channels: [6, 5, 4] };
  const net = makeGenerator(widths, 5, { generator, normalization });
  await assertAsPyTorch(
    "conditional.G",
    net,
    (net, { z, code }) => ({ images: net.forward(z, code) }),
  );
});

const plugins = () => [chosen("classifier"), chosen("conditional-batch-norm")];

Deno.test("A run with conditional batch norm goes on with the same bytes", async () => {
  await trainsAndResumes(plugins);
});

Deno.test("Its layers are averaged, and drawn with after the run was read again", async () => {
  using folder = temporaryFolder();
  await trainTiny(folder.path, plugins(), { steps: 4 });
  const { tensors } = decodeSafetensors(await Deno.readFile(`${folder.path}/${NEWEST}`));
  for (const network of ["G", "ema.G"]) {
    const gain = tensors[`${network}.bn0.gain.weight`].data as Float32Array;
    assert(gain.some((x) => x !== 0), `${network} learned no gain`);
    assert(Object.hasOwn(tensors, `${network}.bn1.norm.running_mean`));
  }
  const drawing = await drawingPlugins((await readRun(folder.path))!);
  const { generator, conditions } = await loadGenerator(folder.path, {
    ...{ kinds: kindsOf(drawing), layers: layersOf(drawing) },
  });
  const sampler = new Sampler(generator, conditions);
  const draw = async (hair: number) =>
    await sampler.draw(await sampler.requests([1], { hair: [hair] }));
  assertNotEquals(await draw(0), await draw(1));

  const { message } = await assertRejects(() => loadGenerator(folder.path), UserError);
  assertEquals(
    message,
    `${folder.path} needs plugin conditional-batch-norm to draw: the generator has its layers`,
  );
  await assertRejects(
    () => dropPlugins(folder.path, ["conditional-batch-norm"]),
    UserError,
    "cannot drop plugin conditional-batch-norm: the generator has its layers",
  );
});
