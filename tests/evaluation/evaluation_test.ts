import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import type { Dataset } from "../../data/mod.ts";
import { Device, HostGenerator, read } from "../../engine/mod.ts";
import { Classifier, keptClassifier, splitLikeRun } from "../../evaluation/mod.ts";
import { DiversityMeter } from "../../evaluation/diversity.ts";
import { Judge } from "../../evaluation/judge.ts";
import { memorisation } from "../../evaluation/memorisation.ts";
import {
  first,
  type LabelledPictures,
  mirrored,
  pick,
  picturesOf,
  shifted,
} from "../../evaluation/pictures.ts";
import { withMirrors } from "../../evaluation/split.ts";
import { drawSamples } from "../../evaluation/samples.ts";
import { Acgan, Sampler } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { SIZE, tinyConditions, tinyDataset, tinySettings } from "../training/tiny.ts";

await Device.open();

const BYTES = 3 * SIZE * SIZE;
const classes = { hair: 3, eyes: 2 };

/** Pictures that are nothing like each other. */
function noise(count: number, seed: number): Dataset {
  const generator = new HostGenerator(seed);
  const images = Uint8Array.from({ length: count * BYTES }, () => generator.uniform() * 256);
  return { ...tinyDataset(count), images, fingerprint: `noise ${count} ${seed}` };
}

Deno.test("a held-out picture whose mirror image is trained on is left out", () => {
  const dataset = noise(40, 1);
  const plain = splitLikeRun(dataset, { holdout: 0.25, seed: 3 });
  assertEquals([plain.copies, plain.heldOut.count, plain.unseenByRun], [0, 10, true]);

  // Two held-out pictures become mirror images of two that are trained on, but for some noise.
  const train = picturesOf(plain.train), images = dataset.images.slice();
  const placeOf = (picture: Uint8Array) =>
    Array.from({ length: 40 }, (_, i) => i).find((i) =>
      picture.every((byte, k) => byte === dataset.images[i * BYTES + k])
    )!;
  for (const i of [2, 5]) {
    const copy = mirrored(pick(train, [i])).images.map((byte, k) => k % 3 === 0 ? byte ^ 1 : byte);
    const held = plain.heldOut.images.subarray(i * BYTES, (i + 1) * BYTES);
    images.set(copy, placeOf(held) * BYTES);
  }
  const copied = { ...dataset, images };
  let found = 0;
  for (const seed of [3, 4, 5, 6, 7, 8]) {
    const { train, heldOut, copies } = splitLikeRun(copied, { holdout: 0.25, seed });
    assertEquals(heldOut.count + copies, 10);
    found += copies;
    const known = picturesOf(train);
    for (const set of [known, mirrored(known)]) {
      for (let i = 0; i < heldOut.count; i++) {
        for (let j = 0; j < set.count; j++) {
          const difference = heldOut.images.subarray(i * BYTES, (i + 1) * BYTES)
            .reduce((sum, byte, k) => sum + Math.abs(byte - set.images[j * BYTES + k]), 0);
          assert(difference >= 2 * BYTES);
        }
      }
    }
  }
  assert(found > 0);
});

Deno.test("where a run held nothing out, the classifier still has pictures to be tried on", () => {
  const { train, heldOut, unseenByRun } = splitLikeRun(noise(40, 2), { holdout: 0, seed: 1 });
  assertEquals([train.count, heldOut.count, unseenByRun], [38, 2, false]);
});

Deno.test("memorised pictures are found, and so are their mirror images", async () => {
  const judge = new Judge(new Classifier(SIZE, { classes, seed: 1 }));
  const train = picturesOf(noise(30, 3)), novel = picturesOf(noise(10, 4));
  const judged = async (of: LabelledPictures) => ({ of, opinion: await judge.ask(of) });
  const copies = pick(train, [4, 11, 12]);
  const samples = { ...copies, images: mirrored(copies, (i) => i === 1).images };
  const { figures, shown } = await memorisation(await judged(withMirrors(train)), {
    samples: await judged(samples),
    novel: await judged(novel),
    onProgress: () => {},
  });
  const found = shown.map(({ pixels, features }) => [pixels, features]).flat();
  assertEquals(found.map(({ index }) => index).sort((a, b) => a - b), [4, 4, 11, 11, 12, 12]);
  for (const { index, mirrored, distance } of found) {
    assertEquals([mirrored, distance], [index === 11, 0]);
  }
  for (const { samples, real, nearerThanTwentieth } of [figures.pixels, figures.features]) {
    assert(samples.median === 0 && real!.least > 0 && nearerThanTwentieth === 1);
  }
});

Deno.test("a batch may be judged in parts, and pictures at fewer pixels lose what was between", async () => {
  const judge = new Judge(new Classifier(SIZE, { classes, seed: 1 }));
  const pictures = picturesOf(noise(70, 5));
  const all = await judge.ask(pictures), some = await judge.ask(first(pictures, 5));
  assertEquals(some.features, all.features.slice(0, some.features.length));
  assertEquals([...some.guesses.hair], [...all.guesses.hair.subarray(0, 5)]);
  const shrunk = await judge.ask(pictures, { shrunk: 2 });
  assertNotEquals(shrunk.features, all.features);
  // What is constant over blocks of two pixels and linear across them stays: a plain picture.
  const plain = { ...first(pictures, 1), images: new Uint8Array(BYTES).fill(90) };
  const [a, b] = [await judge.ask(plain), await judge.ask(plain, { shrunk: 2 })];
  a.features.forEach((x, i) => assertAlmostEquals(x, b.features[i], 1e-5));
});

Deno.test("scaled features change no guess", async () => {
  const classifier = new Classifier(SIZE, { classes, seed: 2 }), judge = new Judge(classifier);
  const pictures = picturesOf(noise(64, 6)), before = await judge.ask(pictures);
  await classifier.scaleFeatures(4);
  const after = await judge.ask(pictures);
  assertEquals(after.guesses, before.guesses);
  after.features.forEach((x, i) => assertAlmostEquals(x, 4 * before.features[i], 1e-4));
});

Deno.test("a classifier learns what it can tell, is kept, and is the same when trained again", async () => {
  using folder = temporaryFolder();
  // Every fourth picture has no hair that is known: such a label neither teaches nor counts.
  const data = tinyDataset(120), [hair, eyes] = data.labels;
  const labels = [hair.map((label, i) => i % 4 === 1 ? -1 : label), eyes];
  const split = splitLikeRun({ ...data, labels }, { holdout: 0.2, seed: 1 });
  assertEquals([split.train, split.heldOut].map((d) => d.labels[0].includes(-1)), [true, true]);
  const first = await keptClassifier(split, { folder: folder.path });
  assertEquals([first.reused, first.accuracy], [false, { hair: 1, eyes: 1 }]);
  const second = await keptClassifier(split, { folder: folder.path });
  assertEquals([second.reused, second.name, second.accuracy], [true, first.name, first.accuracy]);
  const weights = (kept: typeof first) => read(Object.values(kept.classifier.stateDict()));
  assertEquals(await weights(second), await weights(first));

  const path = `${folder.path}/${first.name}.safetensors`;
  await Deno.writeTextFile(path, "damaged");
  const messages: string[] = [];
  const options = { folder: folder.path, onMessage: (text: string) => messages.push(text) };
  const again = await keptClassifier(split, options);
  assert(!again.reused && messages[0].includes("is damaged"), messages[0]);
  assertEquals(await weights(again), await weights(first));
});

Deno.test("samples have the labels of real pictures together, and labels that are not known do not count", async () => {
  const conditions = tinyConditions();
  const sampler = new Sampler(new Acgan(tinySettings, conditions).generator, conditions);
  const data = tinyDataset(40), labels = data.labels.map((column) => column.slice());
  // Hair 0 goes with eyes 1 alone; some pictures have no hair that is known.
  labels[0].forEach((label, i) => label === 0 && (labels[1][i] = 1));
  labels[0].fill(-1, 0, 10);
  const samples = await drawSamples(sampler, { ...data, labels }, { count: 70, seed: 5 });
  const { hair, eyes } = samples.labels;
  hair.forEach((label, i) => assert(label > 0 || (label === 0 && eyes[i] === 1)));
  assertEquals(new Set(hair), new Set([0, 1, 2]));
  const { requests } = sampler, asked = await requests.call(sampler, [5]);
  const [alone] = [await sampler.draw([{ ...asked[0], values: [[hair[0]], [eyes[0]]] }])];
  assertEquals(alone, samples.images.subarray(0, BYTES));
});

Deno.test("equal pictures of a class are as alike as can be, and a class of one has no figure", async () => {
  const meter = new DiversityMeter(SIZE, { pairs: 9 });
  const pictures = picturesOf(noise(20, 7)), one = pictures.images.slice(0, BYTES);
  const images = pictures.images.slice();
  for (let i = 0; i < 10; i++) images.set(one, i * BYTES);
  const labels = { hair: Int32Array.from({ length: 20 }, (_, i) => i < 10 ? 0 : i < 19 ? 1 : 2) };
  const means = await meter.measure({ ...pictures, images, labels }, "hair", {
    classes: 4,
    seed: 1,
  });
  assertAlmostEquals(means[0]!, 1, 1e-5);
  assert(means[1]! < 0.5);
  assertEquals(means.slice(2), [null, null]);
});

Deno.test("shifted pictures repeat their edge", () => {
  const size = 4, images = Uint8Array.from({ length: 48 }, (_, i) => i % 4);
  const generator = new HostGenerator(1), moved = shifted(images, { size, most: 1, generator });
  const rows = new Set(["0,1,2,3", "0,0,1,2", "1,2,3,3"]);
  for (let at = 0; at < 48; at += 4) assert(rows.has(String(moved.subarray(at, at + 4))));
});
