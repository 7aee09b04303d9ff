import { assert, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import { Batches, type Dataset, splitDataset, UserError } from "../../data/mod.ts";

/** Pictures of 2 x 2 whose bytes start with their index, and whose label is their index. */
function numbered(count: number): Dataset {
  const images = new Uint8Array(count * 12);
  for (let i = 0; i < count; i++) images.set([i, 100 + i, i, 100 + i], i * 12);
  const classes = Array.from({ length: count }, (_, i) => `class ${i}`);
  return {
    count,
    size: 2,
    columns: [{ name: "class", classes }],
    images,
    labels: [Int32Array.from({ length: count }, (_, i) => i)],
    problems: [],
    fingerprint: "numbered",
  };
}

function labelsOf(batches: Batches, steps: number): number[] {
  return Array.from({ length: steps }, (_, step) => [...batches.at(step).labels[0]]).flat();
}

Deno.test("Every epoch shows every picture once, also where batches span epochs", () => {
  const batches = new Batches(numbered(10), { batch: 4, seed: 1, flip: false });
  const labels = labelsOf(batches, 10);
  const epochs = [0, 1, 2, 3].map((epoch) => labels.slice(10 * epoch, 10 * epoch + 10));
  for (const epoch of epochs) {
    assertEquals(epoch.toSorted((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  }
  assertEquals(new Set(epochs.map(String)).size, 4);
});

Deno.test("A batch is a function of the seed and the step alone", () => {
  const options = { batch: 3, seed: 5, flip: true };
  const forwards = new Batches(numbered(7), options);
  const expected = Array.from({ length: 30 }, (_, step) => forwards.at(step));
  const anyOrder = new Batches(numbered(7), options);
  for (const step of [29, 0, 12, 12, 3]) assertEquals(anyOrder.at(step), expected[step]);
  const other = new Batches(numbered(7), { ...options, seed: 6 });
  assertNotEquals(labelsOf(other, 30), labelsOf(forwards, 30));
});

Deno.test("A batch may be larger than the data set", () => {
  const batches = new Batches(numbered(3), { batch: 8, seed: 0, flip: false });
  assertEquals(labelsOf(batches, 3).slice(0, 6).toSorted(), [0, 0, 1, 1, 2, 2]);
});

Deno.test("Pictures keep their labels, and about half of them are mirrored", () => {
  const batches = new Batches(numbered(50), { batch: 50, seed: 2, flip: true });
  let mirrored = 0;
  for (let step = 0; step < 20; step++) {
    const { images, labels } = batches.at(step);
    labels[0].forEach((label, i) => {
      const [left, right] = images.subarray(12 * i);
      assertEquals(Math.min(left, right), label);
      assertEquals(Math.max(left, right), label + 100);
      if (left > right) mirrored++;
    });
  }
  assert(mirrored > 430 && mirrored < 570, `${mirrored} of 1000`);
});

Deno.test("A split keeps pictures with their labels, and parts them without overlap", () => {
  const files = Array.from({ length: 40 }, (_, i) => `${i}.png`);
  const { train, holdout } = splitDataset({ ...numbered(40), files }, { holdout: 0.25, seed: 3 });
  assertEquals([train.count, holdout.count], [30, 10]);
  const all = [...train.labels[0], ...holdout.labels[0]].sort((a, b) => a - b);
  assertEquals(all, Array.from({ length: 40 }, (_, i) => i));
  for (const part of [train, holdout]) {
    part.labels[0].forEach((label, i) => assertEquals(part.images[12 * i], label));
    assertEquals(part.files, [...part.labels[0]].map((label) => `${label}.png`));
  }
  assertNotEquals(train.fingerprint, holdout.fingerprint);
  assertEquals(splitDataset(numbered(40), { holdout: 10, seed: 3 }).holdout.count, 10);
  assertThrows(() => splitDataset(numbered(4), { holdout: 4, seed: 3 }), UserError, "4 of 4");
});

Deno.test("A split depends on content: few pictures change sides when others are added", () => {
  const held = (count: number) =>
    splitDataset(numbered(count), { holdout: 0.2, seed: 3 }).holdout.labels[0];
  const before = held(80);
  const after = new Set(held(90));
  assert([...before].filter((label) => after.has(label)).length >= before.length - 3);
  assertNotEquals(before, splitDataset(numbered(80), { holdout: 0.2, seed: 4 }).holdout.labels[0]);
});
