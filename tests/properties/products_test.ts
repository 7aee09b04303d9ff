// Matrix products and convolutions of random shapes and settings against float64: every variant of every
// kernel by itself, and the ops that lead to them.

import {
  convTranspose2d,
  grad,
  matmul,
  read,
  sizeOf,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";
import {
  conv2d as conv2dKernel,
  type Conv2dGeometry,
  conv2dInputGrad,
  conv2dVariants,
  conv2dWeightGrad,
} from "../../engine/kernels/conv2d.ts";
import { shapeName, tileShapes } from "../../engine/kernels/gemm_tiled_forms.ts";
import { matmul as matmulKernel, matmulVariants } from "../../engine/kernels/matmul.ts";
import type { KernelContext } from "../../engine/kernels/dispatch.ts";
import { breadth } from "../breadth.ts";
import { device } from "../engine/device.ts";
import {
  conv2dSizes,
  referenceConv2d,
  referenceInputGrad,
  referenceWeightGrad,
} from "../kernels/conv2d_reference.ts";
import { KernelHarness } from "../kernels/harness.ts";
import { at, build, errorOf, type Reference } from "./array.ts";
import { Draw } from "./draw.ts";
import { checkFamily } from "./family.ts";

await device();

/** How long `count` sums of `terms` products of numbers from -1 to 1 are, together and about. */
const typical = (terms: number, count: number): number => Math.sqrt(terms * count) / 3;

const swapped = ({ shape, data }: Reference): Reference =>
  build(
    [...shape.slice(0, -2), shape.at(-1)!, shape.at(-2)!],
    (p) => at({ shape, data }, [...p.slice(0, -2), p.at(-1)!, p.at(-2)!]),
  );

/** Products of the last two axes; those before broadcast to `outer`. */
function product(a: Reference, b: Reference, outer: readonly number[]): Reference {
  const [m, k] = a.shape.slice(-2), n = b.shape.at(-1)!;
  return build([...outer, m, n], (place) => {
    const batch = place.slice(0, -2), [i, j] = place.slice(-2);
    let total = 0;
    for (let q = 0; q < k; q++) total += at(a, [...batch, i, q]) * at(b, [...batch, q, j]);
    return total;
  });
}

/** A variant, of the tiled one any form, and sometimes a grid so small that it is folded. */
function contextOf(draw: Draw, harness: KernelHarness, variants: readonly string[]): KernelContext {
  const maxWorkgroups = draw.chance(0.2) ? draw.whole(2, 5) : undefined;
  const shape = shapeName(draw.pick(tileShapes));
  const form = ` ${shape}${draw.pick(["", " prefetch"])}${draw.pick(["", "", " split 2"])}`;
  const variant = draw.pick(variants), tiled = variant.endsWith("tiled") && draw.chance(0.8);
  return harness.context(tiled ? variant + form : variant, {
    cpu: draw.chance(variant.endsWith("tiled") ? 0.9 : 0.5),
    maxWorkgroups,
  });
}

Deno.test("matrix product kernels of random sizes agree with float64", async () => {
  const draw = new Draw(4), harness = await KernelHarness.open();
  try {
    await checkFamily("matmul kernels", {
      cases: breadth({ gate: 24, all: 80 }),
      limit: 1e-6,
      async run() {
        const [batch, m, n, k] = [
          draw.pick([1, 1, 2, 5]),
          draw.length(),
          draw.length(),
          draw.length(),
        ];
        const [sharedA, sharedB] = draw.pick([[false, false], [true, false], [false, true]]);
        const [transposeA, transposeB] = [draw.chance(0.5), draw.chance(0.5)];
        const operand = (shared: boolean, rows: number, columns: number): Reference => {
          const shape = [shared ? 1 : batch, rows, columns];
          return { shape, data: draw.numbers(sizeOf(shape)) };
        };
        const a = operand(sharedA, m, k), b = operand(sharedB, k, n);
        const slotOf = (x: Reference) => ({ bytes: 4 * x.data.length });
        const slots = { a: slotOf(a), b: slotOf(b), out: { bytes: 4 * batch * m * n } };
        const stored = (x: Reference, transposed: boolean) =>
          Float32Array.from(transposed ? swapped(x).data : x.data);
        const context = contextOf(draw, harness, matmulVariants);
        const geometry = { batch, m, n, k, transposeA, transposeB, sharedA, sharedB };
        const got = await harness.run(
          matmulKernel(context, geometry, slots),
          new Map([[slots.a, stored(a, transposeA)], [slots.b, stored(b, transposeB)]]),
          { out: slots.out },
        );
        const error = errorOf(got, product(a, b, [batch]).data, { least: typical(k, got.length) });
        return [{ what: `${context.variant} ${JSON.stringify(geometry)}`, error }];
      },
    });
  } finally {
    harness.close();
  }
});

Deno.test("matrix products of vectors, matrices and broadcast batches agree with float64", () => {
  const draw = new Draw(5);
  return checkFamily("matmul", {
    cases: breadth({ gate: 20, all: 60 }),
    limit: 1e-6,
    async run() {
      const [m, n, k] = [draw.length(65), draw.length(65), draw.length()];
      const outer = Array.from({ length: draw.whole(0, 3) }, () => draw.whole(1, 3));
      const batch = () =>
        outer.slice(draw.whole(0, outer.length)).map((d) => draw.chance(0.3) ? 1 : d);
      const operand = (shape: number[]): Reference => ({
        shape,
        data: draw.numbers(sizeOf(shape)),
      });
      const a = operand([...draw.chance(0.5) ? outer : batch(), m, k]);
      const b = operand([...batch(), k, n]);
      const rows = [a, b].map(({ shape }) => shape.slice(0, -2).reverse());
      const broadcast = Array.from(
        { length: Math.max(rows[0].length, rows[1].length) },
        (_, axis) => Math.max(rows[0][axis] ?? 1, rows[1][axis] ?? 1),
      ).reverse();
      const want = product(a, b, broadcast);
      const [transposeA, transposeB] = [draw.chance(0.5), draw.chance(0.5)];
      const upload = (x: Reference, transposed: boolean, vector: boolean): Tensor => {
        const { shape, data } = transposed ? swapped(x) : x;
        return tensor(Float32Array.from(data), vector ? [sizeOf(shape)] : shape);
      };
      // A matrix with one row (or column) and no batch can be given as a vector.
      const node = matmul(
        upload(a, transposeA, a.shape.length === 2 && m === 1),
        upload(b, transposeB, b.shape.length === 2 && n === 1),
        { transposeA, transposeB },
      );
      const [got] = await read([node]);
      const flags = `${transposeA ? "T" : ""} by [${b.shape}]${transposeB ? "T" : ""}`;
      const error = errorOf(got, want.data, { least: typical(k, got.length) });
      return [{ what: `[${a.shape}]${flags}`, error }];
    },
  });
});

/** A convolution that leaves something, of not too many products. */
function drawGeometry(draw: Draw): Conv2dGeometry {
  for (;;) {
    const pair = (least: number, most: number): [number, number] =>
      draw.chance(0.6)
        ? [draw.whole(least, most), draw.whole(least, most)]
        : new Array(2).fill(draw.whole(least, most)) as [number, number];
    const groups = draw.chance(0.25) ? draw.whole(2, 4) : 1;
    const g = {
      batch: draw.pick([1, 2, 3, 5, 8, 17, 32]),
      groups,
      inChannels: groups * draw.length(33),
      outChannels: groups * draw.length(33),
      inputSize: [draw.pick([1, 2, 3, 4, 5, 7, 8, 11, 16]), draw.pick([1, 2, 3, 4, 6, 7, 8, 13])],
      kernel: pair(1, draw.pick([1, 3, 4, 5])),
      stride: pair(1, draw.pick([1, 2, 3])),
      padding: pair(0, 3),
      dilation: pair(1, draw.pick([1, 1, 2, 3])),
    } as const;
    const size = (axis: 0 | 1): number =>
      Math.floor(
        (g.inputSize[axis] + 2 * g.padding[axis] - g.dilation[axis] * (g.kernel[axis] - 1) - 1) /
          g.stride[axis],
      ) + 1;
    const geometry: Conv2dGeometry = { ...g, outputSize: [size(0), size(1)] };
    const { out } = conv2dSizes({ ...geometry });
    const products = out * g.inChannels / groups * g.kernel[0] * g.kernel[1];
    if (size(0) > 0 && size(1) > 0 && products < 2e6) return geometry;
  }
}

const describe = (g: Conv2dGeometry): string => JSON.stringify(g);

Deno.test("convolution kernels and their gradients of random geometry agree with float64", async () => {
  const draw = new Draw(6), harness = await KernelHarness.open();
  try {
    await checkFamily("conv2d kernels", {
      cases: breadth({ gate: 24, all: 80 }),
      // The plain form's sums of ten thousand products are up to 1.2e-6 off.
      limit: 1.5e-6,
      async run() {
        const g = drawGeometry(draw), sizes = conv2dSizes(g), taps = g.kernel[0] * g.kernel[1];
        const x = draw.numbers(sizes.x), weight = draw.numbers(sizes.weight);
        const grad = draw.numbers(sizes.out);
        const slot = { x: { bytes: x.byteLength }, weight: { bytes: weight.byteLength } };
        const gradSlot = { bytes: grad.byteLength },
          context = contextOf(draw, harness, conv2dVariants);
        // Winograd's sums pass through larger numbers.
        const slack = context.variant?.startsWith("winograd") ? 5 : 1;
        const inputs = new Map([[slot.x, x], [slot.weight, weight], [gradSlot, grad]]);
        const out = { ...gradSlot }, xGrad = { ...slot.x }, weightGrad = { ...slot.weight };
        const outcome = (
          what: string,
          numbers: readonly [got: ArrayLike<number>, want: ArrayLike<number>],
          terms: number,
        ) => ({
          what: `${what}, ${context.variant}, ${describe(g)}`,
          error: errorOf(...numbers, { least: typical(terms, numbers[1].length) }) / slack,
        });
        return [
          outcome("output", [
            await harness.run(conv2dKernel(context, g, { ...slot, out }), inputs, { out }),
            referenceConv2d(g, { x, weight }),
          ], taps * g.inChannels / g.groups),
          outcome("input gradient", [
            await harness.run(
              conv2dInputGrad(context, g, { grad: gradSlot, weight: slot.weight, out: xGrad }),
              inputs,
              { out: xGrad },
            ),
            referenceInputGrad(g, { grad, weight }),
          ], taps * g.outChannels / g.groups),
          outcome("weight gradient", [
            await harness.run(
              conv2dWeightGrad(context, g, { x: slot.x, grad: gradSlot, out: weightGrad }),
              inputs,
              { out: weightGrad },
            ),
            referenceWeightGrad(g, { x, grad }),
          ], g.batch * g.outputSize[0] * g.outputSize[1]),
        ];
      },
    });
  } finally {
    harness.close();
  }
});

Deno.test("transposed convolutions and their gradients of random geometry agree with float64", () => {
  const draw = new Draw(7);
  return checkFamily("convTranspose2d", {
    cases: breadth({ gate: 12, all: 40 }),
    limit: 1e-6,
    async run() {
      // The image of a transposed convolution is the output of the convolution that it is the gradient of.
      const g = drawGeometry(draw), sizes = conv2dSizes(g);
      const image = draw.numbers(sizes.out), weight = draw.numbers(sizes.weight);
      const cotangent = draw.numbers(sizes.x);
      const outputPadding = ([0, 1] as const).map((axis) =>
        g.inputSize[axis] - (g.outputSize[axis] - 1) * g.stride[axis] + 2 * g.padding[axis] -
        g.dilation[axis] * (g.kernel[axis] - 1) - 1
      ) as [number, number];
      const x = tensor(image, [g.batch, g.outChannels, ...g.outputSize]);
      const w = tensor(weight, [g.outChannels, g.inChannels / g.groups, ...g.kernel]);
      const { stride, padding, dilation, groups } = g;
      const y = convTranspose2d(x, w, { stride, padding, dilation, groups, outputPadding });
      const gradients = grad(y, [x, w], { cotangent: tensor(cotangent, y.shape) });
      const [got, forX, forW] = await read([y, ...gradients]);
      const taps = g.kernel[0] * g.kernel[1], what = describe(g);
      return [
        {
          what: `output ${what}`,
          error: errorOf(got, referenceInputGrad(g, { grad: image, weight }), {
            least: typical(taps * g.outChannels / g.groups, sizes.x),
          }),
        },
        {
          what: `input gradient ${what}`,
          error: errorOf(forX, referenceConv2d(g, { x: cotangent, weight }), {
            least: typical(taps * g.inChannels / g.groups, sizes.out),
          }),
        },
        {
          what: `weight gradient ${what}`,
          error: errorOf(forW, referenceWeightGrad(g, { x: cotangent, grad: image }), {
            least: typical(g.batch * g.outputSize[0] * g.outputSize[1], sizes.weight),
          }),
        },
      ];
    },
  });
});
