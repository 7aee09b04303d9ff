// Steps of more than one batch: several of D for one of G, gradients of several batches, clipped, at rates that change.

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
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
  type Microbatch,
  NEWEST,
  readCheckpoint,
  type Rounds,
  type StepOptions,
  train,
  trainRounds,
  type TrainSettings,
  trainStep,
} from "../../training/mod.ts";
import { rateFactor, type RateSettings } from "../../training/learning_rate.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyConditions, tinyDataset, tinySettings } from "./tiny.ts";

const device = await Device.open();

const conditions = tinyConditions();

/** Numbers for microbatches of four pictures; the same number gives the same. */
function microbatch(seed: number, count = 4): Microbatch {
  const random = new HostGenerator(seed);
  const noise = (...shape: number[]): Tensor =>
    tensor(
      Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random.normal()),
      shape,
    );
  const classes = (): Tensor[] =>
    conditions.map(({ classes }) =>
      tensor(
        Int32Array.from({ length: count }, () => Math.floor(random.uniform() * classes.length)),
      )
    );
  return {
    images: noise(count, 3, 8, 8),
    values: classes(),
    draw: { z: noise(count, 6), values: classes() },
  };
}

/** A step on constant inputs, taken once. Returns its metrics and the state after it. */
async function take(
  rounds: Rounds,
  options: StepOptions & {
    settings?: Partial<TrainSettings>;
    evaluated?: boolean;
    times?: number;
  } = {},
) {
  const model = new Acgan({ ...tinySettings, ...options.settings }, conditions);
  if (options.evaluated) {
    model.generator.eval();
    model.discriminator.eval();
  }
  const results = compile(() => trainRounds(model, rounds, options))();
  const metrics = Object.fromEntries(
    await Promise.all(
      Object.entries(results).map(async ([name, value]) =>
        [name, (await read([value]))[0][0]] as const
      ),
    ),
  );
  return { metrics, state: await numbersOf(model) };
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

Deno.test("Where no batch norm sees batches, gradients of two microbatches are those of one twice as large", async () => {
  const a = microbatch(1), b = microbatch(2);
  const join = (x: Tensor, y: Tensor): Tensor => concat([x, y], { dim: 0 });
  const both: Microbatch = {
    images: join(a.images, b.images),
    values: a.values.map((x, i) => join(x, b.values[i])),
    draw: {
      z: join(a.draw.z, b.draw.z),
      values: a.draw.values.map((x, i) => join(x, b.draw.values[i])),
    },
  };
  const small = await take({ forD: [[a, b]], forG: [a, b] }, { evaluated: true });
  const large = await take({ forD: [[both]], forG: [both] }, { evaluated: true });
  for (const [name, numbers] of Object.entries(large.state)) {
    const scale = Math.max(...Array.from(numbers, Math.abs), 1e-6);
    numbers.forEach((x, i) => assertAlmostEquals(small.state[name][i], x, 2e-5 * scale, name));
  }
  for (const [name, x] of Object.entries(large.metrics)) {
    assertAlmostEquals(small.metrics[name], x, 1e-5, name);
  }
  assert(gradientNorm(small.state, "D") > 1e-3);
});

Deno.test("The discriminator steps as often as it is told to before the generator does", async () => {
  const [a, b] = [microbatch(1), microbatch(2)];
  const twice = await take({ forD: [[a], [b]], forG: [b] });
  assertEquals([twice.state["optim.D.step"][0], twice.state["optim.G.step"][0]], [2, 1]);
  // As two steps do whose generators stand still.
  const model = new Acgan({ ...tinySettings, lr: 0, lrD: tinySettings.lr }, conditions);
  for (const { images, values, draw } of [a, b]) {
    compile(() => trainStep(model, { images, values, forD: draw, forG: draw }))();
  }
  const apart = await numbersOf(model);
  for (const name of Object.keys(apart).filter((name) => /^D\.(?!.*running|.*num)/.test(name))) {
    apart[name].forEach((x, i) => assertAlmostEquals(twice.state[name][i], x, 1e-6, name));
  }
});

Deno.test("Gradients are clipped to a global norm, that of before is logged, and shorter ones stay", async () => {
  const a = microbatch(1), rounds = { forD: [[a]], forG: [a] };
  const long = await take(rounds, { clipNorm: 1e6 });
  const [d, g] = [gradientNorm(long.state, "D"), gradientNorm(long.state, "G")];
  assertAlmostEquals(long.metrics["d.grad_norm"], d, 1e-4 * d);
  assertAlmostEquals(long.metrics["g.grad_norm"], g, 1e-4 * g);
  const clipped = await take(rounds, { clipNorm: d / 3 });
  assertAlmostEquals(clipped.metrics["d.grad_norm"], d, 1e-4 * d);
  assertAlmostEquals(gradientNorm(clipped.state, "D"), d / 3, 1e-4 * d);
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
