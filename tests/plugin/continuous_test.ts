import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  compile,
  Device,
  Generator,
  HostGenerator,
  mean,
  read,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";
import { Continuous, UserError } from "../../plugin/mod.ts";
import { restoreCondition } from "../../training/mod.ts";

await Device.open();

/** Skewed numbers from 10 to 30. */
const numbers = Array.from({ length: 101 }, (_, i) => 10 + 20 * (i / 100) ** 3);
const age = Continuous.fromNumbers("age", numbers, { help: "years", source: {} });

Deno.test("The prior draws numbers as often as they occur", async () => {
  const random = new Generator(3);
  const [drawn] = await read([compile(() => age.sample(random, 20_000))()]);
  const sorted = Array.from(drawn, (t) => age.number(t)).sort((a, b) => a - b);
  for (const share of [0, 0.1, 0.5, 0.9, 1]) {
    const at = Math.min(sorted.length - 1, Math.floor(share * sorted.length));
    assertAlmostEquals(sorted[at], 10 + 20 * share ** 3, 0.25, `the quantile ${share}`);
  }
});

Deno.test("A number is read in its own units, and refused outside of the data's range", () => {
  assertEquals(age.parse("10"), [-1]);
  assertEquals(age.parse("20"), [0]);
  assertEquals(age.help, "years, a number from 10 to 30");
  for (const text of ["31", "old", "", " "]) {
    assertThrows(() => age.parse(text), UserError, "age must be a number from 10 to 30, not");
  }
});

Deno.test("Every number has a code of its own, and near ones have near codes", async () => {
  const [code] = await read([age.encode(age.tensor([[-1], [-0.9], [1]]))]);
  const row = (i: number) => code.subarray(i * age.codeSize, (i + 1) * age.codeSize);
  const distance = (a: ArrayLike<number>, b: ArrayLike<number>) =>
    Math.hypot(...Array.from(a, (x, i) => x - b[i]));
  assert(distance(row(0), row(1)) < distance(row(0), row(2)) / 4);
});

Deno.test("The loss is half the squared error in quarters of half the range; the score its complement", async () => {
  const head = tensor([0.5, -1], [2, 1]), values = age.tensor([[0.25], [0]]);
  const [[loss], score] = await read([age.loss(head, values), age.score(head, values)]);
  assertAlmostEquals(loss, 0.5 * (1 + 16) / 2, 1e-5);
  assertEquals([...score], [0.75, 0]);
});

Deno.test("Numbers come from label columns; those that a mirror turns round are turned", async () => {
  const lean = Continuous.fromNumbers("lean", [-2, 0, 2], {
    source: { numbers: [-2, 0, 2], odd: true },
  });
  const labels = {
    classes: { lean: Int32Array.of(0, 0, 1, 2) },
    mirrored: Uint8Array.of(0, 1, 1, 0),
  };
  const [values] = await read([lean.read!(labels)]);
  assertEquals([...values], [-1, 1, 0, 1]);
});

Deno.test("A measured number is scaled like the others", async () => {
  const bright = Continuous.fromNumbers("bright", [0, 4], {
    source: { measure: (images: Tensor) => mean(images, { dim: [1, 2, 3] }) },
  });
  const images = tensor(Float32Array.of(1, 1, 1, 3, 3, 3), [2, 3, 1, 1]);
  const [values] = await read([bright.measure!(images)]);
  assertEquals([...values], [-0.5, 0.5]);
});

Deno.test("A vicinity moves the targets of real pictures alone, by as much as it is wide", async () => {
  const targets = async (kind: "hard" | "soft", pictures: "real" | "fake") => {
    const slider = Continuous.fromNumbers("age", numbers, {
      source: {},
      vicinity: {
        kind,
        width: 0.2,
        features: 1,
        weights: new HostGenerator(1),
        random: new Generator(9),
      },
    });
    // An embedding that is the number itself: its code's first element.
    const weight = new Float32Array(slider.codeSize);
    weight[0] = 1;
    slider.networks!.embedding.weight.set(weight);
    slider.networks!.embedding.bias!.set(new Float32Array(1));
    const count = 4096, values = tensor(new Float32Array(count), [count]);
    const ones = tensor(new Float32Array(count).fill(1), [count, 1]);
    const logit = compile(() =>
      slider.logit!(ones, values, { network: "discriminator", pictures })
    );
    return (await read([logit()]))[0];
  };
  const deviation = (x: ArrayLike<number>) =>
    Math.sqrt(Array.from(x).reduce((sum, t) => sum + t * t, 0) / x.length);
  const hard = await targets("hard", "real");
  assert(hard.every((t) => Math.abs(t) <= 0.2));
  assertAlmostEquals(deviation(hard), 0.2 / Math.sqrt(3), 0.005);
  assertAlmostEquals(deviation(await targets("soft", "real")), 0.2, 0.01);
  assertEquals(deviation(await targets("soft", "fake")), 0);
});

Deno.test("A slider is made again from its description", () => {
  const again = restoreCondition(JSON.parse(JSON.stringify(age.describe())));
  assertEquals(again.describe(), age.describe());
  assertEquals(again.showcase(), age.showcase());
  assertEquals(again.showcase().length, 7);
});

Deno.test("Numbers that make no slider are errors", () => {
  const make = (numbers: number[]) => () => Continuous.fromNumbers("age", numbers, { source: {} });
  assertThrows(make([1, 1]), UserError, "every picture has the number 1");
  assertThrows(make([1, NaN]), UserError, "not every picture has a finite number");
});
