import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import {
  compile,
  Device,
  Generator,
  grad,
  HostGenerator,
  mul,
  read,
  sum,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";
import {
  colorsOf,
  drawNumbers,
  matrixOf,
  movesOf,
  type Numbers,
  recolor,
  SYM6,
  warp,
} from "../../plugins/ada.ts";
import { assertResumes, onlooker, trainTiny } from "./loss_run.ts";
import { chosen } from "./tiny_run.ts";

await Device.open();

// What is done by given draws, and its gradients, are held to PyTorch's in tests/golden.

const BATCH = 256, SIZE = 7, SHAPE = [BATCH, 3, SIZE, SIZE];
const CHANGES = ["flip", "turn", "translation", "scale", "rotation", "color"] as const;
const host = new HostGenerator(8);
const evenly = (count: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, () => 2 * host.uniform() - 1);
const pixels = evenly(BATCH * 3 * SIZE * SIZE);
const images = tensor(pixels, SHAPE);

/** Pictures as they are changed with a probability, by random numbers of a seed. */
function changed(p: number, seed = 1): (images: Tensor) => [Tensor, Tensor] {
  const random = new Generator(seed);
  return compile((images: Tensor) => {
    const numbers = drawNumbers(random, { p: tensor(p), count: BATCH, changes: CHANGES });
    const moved = warp(images, matrixOf(movesOf(numbers, { height: SIZE, width: SIZE })));
    return [moved, recolor(images, colorsOf(numbers)!)];
  });
}

Deno.test("With probability 0 pictures are the same to the bit", async () => {
  for (const got of await read(changed(0)(images))) assertEquals(got, pixels);
});

Deno.test("Changes are drawn anew each time, and by the seed alone", async () => {
  const [one, other] = [changed(0.5), changed(0.5)];
  const [a, b] = [await read(one(images)), await read(one(images))];
  const again = [await read(other(images)), await read(other(images))];
  assertEquals([a, b], again);
  const different = (x: ArrayLike<number>, y: ArrayLike<number>): number =>
    Array.from(x).filter((value, i) => value !== y[i]).length / x.length;
  for (const k of [0, 1]) {
    assert(different(a[k], b[k]) > 0.5);
    assert(different(a[k], (await read(changed(0.5, 2)(images)))[k]) > 0.5);
  }
});

Deno.test("Each change happens as often as it should, the two rotations together as often as the others", async () => {
  const random = new Generator(3), p = 0.4, count = 4096;
  const drawn = compile(() => {
    const numbers = drawNumbers(random, { p: tensor(p), count, changes: CHANGES });
    const side = { height: 32, width: 32 };
    return { ...movesOf(numbers, side), ...colorsOf(numbers) } as Record<string, Tensor>;
  })();
  const names = Object.keys(drawn);
  const values = Object.fromEntries(
    (await read(Object.values(drawn))).map((numbers, i) => [names[i], Array.from(numbers)]),
  );
  const share = (happens: (at: number) => boolean): number =>
    Array.from({ length: count }, (_, at) => at).filter(happens).length / count;
  const near = (got: number, want: number, what: string): void =>
    assert(Math.abs(got - want) < 0.04, `${what}: ${got}, not ${want}`);
  for (const name of ["scale", "stretch", "contrast", "saturation"]) {
    near(share((at) => values[name][at] !== 1), p, name);
  }
  for (const name of ["brightness", "hue"]) near(share((at) => values[name][at] !== 0), p, name);
  // Half of the flips, and a quarter of the turns, are none.
  for (const name of ["flip", "inversion"]) {
    near(share((at) => values[name][at] === 1), p / 2, name);
  }
  near(share((at) => values.turn[at] !== 0), 0.75 * p, "turn");
  near(share((at) => values.before[at] !== 0 || values.after[at] !== 0), p, "rotations");
  near(share((at) => values.before[at] !== 0), 1 - Math.sqrt(1 - p), "rotation");
  // Both axes move together.
  near(share((at) => values.shift[2 * at] !== 0), p, "shift");
  assertEquals(share((at) => (values.shift[2 * at] === 0) !== (values.shift[2 * at + 1] === 0)), 0);
  const most = Math.max(...values.translation.map(Math.abs));
  assertEquals([most, values.translation.every(Number.isInteger)], [4, true]);
  const deviation = (numbers: number[]): number =>
    Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0) / numbers.length);
  const happened = values.scale.filter((factor) => factor !== 1).map(Math.log2);
  assertAlmostEquals(deviation(happened), 0.2, 0.02);
  assertAlmostEquals(deviation(values.shift.filter((x) => x !== 0)), 4, 0.4);
});

Deno.test("The filter is that of an orthogonal wavelet with six vanishing moments", () => {
  for (let shift = 0; shift < SYM6.length; shift += 2) {
    const product = SYM6.reduce((sum, x, k) => sum + x * (SYM6[k + shift] ?? 0), 0);
    assertAlmostEquals(product, Number(shift === 0), 1e-11);
  }
  for (let power = 0; power < 6; power++) {
    const moment = SYM6.reduce((sum, x, k) => sum + (-1) ** k * (k - 5.5) ** power * x, 0);
    assertAlmostEquals(moment, 0, 1e-7);
  }
  assertAlmostEquals(SYM6.reduce((a, b) => a + b), Math.SQRT2, 1e-11);
});

Deno.test("Gradients of both changes are those of differences", async () => {
  const other = tensor(evenly(pixels.length), SHAPE);
  const direction = tensor(evenly(pixels.length), SHAPE);
  const random = new Generator(4);
  const numbers: Numbers = compile(() => {
    const drawn = drawNumbers(random, { p: tensor(0.9), count: BATCH, changes: CHANGES });
    return drawn as Record<string, Tensor>;
  })();
  const matrix = matrixOf(movesOf(numbers, { height: SIZE, width: SIZE }));
  const colors = colorsOf(numbers)!;
  const warps = (x: Tensor) => warp(x, matrix);
  const recolors = (x: Tensor) => recolor(x, colors);
  for (const change of [warps, recolors]) {
    const along = (x: Tensor): Tensor => sum(mul(change(x), other));
    const step = (by: number): Tensor => tensor(pixels.map((x, i) => x + by * moves[i]), SHAPE);
    const [moves] = await read([direction]);
    const [slope] = grad(along(images), [images]);
    // Both are affine: a step of any length will do.
    const [[got], [up], [down]] = await read([
      sum(mul(slope, direction)),
      along(step(1)),
      along(step(-1)),
    ]);
    assertLess(Math.abs(got - (up - down) / 2), 1e-3 * Math.abs(got) + 2e-3);
  }
});

Deno.test("The probability goes up where real pictures' logits are more often positive than aimed at, else down", async () => {
  const start = 0.3, target = 0.1, kimg = 0.1, stride = 4 * 4 / (1000 * kimg);
  const asked = [chosen("ada", { start, target, kimg, changes: ["flip"] })];
  const { metrics, variables } = await assertResumes(asked);
  let p = start;
  metrics.forEach((row, i) => {
    if (i % 4 === 3) {
      const last = metrics.slice(i - 3, i + 1).map((row) => row["ada.signs"]);
      const above = last.reduce((a, b) => a + b) / 4 - target;
      p = Math.min(1, Math.max(0, p + Math.sign(above) * stride));
    }
    assertAlmostEquals(row["ada.p"], p, 1e-5);
  });
  assertAlmostEquals(variables["plugin.ada.p"][0], p, 1e-5);
  assertEquals(metrics.length, 20);
});

Deno.test("Before it has begun, and without a chance to, discriminators see pictures as they are", async () => {
  const look = () =>
    onlooker({
      metrics: { real: ({ real }) => sum(real.images), fake: ({ fake }) => sum(fake.images) },
    });
  const asked = [chosen("ada", { start: 0, target: 1, kimg: 1000 }), look()];
  const [{ metrics: [still] }, { metrics: [plain] }] = [
    await trainTiny(asked, { steps: 1 }),
    await trainTiny([look()], { steps: 1 }),
  ];
  for (const name of ["onlooker.real", "onlooker.fake", "d.adv_real", "d.adv_fake"]) {
    assertAlmostEquals(still[name], plain[name], 1e-4);
  }
});
