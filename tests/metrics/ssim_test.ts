import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  cast,
  Device,
  grad,
  HostGenerator,
  mul,
  read,
  slice,
  sub,
  sum,
  tensor,
} from "../../engine/mod.ts";
import { msSsim, msSsimTerms, msSsimWeights, ssim, ssimTerms } from "../../metrics/mod.ts";

await Device.open();

const generator = new HostGenerator(7);

function pixels(count: number): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: count }, () => generator.uniform());
}

/** Two batches of pictures that are alike, but not equal. */
function pairOf(shape: [number, number, number, number]) {
  const x = pixels(shape.reduce((a, b) => a * b));
  const noise = pixels(x.length);
  const y = x.map((value, i) => 0.7 * value + 0.3 * noise[i]);
  return { x: tensor(x, shape), y: tensor(y, shape), data: { x, y } };
}

/** Equation 13 of Wang et al. 2004 at every position, with the window of two dimensions as it stands. */
function plainSsim(x: Float32Array, y: Float32Array, [height, width]: [number, number]): number {
  const bell = (d: number): number => Math.exp(-d * d / (2 * 1.5 ** 2));
  let total = 0, positions = 0;
  for (let top = 0; top + 11 <= height; top++) {
    for (let left = 0; left + 11 <= width; left++) {
      let weights = 0, mx = 0, my = 0, vx = 0, vy = 0, cxy = 0;
      const each = (visit: (w: number, a: number, b: number) => void): void => {
        for (let i = 0; i < 121; i++) {
          const row = Math.floor(i / 11), column = i % 11, at = (top + row) * width + left + column;
          visit(bell(row - 5) * bell(column - 5), x[at], y[at]);
        }
      };
      each((w, a, b) => (weights += w, mx += w * a, my += w * b));
      mx /= weights;
      my /= weights;
      each((w, a, b) => {
        vx += w / weights * (a - mx) ** 2;
        vy += w / weights * (b - my) ** 2;
        cxy += w / weights * (a - mx) * (b - my);
      });
      const luminance = (2 * mx * my + 1e-4) / (mx * mx + my * my + 1e-4);
      total += luminance * (2 * cxy + 9e-4) / (vx + vy + 9e-4);
      positions++;
    }
  }
  return total / positions;
}

Deno.test("similarity by channel is the paper's formula with a window of two dimensions", async () => {
  const { x, y, data } = pairOf([1, 2, 13, 16]);
  const [byChannel] = await read([ssimTerms(x, y, { range: 1 }).ssim]);
  for (const c of [0, 1]) {
    const [a, b] = [data.x, data.y].map((d) => d.subarray(c * 13 * 16, (c + 1) * 13 * 16));
    assertAlmostEquals(byChannel[c], plainSsim(a, b, [13, 16]), 1e-5);
  }
});

Deno.test("a picture's similarity to itself is 1, and that of two has no direction", async () => {
  const { x, y } = pairOf([2, 3, 24, 24]), options = { range: 1, weights: msSsimWeights(2) };
  for (const metric of [ssim, msSsim] as const) {
    const [self, forth, back] = await read([
      metric(x, x, options),
      metric(x, y, options),
      metric(y, x, options),
    ]);
    for (const n of [0, 1]) {
      assertAlmostEquals(self[n], 1, 1e-5);
      assertAlmostEquals(forth[n], back[n], 1e-6);
      assert(forth[n] > 0.3 && forth[n] < 0.99, `${forth[n]} is not between`);
    }
  }
});

Deno.test("each picture of a batch is judged by itself", async () => {
  const { x, y } = pairOf([3, 2, 12, 12]);
  const [all, last] = await read([
    ssim(x, y, { range: 1 }),
    ssim(slice(x, [[2, 3]]), slice(y, [[2, 3]]), { range: 1 }),
  ]);
  assertEquals(all.length, 3);
  assertAlmostEquals(all[2], last[0], 1e-6);
});

Deno.test("pictures with another range of values have the same similarity", async () => {
  const { x, y } = pairOf([1, 1, 16, 16]);
  const [small, large] = await read([
    ssim(x, y, { range: 1 }),
    ssim(mul(x, 255), mul(y, 255), { range: 255 }),
  ]);
  assertAlmostEquals(small[0], large[0], 1e-5);
});

Deno.test("one scale of weight 1 is the plain similarity", async () => {
  const { x, y } = pairOf([2, 1, 16, 16]);
  const [plain, single] = await read([
    ssim(x, y, { range: 1 }),
    msSsim(x, y, { range: 1, weights: [1] }),
  ]);
  for (const n of [0, 1]) assertAlmostEquals(single[n], plain[n], 1e-6);
});

Deno.test("a negative term makes the product 0, and its gradients 0 rather than NaN", async () => {
  const { x } = pairOf([1, 1, 24, 24]), negative = sub(1, x);
  const options = { range: 1, weights: msSsimWeights(2) };
  const result = msSsim(x, negative, options);
  const [terms, value, slope] = await read([
    msSsimTerms(x, negative, options),
    result,
    ...grad(sum(result), [x]),
  ]);
  assert(terms[0] < 0);
  assertEquals(value[0], 0);
  assertEquals(slope.every((number) => number === 0), true);
});

Deno.test("a step along the gradient makes pictures more alike by as much as it says", async () => {
  const { x, y } = pairOf([1, 1, 12, 12]);
  const before = ssim(x, y, { range: 1 });
  const [slope] = grad(sum(before), [x]);
  const after = ssim(sub(x, mul(slope, -0.02)), y, { range: 1 });
  const [from, to, square] = await read([before, after, sum(mul(slope, slope))]);
  assert(square[0] > 0);
  assertAlmostEquals((to[0] - from[0]) / (0.02 * square[0]), 1, 0.1);
});

Deno.test("weights for fewer scales are the first of the published ones, and add up to 1", () => {
  assertEquals(msSsimWeights(5), [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]);
  const three = msSsimWeights(3);
  assertAlmostEquals(three[0] + three[1] + three[2], 1, 1e-12);
  assertAlmostEquals(three[1] / three[0], 0.2856 / 0.0448, 1e-12);
  assertThrows(() => msSsimWeights(6), RangeError, "for 6 scales: 1 to 5 have weights");
});

Deno.test("pictures smaller than the window are refused with what would fit", () => {
  const { x } = pairOf([1, 1, 10, 32]), { x: larger } = pairOf([1, 3, 64, 64]);
  assertThrows(
    () => ssim(x, x, { range: 1 }),
    RangeError,
    "Cannot ssim pictures [1, 1, 10, 32] with a window of 11 pixels: " +
      "11 x 11 pixels vs 10 x 32; lower windowSize",
  );
  assertThrows(
    () => msSsim(larger, larger, { range: 1 }),
    RangeError,
    "at 5 scales with a window of 11 pixels: 176 x 176 pixels vs 64 x 64; " +
      "give at most 3 weights, such as msSsimWeights(3)",
  );
  assertEquals(msSsim(larger, larger, { range: 1, weights: msSsimWeights(3) }).shape, [1]);
});

Deno.test("pictures that cannot be compared and settings that make no sense are refused", () => {
  const { x } = pairOf([1, 1, 12, 12]), { x: other } = pairOf([1, 1, 12, 13]);
  const refused = (run: () => unknown, message: string): void => {
    assertThrows(run, Error, message);
  };
  refused(
    () => ssim(x, other, { range: 1 }),
    "[1, 1, 12, 12] and [1, 1, 12, 13]: two [N, C, H, W]",
  );
  refused(() => ssim(cast(x, "i32"), x, { range: 1 }), "i32 and f32 pictures: f32 is needed");
  refused(() => ssim(x, x, { range: 0 }), "with range 0: a number above 0");
  refused(() => ssim(x, x, { range: 1, windowSize: 2.5 }), "with windowSize 2.5: a whole number");
  refused(() => msSsim(x, x, { range: 1, weights: [] }), "with weights []");
});
