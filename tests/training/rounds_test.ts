// Steps of more than one batch: several of D for one of G, gradients of several batches, clipped, at rates that change.

import { assert, assertAlmostEquals, assertEquals, assertLess, assertRejects } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import {
  compile,
  concat,
  Device,
  HostGenerator,
  read,
  type Tensor,
  tensor,
  type TypedArray,
  Variable,
} from "../../engine/mod.ts";
import {
  Acgan,
  compileStep,
  type Draw,
  estimateStep,
  metricNames,
  MetricRing,
  type Metrics,
  NEWEST,
  presetSettings,
  readCheckpoint,
  termWeights,
  train,
  type TrainSettings,
  trainStep,
} from "../../training/mod.ts";
import { drawBatch } from "../../training/compiled_step.ts";
import { rateFactor, type RateSettings } from "../../training/learning_rate.ts";
import { fromBytes } from "../../training/pictures.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyConditions, tinyDataset, tinySettings } from "./tiny.ts";

const device = await Device.open();

const conditions = tinyConditions();

/** Pictures and labels of four pictures; the same number gives the same. */
function batchOf(seed: number): Tensor[] {
  const random = new HostGenerator(seed);
  const bytes = Uint8Array.from(
    { length: 4 * 3 * 8 * 8 },
    () => Math.floor(random.uniform() * 256),
  );
  const classes = conditions.map(({ classes }) =>
    tensor(Int32Array.from({ length: 4 }, () => Math.floor(random.uniform() * classes.length)))
  );
  return [tensor(bytes, [4, 3, 8, 8]), ...classes];
}

/** What a batch is to a step. */
const realOf = ([bytes, ...values]: readonly Tensor[]) => ({ images: fromBytes(bytes), values });

/** A model whose batch norm sees no batches, if it is told so. */
function modelOf(
  settings: Partial<TrainSettings> = {},
  options: { evaluated?: boolean } = {},
): Acgan {
  const model = new Acgan({ ...tinySettings, ...settings }, conditions);
  if (options.evaluated) {
    model.generator.eval();
    model.discriminator.eval();
  }
  return model;
}

/** Takes a step of several batches, and returns what it noted. */
async function takeRounds(
  model: Acgan,
  batches: readonly Tensor[][],
  options: { accumulate?: number; dSteps?: number },
): Promise<Metrics> {
  const weights = termWeights(model, tinySettings);
  const ring = new MetricRing(metricNames(model, weights), { capacity: 1 });
  compileStep(model, { ...tinySettings, ...options, weights, ring })(...batches.flat());
  return (await ring.last(1))[0];
}

async function numbersOf(model: Acgan): Promise<Record<string, TypedArray>> {
  const state = model.state(), arrays = await read(Object.values(state));
  return Object.fromEntries(Object.keys(state).map((name, i) => [name, arrays[i]]));
}

/** The length of a network's gradient, which Adam's first mean remembers half of. */
function gradientNorm(state: Record<string, TypedArray>, network: "G" | "D"): number {
  const means = Object.entries(state).filter(([name]) =>
    name.startsWith(`optim.${network}.exp_avg.`)
  );
  const squares = means.flatMap(([, mean]) => Array.from(mean, (x) => (x / 0.5) ** 2));
  return Math.sqrt(squares.reduce((a, b) => a + b));
}

const scalarsOf = async (scalars: Readonly<Record<string, Tensor>>): Promise<Metrics> => {
  const arrays = await read(Object.values(scalars));
  return Object.fromEntries(Object.keys(scalars).map((name, i) => [name, arrays[i][0]]));
};

Deno.test("Where no batch norm sees batches, gradients of two batches are those of one twice as large", async () => {
  const batches = [batchOf(1), batchOf(2)];
  const small = modelOf({}, { evaluated: true }), large = modelOf({}, { evaluated: true });
  const noted = await takeRounds(small, batches, { accumulate: 2 });

  // The same draws, side by side.
  const join = (x: Tensor, y: Tensor): Tensor => concat([x, y], { dim: 0 });
  const joinAll = (x: readonly Tensor[], y: readonly Tensor[]) => x.map((it, i) => join(it, y[i]));
  const step = compile((...args: Tensor[]) => {
    const [first, second] = [realOf(args.slice(0, 3)), realOf(args.slice(3))];
    const draws = [1, 2, 3, 4].map(() => drawBatch(large, { batch: 4 }));
    const both = (a: Draw, b: Draw): Draw => ({
      z: join(a.z, b.z),
      values: joinAll(a.values, b.values),
    });
    return trainStep(large, {
      images: join(first.images, second.images),
      values: joinAll(first.values, second.values),
      forD: both(draws[0], draws[1]),
      forG: both(draws[2], draws[3]),
    }, { weights: termWeights(large, tinySettings) });
  });
  const metrics = await scalarsOf(step(...batches.flat()));
  for (const [name, x] of Object.entries(metrics)) assertAlmostEquals(noted[name], x, 1e-5, name);
  const { step: _, ...wanted } = await numbersOf(large), found = await numbersOf(small);
  for (
    const [name, numbers] of Object.entries(wanted).filter(([name]) => !name.startsWith("ema."))
  ) {
    // Gradients that all but cancel have no more digits than their summands.
    const scale = Math.max(...Array.from(numbers, Math.abs), 1e-3);
    numbers.forEach((x, i) => assertAlmostEquals(found[name][i], x, 2e-5 * scale, name));
  }
  assert(gradientNorm(found, "D") > 1e-3);
});

Deno.test("The discriminator steps as often as it is told to before the generator does", async () => {
  const batches = [batchOf(1), batchOf(2)];
  const twice = modelOf();
  await takeRounds(twice, batches, { dSteps: 2 });
  const found = await numbersOf(twice);
  assertEquals([found["optim.D.step"][0], found["optim.G.step"][0], found.step[0]], [2, 1, 1]);
  // As two steps do whose generators stand still.
  const apart = modelOf({ lr: 0, lrD: tinySettings.lr });
  const step = compile((...args: Tensor[]) => {
    const draw = drawBatch(apart, { batch: 4 });
    const weights = termWeights(apart, tinySettings);
    trainStep(apart, { ...realOf(args), forD: draw, forG: draw }, { weights });
  });
  for (const batch of batches) step(...batch);
  const wanted = await numbersOf(apart);
  for (const name of Object.keys(wanted).filter((name) => /^D\.(?!.*running|.*num)/.test(name))) {
    wanted[name].forEach((x, i) => assertAlmostEquals(found[name][i], x, 1e-6, name));
  }
});

Deno.test("Gradients are clipped to a global norm, that of before is logged, and shorter ones stay", async () => {
  const batch = batchOf(1);
  const take = async (clipNorm: number) => {
    const model = modelOf();
    const step = compile((...args: Tensor[]) => {
      const draw = drawBatch(model, { batch: 4 });
      return trainStep(model, { ...realOf(args), forD: draw, forG: draw }, { clipNorm });
    });
    return { metrics: await scalarsOf(step(...batch)), state: await numbersOf(model) };
  };
  const long = await take(1e6);
  const [d, g] = [gradientNorm(long.state, "D"), gradientNorm(long.state, "G")];
  assertAlmostEquals(long.metrics["d.grad_norm"], d, 1e-4 * d);
  assertAlmostEquals(long.metrics["g.grad_norm"], g, 1e-4 * g);
  const clipped = await take(d / 3);
  assertAlmostEquals(clipped.metrics["d.grad_norm"], d, 1e-4 * d);
  assertAlmostEquals(gradientNorm(clipped.state, "D"), d / 3, 1e-4 * d);
});

Deno.test("Gradients of four batches take the memory of one batch and of the gradients", () => {
  const label = conditions.slice(0, 1);
  const bytes = (more: { batch: number; accumulate?: number }): number => {
    const settings = { ...presetSettings("acgan32"), ...more };
    return estimateStep(settings, label, { cpu: false }).bytes;
  };
  const one = bytes({ batch: 16 }), four = bytes({ batch: 16, accumulate: 4 });
  assertEquals(four, bytes({ batch: 16, accumulate: 2 }));
  assertLess(four, 2 * one);
  assertLess(2 * one, bytes({ batch: 64 }));
});

Deno.test("Rates are what their formulas say at every step", async () => {
  const cases: [RateSettings, (step: number) => number][] = [
    [{ lr: 1, lrWarmup: 4 }, (step) => Math.min(1, (step + 1) / 4)],
    [
      { lr: 1, lrSchedule: "linear", lrDecayFrom: 3, lrDecayTo: 11 },
      (step) => 1 - Math.min(1, Math.max(0, (step - 3) / 8)),
    ],
    [
      { lr: 1, lrSchedule: "cosine", lrDecayTo: 10, lrWarmup: 2 },
      (step) => Math.min(1, (step + 1) / 2) * (1 + Math.cos(Math.PI * Math.min(1, step / 10))) / 2,
    ],
  ];
  const step = new Variable(new Int32Array(1), []);
  for (const [settings, expected] of cases) {
    const factor = compile(() => rateFactor(step.value, settings));
    for (let at = 0; at < 14; at++) {
      step.set(Int32Array.of(at));
      const [[found]] = await read([factor()]);
      assertAlmostEquals(found, expected(at), 1e-5, `${settings.lrSchedule} at ${at}`);
    }
  }
});

/** All of it at once. */
const everything: TrainSettings = {
  ...tinySettings,
  dSteps: 2,
  accumulate: 2,
  clipNorm: 1,
  lrD: 1e-3,
  lrSchedule: "cosine",
  lrWarmup: 2,
  lrDecayFrom: 3,
  lrDecayTo: 7,
};

async function start(folder: string, settings: TrainSettings, stopAt?: number) {
  const controller = new AbortController();
  const step = await train(tinyDataset(), {
    folder,
    settings,
    schedule: { steps: 8, logEvery: 1, gridEvery: 100, checkpointEvery: 4 },
    signal: controller.signal,
    onProgress: ({ step }) => step === stopAt && controller.abort(),
  });
  return { step, bytes: await Deno.readFile(`${folder}/${NEWEST}`) };
}

Deno.test("A run with all of it ends with the same bytes wherever it was stopped", async () => {
  using whole = temporaryFolder();
  using stopped = temporaryFolder();
  const { bytes } = await start(whole.path, everything);
  await start(stopped.path, everything, 2);
  await start(stopped.path, everything, 5);
  assertEquals((await start(stopped.path, everything)).bytes, bytes);
  const lines = (await Deno.readTextFile(`${whole.path}/metrics.jsonl`)).trim().split("\n");
  for (const line of lines.map((line) => JSON.parse(line))) {
    assert(line["d.grad_norm"] > 0 && line["g.grad_norm"] > 0);
  }
  const { tensors } = await readCheckpoint(`${whole.path}/${NEWEST}`);
  assertEquals([tensors["optim.D.step"].data[0], tensors["optim.G.step"].data[0]], [16, 8]);
});

Deno.test("Settings that are as they are by default are no settings: runs from before them go on", async () => {
  using folder = temporaryFolder();
  const { bytes } = await start(folder.path, tinySettings, 4);
  const described = JSON.parse(await Deno.readTextFile(`${folder.path}/run.json`));
  for (const key of ["dSteps", "accumulate", "clipNorm", "lrD", "lrSchedule", "precision"]) {
    assertEquals(Object.hasOwn(described, key), false, key);
  }
  const same: TrainSettings = {
    ...tinySettings,
    dSteps: 1,
    accumulate: 1,
    lrD: tinySettings.lr,
    lrSchedule: "constant",
    lrDecayTo: 99,
    precision: "f32",
  };
  assertEquals((await start(folder.path, same)).step, 8);
  await assertRejects(
    () => start(folder.path, { ...same, accumulate: 2 }),
    UserError,
    "is a run with accumulate undefined, not 2",
  );
  using other = temporaryFolder();
  assertEquals((await start(other.path, same, 4)).bytes, bytes);
});

Deno.test("Steps that cannot be taken are refused by name", async () => {
  using folder = temporaryFolder();
  const fails = (settings: Partial<TrainSettings>, message: string) =>
    assertRejects(
      () => start(`${folder.path}/run`, { ...tinySettings, ...settings }),
      UserError,
      message,
    );
  await fails({ dSteps: 0 }, "dSteps must be a whole number of at least 1, not 0");
  await fails({ clipNorm: 0 }, "clipNorm must be above 0, not 0");
  await fails(
    { lrSchedule: "linear" },
    "With lrSchedule linear, lrDecayTo must be a step after lrDecayFrom (0), not undefined",
  );
  if (!device.features.has("shader-f16")) {
    await fails({ precision: "f16" }, "--precision f16 needs an adapter with shader-f16");
  }
  assertEquals([...Deno.readDirSync(folder.path)], []);
});
