import { assertEquals } from "@std/assert";
import {
  conv2dCandidates,
  conv2dInputGradCandidates,
  conv2dWeightGrad,
  conv2dWeightGradCandidates,
} from "../../engine/kernels/conv2d.ts";
import { type Conv2dGeometry, describeConv2d } from "../../engine/kernels/conv2d_geometry.ts";
import {
  inputGradRowsFit,
  rowsFit,
  rowsVariant,
  weightGradRowsFit,
} from "../../engine/kernels/conv2d_rows_tiled.ts";
import { checkConv2dInputGrad, checkConv2dOutput, checkConv2dWeightGrad } from "./checks.ts";
import { gpu } from "./gpu.ts";
import { KernelHarness } from "./harness.ts";

type Pair = [number, number];

function geometry(channels: Pair, size: Pair, options: {
  batch: number;
  kernel: Pair;
  padding: Pair;
  stride?: Pair;
}): Conv2dGeometry {
  const { kernel, padding, stride = [1, 1] } = options;
  const outputOf = (axis: 0 | 1): number =>
    Math.floor((size[axis] + 2 * padding[axis] - kernel[axis]) / stride[axis]) + 1;
  return {
    ...{ ...options, inChannels: channels[0], outChannels: channels[1], inputSize: size, stride },
    ...{ outputSize: [outputOf(0), outputOf(1)], dilation: [1, 1], groups: 1 },
  };
}

/** Convolutions to few channels. */
const toFew = [
  geometry([5, 3], [6, 8], { batch: 3, kernel: [3, 3], padding: [1, 1] }),
  geometry([8, 3], [11, 12], { batch: 2, kernel: [9, 9], padding: [4, 4] }),
  // Windows that begin at every place of a quad, and before, within and after the row.
  geometry([2, 1], [5, 12], { batch: 1, kernel: [2, 5], padding: [0, 0] }),
  geometry([1, 4], [3, 8], { batch: 1, kernel: [1, 3], padding: [2, 3] }),
  geometry([3, 2], [7, 16], { batch: 1, kernel: [5, 5], padding: [6, 6] }),
];

/** More of them, for the form that reads ahead. */
const toFewBeside = [
  // So large that fewer threads share a place.
  geometry([3, 2], [9, 512], { batch: 26, kernel: [3, 3], padding: [1, 1] }),
  // Rows that begin and end with one number of a quad, and rows too long for more than one ahead.
  geometry([9, 4], [6, 16], { batch: 2, kernel: [5, 7], padding: [2, 1] }),
  geometry([2, 3], [4, 8], { batch: 1, kernel: [1, 17], padding: [0, 8] }),
  // More taps than a workgroup's memory holds.
  geometry([37, 4], [4, 16], { batch: 1, kernel: [6, 9], padding: [3, 4] }),
];

/** The gradient for a discriminator's pictures. */
const toPictures = geometry([3, 5], [6, 8], {
  batch: 3,
  kernel: [4, 4],
  padding: [1, 1],
  stride: [2, 2],
});

const products = {
  convolutions: {
    fits: rowsFit,
    candidates: conv2dCandidates,
    check: checkConv2dOutput,
    cases: [...toFew, ...toFewBeside],
    unrolled: [...toFew.slice(0, 2), ...toFewBeside],
  },
  "weights' gradients": {
    fits: weightGradRowsFit,
    candidates: conv2dWeightGradCandidates,
    check: checkConv2dWeightGrad,
    unrolled: toFew.slice(0, 1),
    cases: [
      ...toFew,
      // More strips than a workgroup has, and not a multiple; of as many channels as a thread takes, and one fewer.
      geometry([4, 1], [9, 20], { batch: 9, kernel: [3, 3], padding: [1, 1] }),
      geometry([6, 3], [10, 20], { batch: 7, kernel: [3, 3], padding: [1, 1] }),
      geometry([3, 4], [5, 40], { batch: 4, kernel: [1, 1], padding: [0, 0] }),
      // Kernels whose rows are not shared out evenly.
      geometry([1, 3], [13, 24], { batch: 5, kernel: [5, 5], padding: [2, 2] }),
      geometry([2, 4], [8, 8], { batch: 1, kernel: [4, 13], padding: [1, 6] }),
    ],
  },
  "inputs' gradients": {
    fits: inputGradRowsFit,
    candidates: conv2dInputGradCandidates,
    check: checkConv2dInputGrad,
    unrolled: [toPictures],
    cases: [
      toPictures,
      // More channels than a workgroup takes at a time.
      geometry([3, 19], [11, 12], { batch: 2, kernel: [9, 9], padding: [4, 4] }),
      geometry([4, 41], [6, 24], { batch: 1, kernel: [4, 4], padding: [1, 1], stride: [2, 2] }),
      geometry([1, 2], [5, 16], { batch: 1, kernel: [2, 5], padding: [0, 0] }),
      geometry([3, 1], [3, 8], { batch: 1, kernel: [1, 3], padding: [2, 3] }),
      // Kernels that the stride does not divide, rows that it does not, and groups that end beyond a row.
      geometry([4, 7], [8, 16], { batch: 2, kernel: [3, 3], padding: [1, 1], stride: [2, 2] }),
      geometry([2, 3], [7, 12], { batch: 5, kernel: [5, 6], padding: [2, 0], stride: [3, 2] }),
      geometry([2, 6], [9, 16], { batch: 1, kernel: [5, 5], padding: [2, 2], stride: [1, 4] }),
      geometry([1, 4], [5, 24], { batch: 2, kernel: [7, 9], padding: [3, 4], stride: [2, 3] }),
      geometry([2, 3], [5, 8], { batch: 3, kernel: [2, 3], padding: [3, 5], stride: [2, 2] }),
      // Positions that no window reaches.
      geometry([3, 4], [6, 8], { batch: 1, kernel: [1, 1], padding: [0, 0], stride: [2, 2] }),
    ],
  },
};

for (const [name, { fits, check, cases, unrolled }] of Object.entries(products)) {
  for (const cpu of [true, false]) {
    Deno.test(`${name} of few channels by rows, ${cpu ? "rolled" : "unrolled"}, agree with float64`, async (t) => {
      const harness = await KernelHarness.open();
      try {
        for (const g of cpu ? cases : unrolled) {
          assertEquals(fits(g), true);
          const options = { variant: rowsVariant, cpu, maxWorkgroups: cpu ? 2 : undefined };
          await t.step(describeConv2d(g), () => check(harness, g, options));
        }
      } finally {
        harness.close();
      }
    });
  }
}

Deno.test("strips of one workgroup need no second kernel", () => {
  const kernels = (g: Conv2dGeometry): string[] =>
    conv2dWeightGrad(gpu, g, { x: { bytes: 0 }, grad: { bytes: 0 }, out: { bytes: 4 } })
      .map(({ variant }) => variant);
  assertEquals(kernels(toFew[0]), [rowsVariant]);
  assertEquals(kernels({ ...toFew[0], batch: 30 }), [rowsVariant, "sum splits"]);
});

/** Whether the guess prefers rows; it must where they fit, and there alone. */
function isFirst(product: keyof typeof products, g: Conv2dGeometry): boolean {
  const { fits, candidates } = products[product], first = candidates(gpu, g)[0] === rowsVariant;
  assertEquals(fits(g), first);
  return first;
}

Deno.test("rows are taken where they fit alone", () => {
  const [fits] = toFew;
  for (const product of ["convolutions", "weights' gradients"] as const) {
    assertEquals(isFirst(product, fits), true);
    for (
      const other of [
        { ...fits, outChannels: 5 },
        { ...fits, stride: [1, 2], outputSize: [6, 4] },
        { ...fits, dilation: [2, 1], outputSize: [4, 8] },
        { ...fits, inputSize: [6, 10], outputSize: [6, 10] },
        { ...fits, padding: [1, 0], outputSize: [6, 6] },
      ] as const
    ) assertEquals(isFirst(product, other), false);
  }
  for (
    const other of [
      // Too wide, too many taps, and too many rounds of them.
      { ...fits, kernel: [1, 33], padding: [0, 16] },
      { ...fits, kernel: [343, 3], padding: [171, 1] },
      { ...fits, inChannels: 8192 },
    ] as const
  ) assertEquals(isFirst("convolutions", other), false);
  const wide = geometry([1, 4], [3, 32], { batch: 1, kernel: [1, 13], padding: [0, 6] });
  assertEquals(isFirst("weights' gradients", wide), true);
  const wider = { ...wide, kernel: [1, 17], padding: [0, 8] } as const;
  assertEquals(isFirst("weights' gradients", wider), false);
});

Deno.test("gradients for inputs are taken by rows where they fit alone", () => {
  const [fits] = products["inputs' gradients"].cases;
  assertEquals(isFirst("inputs' gradients", fits), true);
  for (
    const other of [
      { ...fits, inChannels: 5 },
      // Too many sums, and too many taps.
      { ...fits, inputSize: [6, 16], stride: [2, 4] },
      { ...fits, kernel: [32, 36], padding: [15, 17] },
      { ...fits, stride: [2, 1], dilation: [1, 2], inputSize: [6, 8], outputSize: [3, 4] },
      { ...fits, inputSize: [6, 10] },
      { ...fits, inputSize: [6, 12], outputSize: [3, 6] },
      { ...fits, outChannels: 4096 },
    ] as const
  ) assertEquals(isFirst("inputs' gradients", other), false);
});
