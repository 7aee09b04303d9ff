import { assert, assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import {
  add,
  Conv2d,
  Device,
  mean,
  Module,
  mul,
  sqrt,
  square,
  sub,
  type Tensor,
  Variable,
} from "../../engine/mod.ts";
import { Categorical, definePlugin, type Parts, type Plugin } from "../../plugin/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import { type ChosenPlugin, NEWEST, train } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyDataset, tinySettings } from "./tiny.ts";

await Device.open();

const classifier: ChosenPlugin = {
  plugin: builtIn.classifier,
  source: "classifier",
  options: {},
};

/** A plugin of some parts, as if it came from a file. */
function pluginOf(name: string, parts: Parts | (() => Parts)): ChosenPlugin {
  const plugin: Plugin = definePlugin({
    name,
    version: "1.0.0",
    help: "For a test",
    setup: () => typeof parts === "function" ? parts() : parts,
  });
  return { plugin, source: `./${name}.ts`, options: {} };
}

async function start(
  folder: string,
  plugins: readonly ChosenPlugin[],
  options: { steps?: number; stopAt?: number; dropPlugins?: string[] } = {},
): Promise<{ step: number; messages: string[] }> {
  const controller = new AbortController(), messages: string[] = [];
  const { steps = 4, stopAt, dropPlugins } = options;
  const step = await train(tinyDataset(), {
    folder,
    settings: tinySettings,
    schedule: { steps, logEvery: 2, gridEvery: 100, checkpointEvery: 2 },
    plugins,
    dropPlugins,
    reserved: ["count"],
    signal: controller.signal,
    onProgress: ({ step }) => step === stopAt && controller.abort(),
    onMessage: (message) => messages.push(message),
  });
  return { step, messages };
}

/** The message that training with the classifier and a plugin ends with. */
async function failure(...plugins: readonly ChosenPlugin[]): Promise<string> {
  using folder = temporaryFolder();
  const { message } = await assertRejects(
    () => start(`${folder.path}/run`, [classifier, ...plugins]),
    UserError,
  );
  return message;
}

const notANumber = (x: Tensor): Tensor => sqrt(sub(-1, square(x)));

/** A discriminator of patches. */
class Patches extends Module {
  readonly conv: Conv2d;
  constructor(options: ConstructorParameters<typeof Conv2d>[2]["generator"]) {
    super();
    this.conv = new Conv2d(3, 1, { kernelSize: 4, stride: 2, padding: 1, generator: options });
  }
  forward(images: Tensor) {
    const source = this.conv.forward(images);
    return { source, features: [source] };
  }
}

/** A plugin that uses every hook. */
function everything(log: string[] = []): ChosenPlugin {
  const plugin = definePlugin({
    name: "everything",
    version: "1.0.0",
    help: "Uses every hook",
    options: { weight: { type: "number", default: 0.5, help: "Weight" } },
    setup({ weight }, { random, weights, size, batch, features, stages, data }) {
      assertEquals([size, batch, features, data.count], [8, 4, 32, 32]);
      assertEquals(stages, [[4, 4, 4], [8, 2, 2]]);
      const count = new Variable([0], []);
      return {
        conditions: [
          Object.assign(
            new Categorical({ name: "code", classes: ["a", "b"], frequencies: [0.5, 0.5] }),
            { read: undefined },
          ),
        ],
        discriminators: { patches: new Patches(weights) },
        state: { count },
        augment: (images) => add(images, mul(random.normal(images.shape), 0.01)),
        discriminatorTerms: {
          calm: { weight, value: ({ real }) => mean(square(real.source)) },
        },
        generatorTerms: {
          match: {
            value: ({ real, fake }) =>
              square(
                sub(
                  mean(real.discriminators.patches.features![0]),
                  mean(fake.discriminators.patches.features![0]),
                ),
              ),
          },
          again: {
            weight: 0,
            value: ({ judge, fake }) => mean(judge(fake.images, fake.values).source),
          },
        },
        metrics: {
          count: () => {
            count.assign(add(count, 1));
            return count.value;
          },
        },
        hooks: {
          start: ({ step }) => void log.push(`start ${step}`),
          checkpoint: async ({ step, pictures, write }) => {
            log.push(`checkpoint ${step}`);
            const drawn = await pictures.draw(await pictures.requests([1], { code: [1] }));
            await write(`${step}.raw`, new Uint8Array(drawn));
            return { brightness: drawn.reduce((sum, x) => sum + x) / drawn.length };
          },
          end: ({ step }) => void log.push(`end ${step}`),
        },
      };
    },
  });
  return { plugin, source: "./everything.ts", options: { weight: 0.25 } };
}

Deno.test("A plugin takes part by every hook, and its run goes on with the same bytes", async () => {
  using whole = temporaryFolder();
  using stopped = temporaryFolder();
  const log: string[] = [];
  await start(whole.path, [classifier, everything(log)]);
  assertEquals(log, ["start 0", "checkpoint 2", "checkpoint 4", "end 4"]);
  await start(stopped.path, [classifier, everything()], { stopAt: 2 });
  await start(stopped.path, [classifier, everything()]);
  const bytes = (folder: string) => Deno.readFile(`${folder}/${NEWEST}`);
  assertEquals(await bytes(stopped.path), await bytes(whole.path));
  const lines = (await Deno.readTextFile(`${whole.path}/metrics.jsonl`)).trim().split("\n");
  const last = JSON.parse(lines.at(-1)!);
  const names = Object.keys(last).filter((name) => /everything|code|check/.test(name));
  assertEquals(names, [
    "d.class.code.fake",
    "d.everything.patches.adv_real",
    "d.everything.patches.adv_fake",
    "d.everything.calm",
    "g.class.code",
    "g.everything.patches.adv",
    "g.everything.match",
    "accuracy.code.fake",
    "everything.count",
    "everything.brightness",
  ]);
  assertEquals(last["everything.count"], 3.5); // The mean of steps 3 and 4.
  assertEquals((await Deno.stat(`${whole.path}/plugins/everything/4.raw`)).size, 192);
  const run = JSON.parse(await Deno.readTextFile(`${whole.path}/run.json`));
  assertEquals(run.plugins[1], {
    name: "everything",
    version: "1.0.0",
    source: "./everything.ts",
    options: { weight: 0.25 },
    conditions: ["code"],
    draws: false,
  });
});

Deno.test("A run goes on with the plugins that it has, and without one only where it is dropped", async () => {
  using folder = temporaryFolder();
  const calm = pluginOf("calm", {
    networks: { probe: new Patches(undefined) },
    discriminatorTerms: { size: { value: ({ real }) => mean(square(real.source)) } },
    generatorTerms: {},
  });
  // A network that no term uses cannot learn.
  assertEquals(
    await failure(calm),
    "Plugin calm (./calm.ts) failed in networks at step 1: probe.conv.weight has no part in the " +
      "discriminator's loss, and cannot learn",
  );
  const quiet = pluginOf("quiet", {
    state: { seen: new Variable([1], []) },
    discriminatorTerms: { size: { value: ({ real }) => mean(square(real.source)) } },
  });
  await start(folder.path, [classifier, quiet], { steps: 2 });
  const rejects = (plugins: ChosenPlugin[], message: string, dropPlugins?: string[]) =>
    assertRejects(() => start(folder.path, plugins, { dropPlugins }), UserError, message);
  await rejects(
    [classifier],
    "is a run with plugin quiet, which is not asked for: add --plugin ./quiet.ts, or go on without it " +
      "by --drop-plugin quiet",
  );
  await rejects(
    [classifier, quiet, everything()],
    "is a run without plugin everything: leave it out",
  );
  await rejects([quiet, classifier], "is a run with order of plugins");
  await rejects([classifier, quiet], "has no plugin loud to drop: it has classifier, quiet", [
    "loud",
  ]);
  await rejects(
    [quiet],
    "cannot drop plugin classifier: the generator is asked by its hair, eyes",
    [
      "classifier",
    ],
  );
  assertEquals((await start(folder.path, [classifier], { dropPlugins: ["quiet"] })).step, 4);
});

Deno.test("Whatever a plugin does wrong is told with its name, the hook, and the step", async () => {
  const oops = () => {
    throw new Error("oops");
  };
  const cases: [Parts | (() => Parts), string][] = [
    [oops, "Plugin bad (./bad.ts) failed in setup: oops"],
    [{ augment: oops }, "Plugin bad (./bad.ts) failed in augment at step 1: oops"],
    [
      { augment: (images) => mean(images) },
      "Plugin bad (./bad.ts) failed in augment at step 1: It must return a tensor [4, 3, 8, 8], not []",
    ],
    [
      { augment: (images) => notANumber(images) },
      "Plugin bad made numbers that are not finite in augment at step 1",
    ],
    [
      { discriminatorTerms: { wide: { value: ({ real }) => real.source } } },
      "failed in discriminatorTerms.wide at step 1: It must return a tensor [], not [4]",
    ],
    [
      { generatorTerms: { hole: { value: ({ fake }) => notANumber(mean(fake.source)) } } },
      "g.bad.hole (of plugin bad) became",
    ],
    [
      { metrics: { hole: ({ real }) => notANumber(mean(real.source)) } },
      "bad.hole (of plugin bad) became NaN at step 1",
    ],
    [{ hooks: { start: oops } }, "Plugin bad (./bad.ts) failed in hooks.start at step 1: oops"],
    [
      { hooks: { checkpoint: () => Promise.reject(new Error("late")) } },
      "Plugin bad (./bad.ts) failed in hooks.checkpoint at step 2: late",
    ],
    [
      { hooks: { end: ({ write }) => write("../x", new Uint8Array()) } },
      'failed in hooks.end at step 4: "../x" is no file name',
    ],
    [{ networks: { net: 1 as unknown as Module } }, 'network "net" must be a Module, not 1'],
    [
      { networks: { net: new Patches(undefined) }, state: { net: new Variable([1], []) } },
      '"net" names two parts of the checkpoint',
    ],
    [
      { conditions: [new Categorical({ name: "count", classes: ["a"], frequencies: [1] })] },
      "No condition can be named count: that name is taken",
    ],
    [
      { conditions: [new Categorical({ name: "hair", classes: ["a"], frequencies: [1] })] },
      "Plugins classifier and bad both bring the condition hair: leave one out",
    ],
  ];
  for (const [parts, message] of cases) {
    const found = await failure(pluginOf("bad", parts));
    assert(found.includes(message), `${found}\nlacks: ${message}`);
  }
});

Deno.test("Two owners of a name or a choice are refused by both names", async () => {
  const objective = { real: mean, fake: mean, generator: mean };
  assertEquals(
    await failure(pluginOf("one", { objective }), pluginOf("two", { objective })),
    "Plugins one and two both bring an adversarial loss: leave one out",
  );
  assertEquals(
    await failure(pluginOf("one", {}), { ...pluginOf("one", {}), source: "./other.ts" }),
    "Two plugins are named one: ./one.ts and ./other.ts. Leave one out",
  );
});

Deno.test("Options are checked before anything starts", async () => {
  const plugin = (options: Record<string, unknown>) => ({ ...everything(), options });
  assertEquals(
    await failure(plugin({ wieght: 1 })),
    'Plugin everything has no option "wieght" (did you mean weight?); it has weight',
  );
  assertEquals(
    await failure(plugin({ weight: "much" })),
    "everything.weight must be a number, not much",
  );
});
