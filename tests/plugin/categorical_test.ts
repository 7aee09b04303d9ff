import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import { compile, Device, Generator, read, tensor } from "../../engine/mod.ts";
import { Categorical } from "../../plugin/mod.ts";
import { restoreCondition } from "../../training/mod.ts";

await Device.open();

const hair = new Categorical({
  name: "hair",
  classes: ["black", "blonde", "red"],
  frequencies: [0.5, 0.125, 0.375],
});

Deno.test("A class enters the generator one-hot", async () => {
  const [code] = await read([hair.encode(hair.tensor([[2], [0]]))]);
  assertEquals([...code], [0, 0, 1, 1, 0, 0]);
});

Deno.test("The prior draws each class as often as it occurs", async () => {
  const random = new Generator(5);
  const draw = compile(() => hair.sample(random, 8192));
  const [values] = await read([draw()]);
  hair.frequencies.forEach((frequency, k) => {
    assertAlmostEquals(values.filter((value) => value === k).length / 8192, frequency, 0.02);
  });
});

Deno.test("A single class needs no prior", async () => {
  const one = new Categorical({ name: "kind", classes: ["face"], frequencies: [1] });
  const [values] = await read([one.sample(new Generator(1), 3)]);
  assertEquals([...values], [0, 0, 0]);
});

Deno.test("The score is 1 where the largest logit is the class", async () => {
  const head = tensor([0, 5, 1, 9, 2, 3], [2, 3]);
  const [score] = await read([hair.score(head, hair.tensor([[1], [2]]))]);
  assertEquals([...score], [1, 0]);
});

Deno.test("An unknown class is an error that lists the known ones", () => {
  assertEquals(hair.parse("blonde"), [1]);
  assertThrows(
    () => hair.parse("mauve"),
    UserError,
    '"mauve": this model knows black, blonde, red',
  );
});

Deno.test("Frequencies are counted from the labels", () => {
  const counted = Categorical.fromLabels("hair", hair.classes, Int32Array.of(0, 2, 0, 2));
  assertEquals(counted.frequencies, [0.5, 0, 0.5]);
});

Deno.test("A condition is made again from its description", () => {
  const description = JSON.parse(JSON.stringify(hair.describe()));
  assertEquals(restoreCondition(description).describe(), hair.describe());
  assertThrows(() => restoreCondition({ kind: "mood" }), UserError, 'kind of condition "mood"');
});
