import { assertEquals } from "@std/assert";
import {
  conv2dCandidates,
  conv2dInputGradCandidates,
  conv2dWeightGradCandidates,
} from "../../engine/kernels/conv2d.ts";
import { fewVariant } from "../../engine/kernels/conv2d_few.ts";
import { type Conv2dGeometry, describeConv2d } from "../../engine/kernels/conv2d_geometry.ts";
import { checkConv2dInputGrad, checkConv2dOutput, checkConv2dWeightGrad } from "./checks.ts";
import { KernelHarness } from "./harness.ts";

type Pair = [number, number];

function geometry(channels: Pair, size: Pair, options: {
  batch: number;
  kernel: Pair;
  padding: Pair;
  stride?: Pair;
  dilation?: Pair;
}): Conv2dGeometry {
  const { kernel, padding, stride = [1, 1], dilation = [1, 1] } = options;
  const outputOf = (axis: 0 | 1): number =>
    Math.floor(
      (size[axis] + 2 * padding[axis] - (kernel[axis] - 1) * dilation[axis] - 1) / stride[axis],
    ) + 1;
  return {
    ...{ ...options, inChannels: channels[0], outChannels: channels[1], inputSize: size },
    ...{ outputSize: [outputOf(0), outputOf(1)], stride, dilation, groups: 1 },
  };
}

const cases = [
  // From pictures: a discriminator's first layer, and one whose sizes nothing divides.
  geometry([3, 64], [8, 8], { batch: 4, kernel: [4, 4], padding: [1, 1], stride: [2, 2] }),
  geometry([3, 19], [11, 13], { batch: 3, kernel: [4, 4], padding: [1, 1], stride: [2, 2] }),
  geometry([1, 9], [7, 10], { batch: 2, kernel: [5, 3], padding: [2, 0], stride: [3, 2] }),
  geometry([4, 10], [9, 6], { batch: 1, kernel: [3, 3], padding: [0, 2] }),
  geometry([2, 33], [6, 17], { batch: 5, kernel: [1, 1], padding: [0, 0], stride: [2, 2] }),
  geometry([3, 8], [9, 12], { batch: 2, kernel: [3, 3], padding: [2, 1], dilation: [2, 3] }),
  geometry([2, 5], [5, 8], { batch: 3, kernel: [2, 3], padding: [3, 5], stride: [2, 2] }),
  // To pictures: a generator's last layer, and others.
  geometry([32, 3], [8, 16], { batch: 4, kernel: [3, 3], padding: [1, 1] }),
  geometry([21, 3], [11, 13], { batch: 3, kernel: [3, 3], padding: [1, 1] }),
  geometry([8, 3], [11, 12], { batch: 2, kernel: [9, 9], padding: [4, 4] }),
  geometry([9, 1], [7, 6], { batch: 1, kernel: [1, 5], padding: [0, 3] }),
  geometry([6, 4], [6, 9], { batch: 2, kernel: [2, 3], padding: [0, 1], dilation: [3, 2] }),
  // Few on both sides, and a kernel with more sums than a thread holds.
  geometry([3, 4], [6, 7], { batch: 2, kernel: [3, 3], padding: [1, 1] }),
  geometry([4, 16], [12, 11], { batch: 2, kernel: [9, 7], padding: [4, 3] }),
];

const products = {
  convolutions: { check: checkConv2dOutput, candidates: conv2dCandidates },
  "inputs' gradients": { check: checkConv2dInputGrad, candidates: conv2dInputGradCandidates },
  "weights' gradients": { check: checkConv2dWeightGrad, candidates: conv2dWeightGradCandidates },
};

for (const [name, { check, candidates }] of Object.entries(products)) {
  for (const texels of [false, true]) {
    Deno.test(`${name} of few channels in ${texels ? "texels" : "buffers"} agree with float64`, async (t) => {
      const harness = await KernelHarness.open();
      try {
        for (const [at, g] of cases.entries()) {
          assertEquals(candidates(harness.context(""), g).includes(fewVariant), true);
          const options = { variant: fewVariant, texels, maxWorkgroups: at % 2 ? 2 : undefined };
          await t.step(describeConv2d(g), () => check(harness, g, options));
        }
      } finally {
        harness.close();
      }
    });
  }
}
