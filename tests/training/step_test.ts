import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { Batches, UserError } from "../../data/mod.ts";
import { Device, read } from "../../engine/mod.ts";
import {
  Acgan,
  compileStep,
  metricNames,
  MetricRing,
  termWeights,
  type TrainSettings,
} from "../../training/mod.ts";
import { toTensors } from "../../training/batch.ts";
import { tinyConditions, tinyDataset, tinySettings } from "./tiny.ts";

const device = await Device.open();

/** A model with its compiled step, ready to be run. */
function setUp(settings: TrainSettings = tinySettings) {
  const dataset = tinyDataset();
  const conditions = tinyConditions();
  const { batch, seed, flip, emaImages } = settings;
  const model = new Acgan(settings, conditions);
  const weights = termWeights(model, settings);
  const ring = new MetricRing(metricNames(model, weights), { capacity: 5 });
  const step = compileStep(model, { batch, weights, emaImages, ring });
  const batches = new Batches(dataset, { batch, seed, flip });
  let done = 0;
  const run = (count: number) => {
    for (let i = 0; i < count; i++) {
      const { images, values } = toTensors(batches.at(done++), { ...dataset, conditions });
      step(images, ...values);
    }
  };
  return { model, ring, run };
}

Deno.test("Memory on the device is the same after step 2 and after step 60", async () => {
  const { ring, run } = setUp();
  run(2);
  await ring.last(2);
  const before = device.memory;
  run(58);
  await ring.last(5);
  assertEquals(device.memory, before);
});

Deno.test("The ring holds the last steps in order, under the names of their metrics", async () => {
  const one = setUp();
  const steps = [];
  for (let i = 0; i < 7; i++) {
    one.run(1);
    steps.push(...await one.ring.last(1));
  }
  const many = setUp();
  many.run(7);
  assertEquals(await many.ring.last(5), steps.slice(2));
  assertEquals(Object.keys(steps[0]), [
    "d.adv_real",
    "d.adv_fake",
    "d.class.hair.real",
    "d.class.eyes.real",
    "g.adv",
    "g.class.hair",
    "g.class.eyes",
    "accuracy.hair.real",
    "accuracy.eyes.real",
    "accuracy.hair.fake",
    "accuracy.eyes.fake",
    "d.auc",
    "diversity",
  ]);
});

Deno.test("Both networks learn, and the classifier comes to know real pictures", async () => {
  const { model, ring, run } = setUp({ ...tinySettings, lr: 2e-3 });
  const weight = (name: string) => read([model.state()[name]]).then(([numbers]) => numbers);
  const before = [await weight("G.fc.weight"), await weight("D.src.weight")];
  run(1);
  assertEquals((await weight("G.fc.weight")).every((x, i) => x === before[0][i]), false);
  assertEquals((await weight("D.src.weight")).every((x, i) => x === before[1][i]), false);
  run(99);
  for (const metrics of await ring.last(5)) {
    assertEquals([metrics["accuracy.hair.real"], metrics["accuracy.eyes.real"]], [1, 1]);
  }
});

Deno.test("The average moves by half of the way in the pictures that it is told to", async () => {
  const emaImages = 1; // A twentieth of the pictures seen is fewer until step 5.
  const { model, run } = setUp({ ...tinySettings, emaImages });
  const names = [
    "G.out.weight",
    "ema.G.out.weight",
    "ema.G.bn0.running_mean",
    "G.bn0.running_mean",
  ];
  const values = () => read(names.map((name) => model.state()[name]));
  run(7);
  const [, average, mean] = await values();
  run(1);
  const [weight, moved, movedMean, runningMean] = await values();
  const kept = 0.5 ** (tinySettings.batch / emaImages);
  assertAlmostEquals(moved[0], kept * average[0] + (1 - kept) * weight[0], 1e-6);
  assertAlmostEquals(movedMean[0], kept * mean[0] + (1 - kept) * runningMean[0], 1e-6);
});

Deno.test("A loss with no term left is an error", () => {
  const weights = {
    "d.adv_real": 0,
    "d.adv_fake": 0,
    "d.class.hair.real": 0,
    "d.class.eyes.real": 0,
  };
  const { run } = setUp({ ...tinySettings, weights });
  assertThrows(() => run(1), UserError, "Nothing to train on: each of d.adv_real, d.adv_fake");
});
