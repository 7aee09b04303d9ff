// Tiled products whose operands are rounded to f16: only where that is asked for, and nothing else is.

import { assert, assertEquals, assertLess, assertNotEquals } from "@std/assert";
import {
  conv2d,
  conv2dCandidates,
  type Conv2dGeometry,
  conv2dInputGrad,
  conv2dWeightGrad,
} from "../../engine/kernels/conv2d.ts";
import type { Dispatch, KernelContext, Precision } from "../../engine/kernels/dispatch.ts";
import { matmul, matmulCandidates } from "../../engine/kernels/matmul.ts";
import { conv2dSizes } from "./conv2d_reference.ts";
import { gpu } from "./gpu.ts";
import { KernelHarness, noise } from "./harness.ts";

const offered = (await navigator.gpu?.requestAdapter())?.features.has("shader-f16");

const geometry: Conv2dGeometry = {
  ...{ batch: 3, inChannels: 7, outChannels: 9, groups: 1 },
  inputSize: [6, 5],
  outputSize: [6, 5],
  kernel: [3, 3],
  stride: [1, 1],
  padding: [1, 1],
  dilation: [1, 1],
};

const sides = { batch: 2, m: 21, n: 12, k: 67, transposeA: false, transposeB: true };

/** The nearest numbers that f16 has. */
const rounded = (data: Float32Array): Float32Array<ArrayBuffer> =>
  Float32Array.from(data, Math.f16round);

/** Every family on a small shape, by name: how many products a result sums, and how it is run. */
function families(
  harness: KernelHarness,
  change: (data: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>,
) {
  const sizes = conv2dSizes(geometry);
  const operand = (length: number, seed: number) => {
    const data = change(noise(length, seed));
    return { slot: { bytes: data.byteLength }, data };
  };
  const x = operand(sizes.x, 1), weight = operand(sizes.weight, 2), grad = operand(sizes.out, 3);
  const a = operand(sides.batch * sides.m * sides.k, 4);
  const b = operand(sides.batch * sides.n * sides.k, 5);
  const inputs = new Map([x, weight, grad, a, b].map(({ slot, data }) => [slot, data]));
  const run = (length: number, launch: (out: { bytes: number }) => Dispatch[]) => {
    const out = { bytes: 4 * length };
    return harness.run(launch(out), inputs, { out });
  };
  const operands = { x: x.slot, weight: weight.slot, grad: grad.slot, a: a.slot, b: b.slot };
  return {
    conv2d: {
      terms: 63,
      run: (ctx: KernelContext) =>
        run(sizes.out, (out) => conv2d(ctx, geometry, { ...operands, out })),
    },
    conv2dInputGrad: {
      terms: 81,
      run: (ctx: KernelContext) =>
        run(sizes.x, (out) => conv2dInputGrad(ctx, geometry, { ...operands, out })),
    },
    conv2dWeightGrad: {
      terms: 90,
      run: (ctx: KernelContext) =>
        run(sizes.weight, (out) => conv2dWeightGrad(ctx, geometry, { ...operands, out })),
    },
    matmul: {
      terms: sides.k,
      run: (ctx: KernelContext) =>
        run(2 * sides.m * sides.n, (out) => matmul(ctx, sides, { ...operands, out })),
    },
  };
}

Deno.test({
  name: "products of operands in f16 round operands to 11 bits, and nothing else",
  ignore: !offered,
  async fn(t) {
    const harness = await KernelHarness.open();
    const context = (variant: string, precision?: Precision) =>
      harness.context(variant, { precision });
    try {
      const forms = ["tiled 16x64 prefetch split 2", "tiled 32x32", "tiled 32x32 prefetch"];
      for (const [i, variant] of forms.entries()) {
        const some = (change: (data: Float32Array<ArrayBuffer>) => Float32Array<ArrayBuffer>) =>
          Object.entries(families(harness, change)).filter((_, at) => at % 3 === i);
        for (const [name, { terms, run }] of some((data) => data)) {
          await t.step(`${name}, ${variant}`, async () => {
            const plain = await run(context(variant)), half = await run(context(variant, "f16"));
            assertNotEquals(half, plain);
            half.forEach((value, i) =>
              assertLess(Math.abs(value - plain[i]), 2 ** -10 * Math.sqrt(terms))
            );
          });
        }
        for (const [name, { run }] of some(rounded)) {
          await t.step(`${name} of numbers that f16 has, ${variant}`, async () => {
            assertEquals(await run(context(variant, "f16")), await run(context(variant)));
          });
        }
      }
      const { conv2d } = families(harness, (data) => data);
      for (const variant of ["winograd 2 tiled", "direct"]) {
        await t.step(`${variant} is never rounded`, async () => {
          assertEquals(
            await conv2d.run(context(variant, "f16")),
            await conv2d.run(context(variant)),
          );
        });
      }
    } finally {
      harness.close();
    }
  },
});

Deno.test("no candidate rounds by itself, and precision changes no candidates", () => {
  const large = { ...geometry, inChannels: 64, outChannels: 64, batch: 64 };
  const sizes = conv2dSizes(large), slot = (length: number) => ({ bytes: 4 * length });
  const slots = { x: slot(sizes.x), weight: slot(sizes.weight), out: slot(sizes.out) };
  const names = conv2dCandidates(gpu, large), half = { ...gpu, precision: "f16" as const };
  assertEquals(conv2dCandidates(half, large), names);
  assertEquals(matmulCandidates(half, sides), matmulCandidates(gpu, sides));
  for (const variant of names) {
    const text = conv2d({ ...gpu, variant }, large, slots).map(({ code }) => code).join("\n");
    assert(!text.includes("enable f16"), variant);
  }
});
