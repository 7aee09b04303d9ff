import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { cast, compile, Device, eq, Generator, mean, read, type Tensor } from "../../engine/mod.ts";
import { augmentations } from "../../plugins/diff_augment.ts";
import { assertResumes, onlooker, refusal, trainTiny } from "./loss_run.ts";
import { chosen } from "./tiny_run.ts";

await Device.open();

// What is done by given draws, and its gradients, are held to PyTorch's in tests/golden.

Deno.test("A run with DiffAugment goes on with the same bytes", async () => {
  await assertResumes([chosen("diff-augment")]);
});

Deno.test("DiffAugment changes real pictures and fakes in both networks' parts of a step", async () => {
  // No picture of the tiny data is grey anywhere, and neither is a fake: only what is painted over is 0.
  const zeros = (images: Tensor): Tensor => mean(cast(eq(images, 0), "f32"));
  const shares = async (policy?: readonly string[]): Promise<number[]> => {
    const look = onlooker({
      metrics: {
        real: ({ real }) => zeros(real.images),
        fake: ({ fake }) => zeros(fake.images),
      },
      generatorTerms: { fake: { value: ({ fake }) => zeros(fake.images) } },
    });
    const plugins = policy ? [chosen("diff-augment", { policy }), look] : [look];
    const { metrics } = await trainTiny(plugins, { steps: 10 });
    return ["onlooker.real", "onlooker.fake", "g.onlooker.fake"].map((name) =>
      metrics.reduce((sum, row) => sum + row[name], 0) / metrics.length
    );
  };
  assertEquals(await shares(), [0, 0, 0]);
  assertEquals(await shares(["color"]), [0, 0, 0]);
  // Squares of 4 x 4 out of 8 x 8, some partly outside: 3.2 of 4 pixels a side on average.
  for (const share of await shares(["cutout"])) assert(share > 0.1 && share < 0.22, `${share}`);
  // One pixel at most comes in from a side, two times out of three: 1 / 12 of each axis.
  for (const share of await shares(["translation"])) {
    assert(share > 0.1 && share < 0.22, `${share}`);
  }
});

Deno.test("DiffAugment trains other networks than those without it, by what its policy says", async () => {
  const trained = async (policy: readonly string[]) =>
    (await trainTiny([chosen("diff-augment", { policy })], { steps: 2 })).variables;
  const one = await trained(["color"]), other = await trained(["cutout"]);
  const plain = (await trainTiny([], { steps: 2 })).variables;
  for (const name of ["G.out.weight", "D.conv1.weight"]) {
    assertNotEquals(one[name], plain[name]);
    assertNotEquals(one[name], other[name]);
  }
});

Deno.test("DiffAugment draws for each picture, within the ranges of the paper", async () => {
  const batch = 512, random = new Generator(5), shape = [batch, 3, 16, 9];
  const draw = compile(() =>
    Object.assign({}, ...Object.values(augmentations).map((it) => it.draw(random, shape)))
  );
  const drawn: Record<string, Tensor> = draw();
  const numbers = await read(Object.values(drawn));
  const ranges = Object.fromEntries(
    Object.keys(drawn).map((name, i) => [name, [Math.min(...numbers[i]), Math.max(...numbers[i])]]),
  );
  for (const name of ["brightness", "saturation", "contrast"]) {
    const [low, high] = ranges[name];
    assert(low >= 0 && low < 0.02 && high > 0.98 && high < 1, `${name}: ${low} to ${high}`);
  }
  assertEquals([ranges.down, ranges.right], [[-2, 2], [-1, 1]]);
  assertEquals([ranges.row, ranges.column], [[0, 16], [0, 8]]);
  assertEquals(numbers.map(({ length }) => length), new Array(7).fill(batch));
  const [first, second] = numbers;
  assertNotEquals(first, second);
});

Deno.test("DiffAugment's policy is of known words", async () => {
  assertEquals(
    await refusal("diff-augment", { policy: ["colour"] }),
    "diff-augment.policy takes color, translation, cutout, not colour (did you mean color?)",
  );
});
