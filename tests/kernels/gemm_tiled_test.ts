// Every tile of the GPUs' matrix product, with and without what can be chosen besides, on sizes that fit none.

import { assertEquals, assertLess, assertLessOrEqual, assertThrows } from "@std/assert";
import {
  chooseTiledForm,
  shapeName,
  tiledCandidates,
  tiledName,
  tileShapes,
} from "../../engine/kernels/gemm_tiled_forms.ts";
import type { MatmulGeometry } from "../../engine/kernels/matmul.ts";
import { checkMatmul, tiledOptions } from "./checks.ts";
import { gpu } from "./gpu.ts";
import { KernelHarness } from "./harness.ts";

/** Sizes a little larger than a tile, in multiples of four or not, with operands stored each way. */
function products(tile: { m: number; n: number; k: number }): MatmulGeometry[] {
  const odd = { m: tile.m + 3, n: tile.n + 5, k: 2 * tile.k + 7 };
  const even = { m: tile.m + 4, n: tile.n + 8, k: 3 * tile.k };
  return [
    { batch: 1, ...even, transposeA: true, transposeB: false },
    { batch: 2, ...odd, transposeA: false, transposeB: true, sharedB: true },
    { batch: 1, ...odd, n: even.n, transposeA: true, transposeB: true },
    { batch: 2, ...even, m: odd.m, transposeA: false, transposeB: false, sharedA: true },
  ];
}

Deno.test("every tile of the GPUs' product, however chosen, agrees with float64", async (t) => {
  const harness = await KernelHarness.open();
  try {
    for (const [i, tile] of tileShapes.entries()) {
      const cases = products(tile);
      for (const [j, option] of tiledOptions.slice(i % 2 * 2).slice(0, 2).entries()) {
        const variant = `tiled ${shapeName(tile)}${option}`;
        const geometry = cases[(i + j) % cases.length];
        await t.step(variant, () => checkMatmul(harness, geometry, { variant }));
      }
      const whole = { batch: 1, m: tile.m, n: 2 * tile.n, k: 2 * tile.k };
      const variant = `tiled ${shapeName(tile)} prefetch`;
      await t.step(`${variant}, whole tiles`, () => {
        const stored = { transposeA: i % 2 === 0, transposeB: i % 3 === 0 };
        return checkMatmul(harness, { ...whole, ...stored }, { variant });
      });
    }
    const variant = "tiled 32x32 prefetch", [geometry] = products(tileShapes[0]);
    await t.step(
      `${variant}, as GPUs unroll it`,
      () => checkMatmul(harness, geometry, { variant, cpu: false }),
    );
  } finally {
    harness.close();
  }
});

Deno.test("the guess takes large tiles for large products, flat ones for flat ones, and fills the device", () => {
  const best = (m: number, n: number, k: number) => chooseTiledForm(gpu, { m, n, k, slices: 1 });
  assertEquals(tiledName(best(4096, 4096, 4096)), "tiled 128x64 prefetch");
  assertEquals(best(3, 262_144, 288).tile.m, 4);
  assertEquals(best(64, 13, 8192).tile.n, 16);
  // A weight gradient: 64 channels by 32 x 9, summed over 64 pictures of 32 x 32.
  const { tile, splits } = best(64, 288, 65_536);
  assertLess(100, Math.ceil(64 / tile.m) * Math.ceil(288 / tile.n) * splits);
});

Deno.test("candidates are names that a context takes, within the device's limits", () => {
  const size = { m: 100, n: 1000, k: 5000, slices: 3 };
  const small = {
    ...gpu,
    limits: {
      ...gpu.limits,
      maxComputeInvocationsPerWorkgroup: 128,
      maxComputeWorkgroupStorageSize: 6000,
    },
  };
  for (const ctx of [gpu, small]) {
    const names = tiledCandidates(ctx, size);
    assertEquals(new Set(names).size, names.length);
    for (const variant of names) {
      const form = chooseTiledForm({ ...ctx, variant }, size);
      assertEquals(tiledName(form), variant);
      assertLessOrEqual(form.tile.threads, ctx.limits.maxComputeInvocationsPerWorkgroup);
    }
  }
  assertEquals(tiledCandidates(small, size).some((name) => name.includes("128")), false);
  // Slabs of the largest tile take more than the 16 KB that every device has.
  const deep = { ...gpu.limits, maxComputeWorkgroupStorageSize: 32_768 };
  const large = { m: 1024, n: 1024, k: 1024, slices: 1 };
  const tilesOf = (limits: typeof deep): string[] =>
    tiledCandidates({ ...gpu, limits }, large).map((name) => name.split(" ")[1]);
  assertEquals(tilesOf(deep).includes("128x128"), true);
  assertEquals(tilesOf(gpu.limits).includes("128x128"), false);
});

Deno.test("candidates leave out what is hopeless: small tiles for a large product, large ones for a flat one", () => {
  const shapes = (m: number) =>
    tiledCandidates(gpu, { m, n: 16_384, k: 1152, slices: 1 }).map((name) => name.split(" ")[1]);
  assertEquals(shapes(256).includes("4x256"), false);
  assertEquals(shapes(256).includes("64x64"), true);
  assertEquals(shapes(3).includes("128x128"), false);
});

Deno.test("a form that there is not is refused by name", () => {
  const size = { m: 8, n: 8, k: 8, slices: 1 };
  for (const variant of ["tiled 48x48", "tiled 64x64 split", "tiled split 2", "tiles"]) {
    assertThrows(
      () => chooseTiledForm({ ...gpu, variant }, size),
      Error,
      `No kernel variant "${variant}"`,
    );
  }
});

Deno.test("on a CPU adapter no thread goes more rounds than it allows", () => {
  const size = { m: 32, n: 27, k: 64 * 64 * 256, slices: 1 };
  const { tile, length } = chooseTiledForm({ ...gpu, cpu: true, variant: "tiled 32x32" }, size);
  assertLessOrEqual(length * (1 + 1 / tile.k), 65_535);
});
