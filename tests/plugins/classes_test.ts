// Plugins that condition on classes of label columns in other ways than the classifier does.

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import type { Dataset } from "../../data/mod.ts";
import { Device, grad, read, tensor } from "../../engine/mod.ts";
import { Categorical, describeLabels } from "../../plugin/mod.ts";
import { d2dCe } from "../../plugins/d2d_ce.ts";
import { projection } from "../../plugins/projection.ts";
import { smoothed } from "../../plugins/label_smoothing.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyDataset } from "../training/tiny.ts";
import { chosen, trainsAndResumes, trainTiny } from "./tiny_run.ts";

await Device.open();

/** {@linkcode tinyDataset} with one label of `eyes` in three left. */
function sparseDataset(): Dataset {
  const dataset = tinyDataset(), [hair, eyes] = dataset.labels;
  return { ...dataset, labels: [hair, eyes.map((label, i) => i % 3 === 0 ? label : -1)] };
}

const runs = {
  "projection and d2d-ce": [
    chosen("projection", { columns: ["eyes"] }),
    chosen("d2d-ce", { dimensions: 6, columns: ["hair"] }),
  ],
  "tac and adc": [chosen("tac", { columns: ["eyes"] }), chosen("adc", { columns: ["hair"] })],
  sgan: [chosen("sgan")],
};
for (const [name, plugins] of Object.entries(runs)) {
  Deno.test(`A run with ${name} takes label columns from the classifier, and goes on with the same bytes`, async () => {
    const asked = () => [chosen("classifier"), ...plugins];
    const metrics = await trainsAndResumes(asked, { dataset: sparseDataset() });
    const classes = Object.keys(metrics).filter((key) => /^[dg]\.class/.test(key));
    const terms = (column: string, fakes: boolean) => [
      `d.class.${column}.real`,
      ...(fakes ? [`d.class.${column}.fake`] : []),
      `g.class.${column}`,
    ];
    const wanted = {
      "projection and d2d-ce": terms("hair", false),
      "tac and adc": [...terms("hair", true), ...terms("eyes", true)],
      sgan: [...terms("hair", false), ...terms("eyes", false)],
    }[name]!;
    assertEquals(classes.toSorted(), wanted.toSorted());
    assert(Object.values(metrics).every(Number.isFinite));
  });
}

Deno.test("A column that one plugin names is left alone by the others", async () => {
  using folder = temporaryFolder();
  const asked = [chosen("projection", { columns: ["eyes"] }), chosen("tac"), chosen("classifier")];
  const metrics = await trainTiny(folder.path, asked, { steps: 1, dataset: tinyDataset() });
  const told = Object.keys(metrics).filter((key) => key.startsWith("d.class"));
  assertEquals(told, ["d.class.hair.real", "d.class.hair.fake"]);
});

Deno.test("Two plugins that both take every column are told so", async () => {
  using folder = temporaryFolder();
  await assertRejects(
    () => trainTiny(folder.path, [chosen("tac"), chosen("adc")], { dataset: tinyDataset() }),
    Error,
    "no label column is left for it: there are hair, eyes",
  );
});

Deno.test("Pictures without a label have no part in a class's loss and score", async () => {
  const some = new Categorical({
    name: "hair",
    classes: ["a", "b", "c"],
    frequencies: [0.5, 0.25, 0.25],
    partial: true,
  });
  const all = new Categorical({ ...some, partial: false });
  const numbers = [1, 2, 0.5, -1, 0, 3, 0.3, 0.2, 0.1, 2, 2, -4];
  const head = tensor(numbers, [4, 3]), values = tensor(Int32Array.of(2, -1, 0, -1), [4]);
  const labelled = tensor([1, 2, 0.5, 0.3, 0.2, 0.1], [2, 3]);
  const loss = some.loss(head, values), wanted = all.loss(labelled, all.tensor([[2], [0]]));
  const [[got], [want], slope, known] = await read([
    loss,
    wanted,
    ...grad(loss, [head]),
    some.known!(values),
  ]);
  assertAlmostEquals(got, want, 1e-6);
  assertEquals([...slope.subarray(3, 6), ...slope.subarray(9, 12)], [0, 0, 0, 0, 0, 0]);
  assertEquals([...known], [1, 0, 1, 0]);
  const none = some.loss(head, tensor(Int32Array.of(-1, -1, -1, -1), [4]));
  const [[nothing], slopes] = await read([none, ...grad(none, [head])]);
  assertEquals([nothing, ...slopes], new Array(13).fill(0));
  assertEquals(all.known, undefined);
});

Deno.test("Data-to-data cross-entropy leaves out pictures without a label, as anchors and as others", async () => {
  const numbers = Array.from({ length: 15 }, (_, i) => Math.sin(3 * i + 1));
  const proxies = tensor([1, 0, 0.5, -1, 2, 0], [2, 3]);
  const options = { positive: 0.9, negative: 0.1, temperature: 0.5, partial: true };
  const some = d2dCe(tensor(numbers, [5, 3]), proxies, {
    ...options,
    classes: tensor(Int32Array.of(0, 1, -1, 1, -1), [5]),
  });
  const kept = [...numbers.slice(0, 6), ...numbers.slice(9, 12)];
  const all = d2dCe(tensor(kept, [3, 3]), proxies, {
    ...options,
    classes: tensor(Int32Array.of(0, 1, 1), [3]),
    partial: false,
  });
  const none = d2dCe(tensor(numbers, [5, 3]), proxies, {
    ...options,
    classes: tensor(new Int32Array(5).fill(-1), [5]),
  });
  const [[a], [b], [c]] = await read([some, all, none]);
  assertAlmostEquals(a, b, 1e-6);
  assertEquals(c, 0);
});

Deno.test("A picture without a label is judged for no class", async () => {
  const seen = tensor([1, 2, 3, 4, 5, 6, 7, 8], [2, 4]), embedding = tensor([1, 0, 0, 1], [2, 2]);
  const [logits] = await read([projection(seen, tensor(Int32Array.of(1, -1), [2]), { embedding })]);
  assertEquals([...logits], [7, 0]);
});

Deno.test("Frequencies are of the labels that are there, and there must be one", async () => {
  const column = { name: "hair", classes: ["a", "b"] };
  const { frequencies, partial } = describeLabels(column, Int32Array.of(0, -1, 1, 1, -1, 1));
  assertEquals([frequencies, partial], [[0.25, 0.75], true]);
  await assertRejects(
    // deno-lint-ignore require-await -- What throws is the call itself.
    async () => describeLabels(column, Int32Array.of(-1, -1)),
    Error,
    'no picture has a label in column "hair"',
  );
});

Deno.test("Only real pictures' targets are smoothed", async () => {
  const { real, fake, generator } = smoothed(0.9), logit = tensor([0.7], [1]);
  const softplus = (x: number) => Math.log1p(Math.exp(x));
  const [[a], [b], [c]] = await read([real(logit), fake(logit), generator(logit)]);
  assertAlmostEquals(a, 0.9 * softplus(-0.7) + 0.1 * softplus(0.7), 1e-6);
  assertAlmostEquals(b, softplus(0.7), 1e-6);
  assertAlmostEquals(c, softplus(-0.7), 1e-6);
});

Deno.test("A run with smoothed labels goes on with the same bytes", async () => {
  const asked = () => [chosen("classifier"), chosen("label-smoothing")];
  await trainsAndResumes(asked, { dataset: tinyDataset() });
});

Deno.test("Of a column with labels missing, accuracy and holdout are of those that are there", async () => {
  using folder = temporaryFolder();
  const asked = [chosen("classifier", { columns: ["eyes"] })];
  const metrics = await trainTiny(folder.path, asked, { steps: 60, dataset: sparseDataset() });
  assert(metrics["accuracy.eyes.real"] > 0.8, `real: ${metrics["accuracy.eyes.real"]}`);
  assert(metrics["holdout.eyes"] > 0.8, `holdout: ${metrics["holdout.eyes"]}`);
});
