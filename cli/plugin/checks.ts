// The checks of a plugin that its code is run for.

import { type Dataset, UserError } from "../../data/mod.ts";
import { type Condition, optionValues, placeholderOf, type Plugin } from "../../plugin/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import {
  type ChosenPlugin,
  loadGenerator,
  NEWEST,
  presetSettings,
  Sampler,
  termGradients,
  train,
  type TrainSettings,
  Trial,
} from "../../training/mod.ts";
import { withPlugins } from "../plugins.ts";
import { reservedNames } from "../sample/mod.ts";
import { avatarsFor, classifier, isClassifier, withClassifier } from "./avatars.ts";
import { compareCost } from "./cost.ts";

/** Networks whose step takes little time, for pictures that are large enough to look at in several scales. */
const SETTINGS: TrainSettings = {
  ...presetSettings("small32"),
  generator: { latent: 8, base: 8, channels: [8, 8, 4] },
  discriminator: { channels: [4, 8] },
  batch: 8,
  holdout: 0,
};

/** Steps of the training that is checked, and where the one that goes on was stopped. */
const STEPS = 3;
const STOPPED = 2;

/** A share by which a derivative may be off: networks have kinks, over which differences go straight. */
const TOLERANCE = 0.25;

/** Steps with and without the plugin, in turns. */
const ROUNDS = 7;

/** Where lines go; see `CheckList`. */
export interface Checks {
  check(name: string, run: () => Promise<string | Error> | string | Error): Promise<boolean>;
}

/** Checks a plugin on drawn avatars; a check that needs one that failed is left out. */
export async function checkPlugin(chosen: ChosenPlugin, checks: Checks): Promise<void> {
  const { plugin } = chosen, plugins = withClassifier(chosen);
  if (!await checks.check("options", () => checkDeclaration(chosen))) return;
  let dataset: Dataset, trial: Trial;
  const setUp = await checks.check("setup", async () => {
    dataset = avatarsFor(plugins, SETTINGS);
    trial = await Trial.setUp(dataset, { settings: SETTINGS, plugins });
    return describeParts(trial, plugin);
  });
  if (!setUp) return;
  const stepped = await checks.check("step", async () => {
    let metrics = {};
    for (let i = 0; i < STEPS; i++) {
      await trial.step();
      metrics = await trial.metrics();
    }
    const { conditions } = activeIn(trial, plugin);
    const names = [plugin.name, ...conditions.map(({ name }) => name)];
    const own = Object.keys(metrics).filter((metric) =>
      metric.split(".").some((part) => names.includes(part))
    );
    return `${trial.footprint.dispatches} dispatches` +
      (own.length > 0 ? `; logs ${own.join(", ")}` : "");
  });
  if (!stepped) return;
  await checks.check("gradients", () => checkGradients(trial, plugin));

  const folder = await Deno.makeTempDir({ prefix: "kao-check-" });
  try {
    const run = (name: string, steps: number) =>
      train(dataset, {
        folder: `${folder}/${name}`,
        settings: SETTINGS,
        schedule: { steps, logEvery: 1, gridEvery: STEPS, checkpointEvery: 1 },
        plugins,
        reserved: reservedNames,
      });
    const trained = await checks.check("training", async () => {
      await run("whole", STEPS);
      return `${STEPS} steps`;
    });
    if (trained) {
      await checks.check("resume", async () => {
        await run("stopped", STOPPED);
        await run("stopped", STEPS);
        return await sameCheckpoints(`${folder}/whole`, `${folder}/stopped`);
      });
      await checks.check("sample", () => checkSampling(`${folder}/whole`, chosen));
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  if (isClassifier(plugin)) return;
  await checks.check("cost", async () => {
    const without = await Trial.setUp(dataset, { settings: SETTINGS, plugins: [classifier] });
    return await compareCost(trial, without, { rounds: ROUNDS });
  });
}

/** What it declares: a name of its own, options with defaults that fit. */
function checkDeclaration({ plugin, options }: ChosenPlugin): string {
  const { name } = plugin, other = builtIn[name];
  if (other !== undefined && other !== plugin) {
    throw new UserError(`the name ${name} is that of a plugin that is built in: choose another`);
  }
  for (const flag of Object.keys(plugin.sampling?.options ?? {})) {
    if (!reservedNames.includes(flag)) continue;
    throw new UserError(`sample has an option ${flag} already: name the plugin's otherwise`);
  }
  const values = optionValues(plugin, options);
  const said = Object.entries(plugin.options).map(([key, option]) =>
    `${key} ${values[key] === undefined ? `(${placeholderOf(option)})` : values[key]}`
  );
  return said.join(", ") || "none";
}

function activeIn({ model }: Trial, plugin: Plugin): Trial["model"]["plugins"]["list"][number] {
  return model.plugins.list.find((active) => active.plugin === plugin)!;
}

/** What setting it up made, counted. */
function describeParts(trial: Trial, plugin: Plugin): string {
  const { parts, conditions, optimizer } = activeIn(trial, plugin);
  const weights = optimizer?.parameters.reduce((sum, { size }) => sum + size, 0) ?? 0;
  const names = (kind: string, record: Readonly<Record<string, unknown>> = {}): string[] => {
    const keys = Object.keys(record);
    return keys.length > 0 ? [`${kind} ${keys.join(", ")}`] : [];
  };
  const byName = Object.fromEntries(conditions.map((it) => [it.name, it]));
  return [
    ...names("conditions", byName),
    ...names("discriminators", parts.discriminators),
    ...names("networks", parts.networks),
    ...(weights > 0 ? [`${weights} weights of its own`] : []),
    ...names("terms of D", parts.discriminatorTerms),
    ...names("terms of G", parts.generatorTerms),
    ...(parts.objective ? ["objective"] : []),
    ...(parts.augment ? ["augment"] : []),
    ...(plugin.discriminatorWeight ? ["functions of D's weights"] : []),
    ...(plugin.normalization ? ["normalisation of G"] : []),
    ...names("metrics", parts.metrics),
    ...names("state", parts.state),
    ...names("hooks", parts.hooks as Readonly<Record<string, unknown>> | undefined),
  ].join("; ") || "nothing";
}

async function checkGradients(trial: Trial, plugin: Plugin): Promise<string> {
  const found = await termGradients(trial, activeIn(trial, plugin));
  if (found.length === 0) return "no terms to check";
  const worst = found.reduce((a, b) => b.error > a.error ? b : a);
  const terms = new Set(found.map(({ term }) => term));
  const told = ({ term, network, computed, differences }: typeof worst): string =>
    `${term} along the weights of ${network}: ${computed.toPrecision(4)} by its gradient, ` +
    `${differences.toPrecision(4)} by differences`;
  if (worst.error <= TOLERANCE) {
    const share = (100 * worst.error).toFixed(1);
    return `${terms.size} terms agree with differences, within ${share} %`;
  }
  const wrong = found.filter(({ error }) => !(error <= TOLERANCE));
  throw new UserError(`${wrong.map(told).join("; ")} (detach() does that, where it is meant)`);
}

async function sameCheckpoints(whole: string, stopped: string): Promise<string> {
  const [a, b] = await Promise.all(
    [whole, stopped].map((folder) => Deno.readFile(`${folder}/${NEWEST}`)),
  );
  if (a.length === b.length && a.every((byte, i) => byte === b[i])) {
    return `stopped after ${STOPPED} of ${STEPS} steps, it ends with the same bytes`;
  }
  throw new UserError(
    `stopped after ${STOPPED} of ${STEPS} steps, it ends with other bytes than in one go: what ` +
      `changes from step to step must be in a Variable of state, and random numbers from setup's random`,
  );
}

/** Makes the run's conditions again, as sample does, and draws every value that they show. */
async function checkSampling(folder: string, chosen: ChosenPlugin): Promise<string> {
  const { plugin } = chosen, options = optionValues(plugin, chosen.options);
  const { generator, conditions } = await loadGenerator(folder, {
    kinds: plugin.kinds,
    layers: [{ name: plugin.name, source: chosen.source, plugin, options }],
  });
  const sampler = withPlugins(new Sampler(generator, conditions), [plugin], {});
  const shown = conditions.map((condition) => checkValues(condition));
  const given = Object.fromEntries(conditions.map(({ name }, i) => [name, shown[i]]));
  await sampler.draw(await sampler.requests([1, 2], given));
  const asked = conditions.map(({ name, help }) => `--${name} (${help})`);
  return asked.slice(isClassifier(plugin) ? 0 : 1).join(", ") || "draws";
}

/** The first value that a condition shows. */
function checkValues(condition: Condition): readonly number[] {
  const [first] = condition.showcase();
  if (first !== undefined) return first.value;
  throw new UserError(`condition ${condition.name} shows nothing: showcase() is empty`);
}
