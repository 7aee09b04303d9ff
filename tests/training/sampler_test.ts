import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertNotEquals,
  assertThrows,
} from "@std/assert";
import { Device } from "../../engine/mod.ts";
import { Acgan, interpolate, Sampler } from "../../training/mod.ts";
import { SIZE, tinyConditions, tinySettings } from "./tiny.ts";

await Device.open();

const conditions = tinyConditions();
const sampler = new Sampler(new Acgan(tinySettings, conditions).generator, conditions);
const BYTES = 3 * SIZE * SIZE;

const drawSeeds = async (seeds: number[], given = {}) =>
  await sampler.draw(await sampler.requests(seeds, given));

Deno.test("A seed gives the same picture alone and among others", async () => {
  const many = await drawSeeds(Array.from({ length: 21 }, (_, i) => i));
  assertEquals(many.length, 21 * BYTES);
  assertEquals(await drawSeeds([18]), many.slice(18 * BYTES, 19 * BYTES));
  assertNotEquals(await drawSeeds([17]), many.slice(18 * BYTES, 19 * BYTES));
});

Deno.test("What is given fixes a condition; the others stay what the seed makes them", async () => {
  const seeds = Array.from({ length: 30 }, (_, i) => i);
  const free = await sampler.requests(seeds);
  const red = await sampler.requests(seeds, { hair: [2] });
  assertEquals(new Set(red.map(({ values }) => values[0][0])), new Set([2]));
  assertEquals(new Set(free.map(({ values }) => values[0][0])), new Set([0, 1, 2]));
  assertEquals(red.map(({ values }) => values[1]), free.map(({ values }) => values[1]));
  assertEquals(red.map(({ z }) => z), free.map(({ z }) => z));
});

Deno.test("A further attempt has other noise and the same values", async () => {
  const [first] = await sampler.requests([3]);
  const [second] = await sampler.requests([3], {}, { attempt: 1 });
  assertEquals(second.values, first.values);
  assertNotEquals(second.z, first.z);
  const [near] = await sampler.requests([3], {}, { truncation: 0.3 });
  assert(near.z.every((x) => Math.abs(x) <= 0.3));
});

Deno.test("A way goes through its pictures, and keeps to the sphere between", async () => {
  const stops = await sampler.requests([3, 4, 5]);
  const frames = interpolate(stops, { conditions, frames: 5 });
  assertEquals(frames.length, 9);
  const norm = (z: Float32Array) => Math.sqrt(z.reduce((sum, x) => sum + x * x, 0));
  stops.forEach(({ z, values }, i) => {
    frames[4 * i].z.forEach((x, k) => assertAlmostEquals(x, z[k], 1e-6));
    assertEquals(frames[4 * i].values, values);
  });
  const smallest = Math.min(...stops.map(({ z }) => norm(z)));
  for (const { z } of frames) assert(norm(z) > 0.9 * smallest);
});

Deno.test("A loop comes back to its first picture, which it shows once", async () => {
  const stops = await sampler.requests([3, 4]);
  const frames = interpolate(stops, { conditions, frames: 5, loop: true });
  assertEquals(frames.length, 8);
  assertEquals([frames[0], frames[4]], stops);
  const mirrored = frames.slice(5).reverse().map(({ z }) => z);
  frames.slice(1, 4).forEach(({ z }, i) =>
    z.forEach((x, k) => assertAlmostEquals(x, mirrored[i][k], 1e-5))
  );
  assertThrows(() => interpolate(stops.slice(1), { conditions, frames: 5 }), RangeError, "two");
});
