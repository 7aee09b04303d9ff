import { assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import {
  Device,
  grad,
  HostGenerator,
  mul,
  read,
  sum,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";
import { recolor, warp } from "../../plugins/ada.ts";
import { assertResumes, trainTiny } from "./loss_run.ts";
import { chosen } from "./tiny_run.ts";

await Device.open();

const BATCH = 6, SIZE = 7;
const host = new HostGenerator(8);
const numbers = (count: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: count }, () => 2 * host.uniform() - 1);
const pixels = numbers(BATCH * 3 * SIZE * SIZE);
const images = tensor(pixels, [BATCH, 3, SIZE, SIZE]);
const column = (values: readonly number[]): Tensor => tensor([...values], [values.length, 1, 1, 1]);

/** Where a place beyond the edges is, mirrored; pixels are whole numbers. */
function fold(at: number): number {
  while (at < -0.5 || at > SIZE - 0.5) at = at < -0.5 ? -1 - at : 2 * SIZE - 1 - at;
  return Math.min(Math.max(at, 0), SIZE - 1);
}

Deno.test("A warp takes each pixel from where it was: swapped, mirrored, stretched, moved", async () => {
  const swap = [0, 1, 0, 1, 0, 1];
  const down = { factor: [1, 1, -1, 1.3, 0.8, -0.5], shift: [0, 0, 0, 0.25, -9, 20] };
  const across = { factor: [1, -1, 1, -0.7, 1.1, 2], shift: [0, 0, 2, 1, 0.6, -0.3] };
  const axis = ({ factor, shift }: typeof down) => ({
    factor: column(factor),
    shift: column(shift),
  });
  const made = warp(images, { swap: column(swap), down: axis(down), across: axis(across) });
  const [got] = await read([made]);
  const middle = (SIZE - 1) / 2;
  let worst = 0;
  for (let n = 0; n < BATCH; n++) {
    for (let c = 0; c < 3; c++) {
      const pixel = (y: number, x: number): number => {
        const [row, column] = swap[n] === 1 ? [x, y] : [y, x];
        return pixels[((n * 3 + c) * SIZE + row) * SIZE + column];
      };
      for (let y = 0; y < SIZE; y++) {
        for (let x = 0; x < SIZE; x++) {
          const v = fold((y - middle - down.shift[n]) / down.factor[n] + middle);
          const u = fold((x - middle - across.shift[n]) / across.factor[n] + middle);
          let want = 0;
          for (const [row, a] of [[Math.floor(v), 1 - v % 1], [Math.ceil(v), v % 1]]) {
            for (const [at, b] of [[Math.floor(u), 1 - u % 1], [Math.ceil(u), u % 1]]) {
              want += a * b * pixel(row, at);
            }
          }
          const found = got[((n * 3 + c) * SIZE + y) * SIZE + x];
          worst = Math.max(worst, Math.abs(found - want));
        }
      }
    }
  }
  assertLess(worst, 2e-5);
  // The first picture's change is none, and changes no bit.
  const one = 3 * SIZE * SIZE;
  assertEquals(got.subarray(0, one), pixels.subarray(0, one));
});

Deno.test("Colours are changed in light, and turned about the axis of greys", async () => {
  const gain = [1, -1, 2, 1, 0.5, -1.5], offset = [0, 0, 0.3, 0, 0, -0.2];
  const chroma = [1, 1, 0.5, 0, 2, 1], angle = [0, 0, 2 * Math.PI / 3, 1, -0.7, 3];
  const made = recolor(images, {
    gain: column(gain),
    offset: column(offset),
    chroma: column(chroma),
    angle: column(angle),
  });
  const [got] = await read([made]), area = SIZE * SIZE;
  for (let n = 0; n < BATCH; n++) {
    // Rodrigues' rotation matrix about (1, 1, 1) / sqrt(3).
    const cosine = Math.cos(angle[n]), sine = Math.sin(angle[n]) / Math.sqrt(3);
    const third = (1 - cosine) / 3;
    const rotation = [
      [cosine + third, third - sine, third + sine],
      [third + sine, cosine + third, third - sine],
      [third - sine, third + sine, cosine + third],
    ];
    for (let i = 0; i < area; i++) {
      const rgb = [0, 1, 2].map((c) => pixels[(n * 3 + c) * area + i]);
      const light = (rgb[0] + rgb[1] + rgb[2]) / 3;
      for (let c = 0; c < 3; c++) {
        const turned = rotation[c].reduce((sum, m, k) => sum + m * rgb[k], 0) - light;
        const want = gain[n] * light + offset[n] + chroma[n] * turned;
        assertAlmostEquals(got[(n * 3 + c) * area + i], want, 5e-6);
      }
    }
  }
});

Deno.test("Gradients pass through: both changes are linear, and their gradient is the transpose", async () => {
  const other = tensor(numbers(pixels.length), images.shape),
    zero = column(new Array(BATCH).fill(0));
  const some = column([1, -1, 0.7, 1.2, 2, 0.9]);
  const axis = { factor: some, shift: column([0, 1, -2, 0.3, 0.5, 3]) };
  const warps = (x: Tensor) => warp(x, { swap: zero, down: axis, across: axis });
  const colours = (x: Tensor) =>
    recolor(x, { gain: some, offset: zero, chroma: some, angle: axis.shift });
  for (const change of [warps, colours]) {
    const [there] = await read([sum(mul(change(images), other))]);
    const [slope] = grad(sum(mul(change(images), other)), [images]);
    const [back] = await read([sum(mul(slope, images))]);
    assertAlmostEquals(there[0], back[0], 1e-4 * Math.abs(there[0]) + 1e-4);
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

Deno.test("Without a chance pictures stay as they are", async () => {
  const asked = [chosen("ada", { start: 0, target: 1, kimg: 1000 })];
  const [{ metrics: [still] }, { metrics: [plain] }] = [
    await trainTiny(asked, { steps: 1 }),
    await trainTiny([], { steps: 1 }),
  ];
  assertAlmostEquals(still["d.adv_real"], plain["d.adv_real"], 1e-6);
  assertAlmostEquals(still["d.adv_fake"], plain["d.adv_fake"], 1e-6);
});
