// Layers that plugins put into the networks: what they are told, and what is made of their mistakes.

import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import {
  BatchNorm2d,
  decodeSafetensors,
  Device,
  Module,
  mul,
  Parameter,
  slice,
  sqrt,
  type Tensor,
} from "../../engine/mod.ts";
import { definePlugin, type Plugin, type WeightSite } from "../../plugin/mod.ts";
import { type ChosenPlugin, NEWEST } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { chosen, trainTiny } from "../plugins/tiny_run.ts";
import { tinyDataset } from "./tiny.ts";

await Device.open();

type Hooks = Pick<Plugin, "discriminatorWeight" | "normalization">;

/** A plugin of some hooks, as if it came from a file. */
function pluginOf(name: string, hooks: Hooks): ChosenPlugin {
  const plugin = definePlugin({
    ...{ name, version: "1.0.0", help: "For a test" },
    ...{ setup: () => ({}), ...hooks },
  });
  return { plugin, source: `./${name}.ts`, options: {} };
}

/** A layer that is a function of its input. */
class Mapping extends Module {
  readonly #map: (x: Tensor) => Tensor;
  constructor(map: (x: Tensor) => Tensor) {
    super();
    this.#map = map;
  }
  forward(x: Tensor): Tensor {
    return this.#map(x);
  }
}

/** A weight times a number that is learned. */
class Gain extends Module {
  readonly gain = new Parameter([1], [1]);
  forward(weight: Tensor): Tensor {
    return mul(weight, this.gain);
  }
}

const weights = (make: (site: WeightSite) => Mapping | Gain | undefined): Hooks => ({
  discriminatorWeight: (_, site) => make(site),
});

async function train(folder: string, ...plugins: readonly ChosenPlugin[]): Promise<void> {
  const all = [chosen("classifier"), ...plugins];
  await trainTiny(folder, all, { steps: 2, dataset: tinyDataset() });
}

async function failure(...plugins: readonly ChosenPlugin[]): Promise<string> {
  using folder = temporaryFolder();
  const { message } = await assertRejects(() => train(folder.path, ...plugins), UserError);
  return message;
}

Deno.test("A function of D's weights is asked for each, may leave some, and its parameters learn with them", async () => {
  using folder = temporaryFolder();
  const sites: WeightSite[] = [];
  const plugin = pluginOf(
    "gain",
    weights((site) => {
      sites.push(site);
      return site.name === "conv2.weight" ? new Gain() : undefined;
    }),
  );
  await train(folder.path, plugin);
  assertEquals(sites.map(({ name, shape, dim }) => [name, shape.join("x"), dim]), [
    ["conv1.weight", "4x3x4x4", 0],
    ["src.weight", "1x32", 0],
    ["cls.hair.weight", "3x32", 0],
    ["cls.eyes.weight", "2x32", 0],
    ["conv2.weight", "8x4x4x4", 0],
  ]);
  const { tensors } = decodeSafetensors(await Deno.readFile(`${folder.path}/${NEWEST}`));
  const { data } = tensors["D.conv2.parametrization.gain"];
  assertEquals([data.length, data[0] !== 1], [1, true]);
  assertEquals(Object.keys(tensors).filter((name) => name.includes("parametrization")).sort(), [
    "D.conv2.parametrization.gain",
    "optim.D.exp_avg.conv2.parametrization.gain",
    "optim.D.exp_avg_sq.conv2.parametrization.gain",
  ]);
});

Deno.test("Mistakes of layers are told with the plugin, the hook and the step", async () => {
  const half = (x: Tensor): Tensor => slice(x, [[0, 1]]);
  const broken = (x: Tensor): Tensor => sqrt(mul(-1, mul(x, x)));
  const norms = (map: (x: Tensor) => Tensor): Hooks => ({ normalization: () => new Mapping(map) });
  assertEquals(
    await failure(
      pluginOf(
        "halves",
        weights(({ name }) => name === "conv1.weight" ? new Mapping(half) : undefined),
      ),
    ),
    "Plugin halves (./halves.ts) failed in discriminatorWeight at step 1: " +
      "It must return a tensor [4, 3, 4, 4], not [1, 3, 4, 4]",
  );
  assertEquals(
    await failure(pluginOf("first", norms(half))),
    "Plugin first (./first.ts) failed in normalization at step 1: " +
      "It must return a tensor [4, 8, 4, 4], not [1, 8, 4, 4]",
  );
  assertStringIncludes(
    await failure(pluginOf("roots", norms(broken))),
    "Plugin roots made numbers that are not finite in normalization at step 1. ",
  );
  assertEquals(
    await failure(pluginOf("other", { normalization: () => ({}) as Mapping })),
    "Plugin other (./other.ts) failed in normalization: It must return a Module with forward(), " +
      "not [object Object]",
  );
});

Deno.test("Two plugins cannot both bring the generator's normalisation, or functions of D's weights", async () => {
  const norm: Hooks = { normalization: (_, { channels }) => new BatchNorm2d(channels) };
  assertEquals(
    await failure(pluginOf("one", norm), chosen("conditional-batch-norm")),
    "Plugins one and conditional-batch-norm both bring the generator's normalisation: leave one out",
  );
  assertEquals(
    await failure(pluginOf("one", weights(() => undefined)), chosen("spectral-norm")),
    "Plugins one and spectral-norm both bring what D's weights are used through: leave one out",
  );
});
