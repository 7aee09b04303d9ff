import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
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

Deno.test("Interpolation begins and ends at its pictures, and keeps to the sphere between", async () => {
  const [from, to] = await sampler.requests([3, 4]);
  const frames = interpolate(from, to, { frames: 5 });
  const norm = (z: Float32Array) => Math.sqrt(z.reduce((sum, x) => sum + x * x, 0));
  frames[0].z.forEach((x, i) => assertAlmostEquals(x, from.z[i], 1e-6));
  frames[4].z.forEach((x, i) => assertAlmostEquals(x, to.z[i], 1e-6));
  const smaller = Math.min(norm(from.z), norm(to.z));
  for (const { z, values } of frames) {
    assert(norm(z) > 0.9 * smaller);
    assertEquals(values, from.values);
  }
});
