// Winograd's filtering for GPUs: what it rounds, and when it is one of the candidates.

import { assert, assertEquals, assertLess } from "@std/assert";
import {
  conv2d,
  conv2dCandidates,
  type Conv2dGeometry,
  conv2dInputGrad,
  conv2dInputGradCandidates,
  conv2dWeightGrad,
  conv2dWeightGradCandidates,
} from "../../engine/kernels/conv2d.ts";
import type { Dispatch } from "../../engine/kernels/dispatch.ts";
import { tiledGemm } from "../../engine/kernels/gemm_tiled.ts";
import { matmulGemm } from "../../engine/kernels/matmul_tiled.ts";
import { canFilter } from "../../engine/kernels/winograd_geometry.ts";
import { checkConv2d } from "./checks.ts";
import {
  conv2dSizes,
  referenceConv2d,
  referenceInputGrad,
  referenceWeightGrad,
} from "./conv2d_reference.ts";
import { gpu } from "./gpu.ts";
import { KernelHarness, noise } from "./harness.ts";

const families = [conv2dCandidates, conv2dInputGradCandidates, conv2dWeightGradCandidates];

/** A layer like those of `acgan64`: 3x3 in the generator, 4x4 with stride 2 in the discriminator. */
function layer(
  batch: number,
  [inChannels, outChannels, side]: readonly [number, number, number],
  kernel: 3 | 4 = 3,
): Conv2dGeometry {
  const stride = kernel === 3 ? 1 : 2;
  return {
    ...{ batch, inChannels, outChannels, groups: 1 },
    inputSize: [side, side],
    outputSize: [side / stride, side / stride],
    kernel: [kernel, kernel],
    stride: [stride, stride],
    padding: [1, 1],
    dilation: [1, 1],
  };
}

/** Root mean squares of the errors of a convolution and both gradients. */
async function errorsOf(
  harness: KernelHarness,
  g: Conv2dGeometry,
  variant: string,
): Promise<number[]> {
  const sizes = conv2dSizes(g), context = harness.context(variant);
  const data = { x: noise(sizes.x, 1), weight: noise(sizes.weight, 2), grad: noise(sizes.out, 3) };
  const slot = (length: number) => ({ bytes: 4 * length });
  const x = slot(sizes.x), weight = slot(sizes.weight), grad = slot(sizes.out);
  const inputs = new Map([[x, data.x], [weight, data.weight], [grad, data.grad]]);
  const error = async (
    launch: (out: { bytes: number }) => Dispatch[],
    expected: Float64Array,
  ): Promise<number> => {
    const out = slot(expected.length);
    const actual = await harness.run(launch(out), inputs, { out });
    return Math.sqrt(actual.reduce((sum, value, i) => sum + (value - expected[i]) ** 2, 0));
  };
  return [
    await error((out) => conv2d(context, g, { x, weight, out }), referenceConv2d(g, data)),
    await error(
      (out) => conv2dInputGrad(context, g, { grad, weight, out }),
      referenceInputGrad(g, data),
    ),
    await error(
      (out) => conv2dWeightGrad(context, g, { x, grad, out }),
      referenceWeightGrad(g, data),
    ),
  ];
}

Deno.test("filtering is less than 5 times as far off as the direct kernel, with the channels of acgan64", async (t) => {
  const harness = await KernelHarness.open();
  try {
    for (
      const g of [layer(2, [64, 128, 8]), layer(4, [64, 128, 8], 4)]
    ) {
      const direct = await errorsOf(harness, g, "direct");
      for (const variant of ["winograd 2 tiled", "winograd 4 tiled"]) {
        const name = `${variant}, ${g.kernel[0]}x${g.kernel[1]}, ${g.inChannels} channels`;
        await t.step(name, async () => {
          const filtered = await errorsOf(harness, g, variant);
          filtered.forEach((error, i) => assertLess(error / direct[i], 5));
        });
      }
    }
  } finally {
    harness.close();
  }
});

Deno.test("tiles that fill planes, reach beyond them, or lie in rows that are no quads agree with float64", async (t) => {
  const harness = await KernelHarness.open();
  try {
    for (
      const [kernel, stride, padding, height, width] of [
        [3, 1, 1, 8, 8],
        [3, 1, 0, 9, 12],
        [2, 1, 1, 10, 13],
        [5, 1, 2, 4, 4],
        [4, 2, 1, 16, 16],
        [4, 2, 1, 4, 4],
        [4, 2, 2, 9, 12],
        [4, 2, 0, 11, 20],
        [4, 2, 1, 10, 13],
        [6, 2, 2, 9, 12],
      ]
    ) {
      const size = (side: number) => Math.floor((side + 2 * padding - kernel) / stride) + 1;
      const g: Conv2dGeometry = {
        ...{ batch: 2, inChannels: 3, outChannels: 5, groups: 1 },
        inputSize: [height, width],
        outputSize: [size(height), size(width)],
        kernel: [kernel, kernel],
        stride: [stride, stride],
        padding: [padding, padding],
        dilation: [1, 1],
      };
      for (const m of [2, 4].filter((m) => canFilter(g, m))) {
        const name = `${kernel}x${kernel} s${stride} p${padding} of ${height}x${width} by ${m}`;
        const variant = `winograd ${m} tiled 32x32`;
        await t.step(name, () => checkConv2d(harness, g, { variant, cpu: false }));
      }
    }
  } finally {
    harness.close();
  }
});

Deno.test("filtering comes first where it saves much, is measured where it may, and is left out where not", () => {
  for (const candidates of families) {
    for (const g of [layer(64, [256, 512, 8]), layer(64, [64, 128, 32], 4)]) {
      const names = candidates(gpu, g);
      assert(names[0].startsWith("winograd 4 tiled "), names[0]);
      assertEquals(new Set(names).size, names.length);
      for (const form of ["winograd 2 tiled", "winograd 4 tiled", "tiled"]) {
        assert(names.some((name) => name.startsWith(`${form} `)), form);
      }
    }
    const little = candidates(gpu, layer(4, [32, 32, 32], 4));
    assert(little[0].startsWith("tiled "), little[0]);
    assert(little.some((name) => name.startsWith("winograd ")));
    const never = [
      // 17 MFLOP: an exact zero would become rounding.
      layer(1, [32, 32, 16]),
      layer(64, [32, 3, 64]),
      { ...layer(64, [256, 512, 8]), dilation: [2, 2], padding: [2, 2] } as const,
    ];
    for (const g of never) {
      assertEquals(candidates(gpu, g).filter((name) => name.startsWith("winograd")), []);
    }
  }
});

Deno.test("a sum of few products is not filtered by large tiles", () => {
  const names = conv2dWeightGradCandidates(gpu, layer(2, [512, 1024, 4]));
  assert(names.some((name) => name.startsWith("winograd 2")));
  assert(!names.some((name) => name.startsWith("winograd 4")));
});

Deno.test("filtering whose operands are larger than a buffer is no candidate", () => {
  const g = layer(256, [64, 128, 32]);
  const forms = (maxBufferSize: number) =>
    conv2dCandidates({ ...gpu, limits: { ...gpu.limits, maxBufferSize } }, g)
      .map((name) => name.match(/^winograd \d/)?.[0]);
  // Products: 36 slices of 128 channels by 16,384 tiles, or 16 of 65,536.
  assert(forms(4 * 16 * 128 * 65_536).includes("winograd 2"));
  assert(!forms(4 * 16 * 128 * 65_536 - 4).includes("winograd 2"));
  assert(forms(4 * 36 * 128 * 16_384).includes("winograd 4"));
  assert(!forms(4 * 36 * 128 * 16_384 - 4).includes("winograd 4"));
});

Deno.test("what is scratch fits what candidates were told", () => {
  let largest = 0;
  const scratch = (bytes: number) => (largest = Math.max(largest, bytes), { bytes });
  const g = layer(16, [64, 128, 32]), sizes = conv2dSizes(g);
  const slot = (length: number) => ({ bytes: 4 * length });
  const slots = { x: slot(sizes.x), weight: slot(sizes.weight), out: slot(sizes.out) };
  for (const variant of conv2dCandidates(gpu, g).filter((name) => name.startsWith("winograd"))) {
    largest = 0;
    conv2d({ ...gpu, scratch, variant }, g, slots);
    const limits = { ...gpu.limits, maxBufferSize: largest - 4 };
    assert(!conv2dCandidates({ ...gpu, limits }, g).includes(variant), variant);
  }
});

Deno.test("an input gradient transforms the weight as its convolution does", () => {
  for (const g of [layer(2, [7, 5, 8]), layer(2, [64, 128, 8]), layer(2, [7, 5, 8], 4)]) {
    for (const padding of [[1, 1], [2, 2]] as const) {
      const padded = { ...g, padding };
      for (const variant of ["winograd 2 tiled", "winograd 4 tiled"]) {
        const ctx = { ...gpu, variant }, [x, weight, out] = [1, 2, 3].map((bytes) => ({ bytes }));
        const [forward, backward] = [
          conv2d(ctx, padded, { x, weight, out }),
          conv2dInputGrad(ctx, padded, { grad: x, weight, out }),
        ].map((dispatches) => dispatches.find(({ variant }) => variant.endsWith("weight"))!);
        assertEquals(backward.code, forward.code);
        assertEquals(backward.slots[1].bytes, forward.slots[1].bytes);
      }
    }
  }
});

Deno.test("a product of parts that lie side by side is to the bit that of the parts by themselves", async () => {
  const harness = await KernelHarness.open();
  const matrices = 3, count = 4, batch = count * matrices;
  try {
    for (const [m, n, k] of [[36, 20, 19], [37, 23, 18]]) {
      for (const reversed of [false, true]) {
        const g = { batch, m, n, k, transposeA: true, transposeB: false };
        // [matrices, k, count, m], and [batch, k, m].
        const together = noise(batch * m * k, 1), alone = new Float32Array(batch * m * k);
        alone.forEach((_, at) => {
          const row = at % m, step = Math.floor(at / m) % k, slice = Math.floor(at / m / k);
          const turn = Math.floor(slice / matrices), part = reversed ? count - 1 - turn : turn;
          alone[at] = together[((slice % matrices * k + step) * count + part) * m + row];
        });
        const run = (data: Float32Array<ArrayBuffer>, gemm: ReturnType<typeof matmulGemm>) => {
          const a = { bytes: 4 * batch * m * k }, b = { bytes: 4 * batch * n * k };
          const out = { bytes: 4 * batch * m * n };
          const dispatches = tiledGemm(harness.context("tiled 32x32"), gemm, { a, b, out });
          return harness.run(dispatches, new Map([[a, data], [b, noise(batch * n * k, 2)]]), {
            out,
          });
        };
        assertEquals(
          await run(together, matmulGemm(g, { count, reversed })),
          await run(alone, matmulGemm(g)),
        );
      }
    }
  } finally {
    harness.close();
  }
});
