import { assert, assertEquals, assertMatch } from "@std/assert";
import { checkPlugin } from "../../cli/plugin/checks.ts";
import { compareWays } from "../../cli/plugin/interface_cost.ts";
import { avatarsFor, classifier } from "../../cli/plugin/avatars.ts";
import template from "../../cli/plugin/template/slider.ts";
import { add, detach, Device, mean, mul, sqrt, sub, sum } from "../../engine/mod.ts";
import { Categorical, definePlugin, type Parts } from "../../plugin/mod.ts";
import { presetSettings } from "../../training/mod.ts";

await Device.open();

/** What checks say of a plugin, by name. */
async function check(
  plugin: ReturnType<typeof definePlugin>,
  options: Readonly<Record<string, unknown>> = {},
): Promise<Record<string, string>> {
  const said: Record<string, string> = {};
  await checkPlugin({ plugin, source: `./${plugin.name}.ts`, options }, {
    async check(name, run) {
      try {
        said[name] = String(await run());
        return true;
      } catch (error) {
        said[name] = `FAILED: ${(error as Error).message}`;
        return false;
      }
    },
  });
  return said;
}

function pluginOf(parts: Parts | (() => Parts), name = "bad"): ReturnType<typeof definePlugin> {
  const setup = () => typeof parts === "function" ? parts() : parts;
  return definePlugin({ name, version: "1.0.0", help: "For a test", setup });
}

Deno.test("The plugin that new writes passes every check, with an option given", async () => {
  const { cost, gradients, step, ...others } = await check(template, { weight: 0.5 });
  assertEquals(others, {
    options: "weight 0.5",
    setup: "conditions slider; terms of G measured",
    training: "3 steps",
    resume: "stopped after 2 of 3 steps, it ends with the same bytes",
    sample: "--slider (warmth of the colours, a number from -0.566 to 0.733)",
  });
  const [dispatches, logged] = step.split("; logs ");
  assertMatch(dispatches, /^\d+ dispatches$/);
  assertEquals(logged.split(", "), [
    "d.class.slider.real",
    "g.class.slider",
    "g.slider.measured",
    "accuracy.slider.real",
    "accuracy.slider.fake",
  ]);
  assertMatch(gradients, /^4 terms agree with differences, within \d+\.\d %$/);
  assertMatch(
    cost,
    /^\S+ ms a step, \S+ without it \(x\d+\.\d\d\); \S+ MiB, \S+ without; \d+ dispatches, \d+ without$/,
  );
  const [own, without] = [...cost.matchAll(/(\d+) dispatches|(\d+) without$/g)].map((m) =>
    Number(m[1] ?? m[2])
  );
  assert(own > without, cost);
});

Deno.test("A gradient that is cut, state that is forgotten, and a kind that nobody makes again are found", async () => {
  let starts = 0;
  const said = await check(pluginOf(() => {
    const weight = 1 + starts++; // Another one at each start.
    return {
      conditions: [
        Object.assign(
          new Categorical({ name: "mood", classes: ["a", "b"], frequencies: [0.5, 0.5] }),
          { kind: "mood", read: undefined },
        ),
      ],
      discriminatorTerms: {
        cut: { weight, value: ({ real }) => add(10, mean(mul(detach(real.source), real.source))) },
      },
    };
  }));
  assertMatch(
    said.gradients,
    /^FAILED: d\.bad\.cut along the weights of D: \S+ by its gradient, \S+ by differences \(detach/,
  );
  assertMatch(said.resume, /^FAILED: stopped after 2 of 3 steps, it ends with other bytes/);
  assertMatch(said.sample, /^FAILED: Unknown kind of condition "mood": known are/);
  assertEquals(said.training, "3 steps");
});

Deno.test("What ends a check early is told with the plugin, the hook and the step", async () => {
  const cases: [Parts | (() => Parts), string, string][] = [
    [
      () => {
        throw new Error("oops");
      },
      "setup",
      "Plugin bad (./bad.ts) failed in setup: oops",
    ],
    [
      { discriminatorTerms: { wide: { value: ({ real }) => real.source } } },
      "step",
      "Plugin bad (./bad.ts) failed in discriminatorTerms.wide at step 1: It must return a tensor [], not [8]",
    ],
    [
      {
        generatorTerms: { hole: { value: ({ fake }) => sqrt(sub(-1, sum(mul(fake.source, 0)))) } },
      },
      "step",
      "g.bad.hole (of plugin bad) became NaN at step 1",
    ],
    [
      { conditions: [new Categorical({ name: "hair", classes: ["a"], frequencies: [1] })] },
      "setup",
      "Plugins classifier and bad both bring the condition hair: leave one out",
    ],
  ];
  for (const [parts, name, message] of cases) {
    const said = await check(pluginOf(parts));
    assertEquals(Object.keys(said).at(-1), name);
    assert(said[name].startsWith(`FAILED: ${message}`), said[name]);
  }
});

Deno.test("A name that is taken, and options that do not fit, are told before anything runs", async () => {
  assertEquals(await check(pluginOf({}, "classifier")), {
    options: "FAILED: the name classifier is that of a plugin that is built in: choose another",
  });
  assertEquals(await check(template, { weight: -1 }), {
    options: "FAILED: slider.weight must be a number at least 0, not -1",
  });
  const sampling = {
    options: { seed: { type: "integer", help: "Taken" } },
    apply: <T>(request: T): T => request,
  } as const;
  assertEquals(await check({ ...template, sampling }), {
    options: "FAILED: sample has an option seed already: name the plugin's otherwise",
  });
});

Deno.test("The classifier as a plugin is the step that one would write by hand: same kernels, same numbers", async () => {
  const settings = {
    ...presetSettings("small32"),
    generator: { latent: 8, base: 8, channels: [8, 8, 4] },
    discriminator: { channels: [4, 8] },
    batch: 8,
  };
  const { plugins, byHand } = await compareWays(avatarsFor([classifier], settings), {
    settings,
    rounds: 2,
  });
  assertEquals(plugins.dispatches, byHand.dispatches);
  assertEquals(plugins.results, byHand.results);
  assertEquals(Object.keys(plugins.results).length, 7);
  assertEquals([plugins.times.length, byHand.times.length], [2, 2]);
});
