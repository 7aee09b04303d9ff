import {
  conv2d,
  type Conv2dGeometry,
  conv2dInputGrad,
  conv2dVariants,
  conv2dWeightGrad,
} from "../../engine/kernels/conv2d.ts";
import {
  conv2dSizes,
  referenceConv2d,
  referenceInputGrad,
  referenceWeightGrad,
} from "./conv2d_reference.ts";
import { assertClose, KernelHarness, noise } from "./harness.ts";

interface Case extends Partial<Omit<Conv2dGeometry, "outputSize">> {
  readonly inChannels: number;
  readonly outChannels: number;
  readonly inputSize: readonly [number, number];
  readonly kernel: readonly [number, number];
}

function geometry(c: Case): Conv2dGeometry {
  const { batch = 2, stride = [1, 1], padding = [0, 0], dilation = [1, 1], groups = 1 } = c;
  const size = (axis: 0 | 1): number =>
    Math.floor(
      (c.inputSize[axis] + 2 * padding[axis] - dilation[axis] * (c.kernel[axis] - 1) - 1) /
        stride[axis],
    ) + 1;
  return { ...c, batch, stride, padding, dilation, groups, outputSize: [size(0), size(1)] };
}

const cases: Record<string, Case> = {
  "a single number": { batch: 1, inChannels: 1, outChannels: 1, inputSize: [1, 1], kernel: [1, 1] },
  "3x3 with padding": {
    batch: 5,
    inChannels: 3,
    outChannels: 7,
    inputSize: [5, 7],
    kernel: [3, 3],
    padding: [1, 1],
  },
  "channels that fill large tiles unevenly": {
    batch: 9,
    inChannels: 19,
    outChannels: 37,
    inputSize: [4, 5],
    kernel: [3, 3],
    padding: [1, 1],
  },
  "images and channels of several whole tiles": {
    batch: 32,
    inChannels: 32,
    outChannels: 33,
    inputSize: [2, 4],
    kernel: [2, 3],
    stride: [1, 2],
    padding: [1, 1],
  },
  "4x4 with stride 2": {
    batch: 4,
    inChannels: 3,
    outChannels: 18,
    inputSize: [8, 8],
    kernel: [4, 4],
    stride: [2, 2],
    padding: [1, 1],
  },
  "3x3 with stride 2, where the last column is not reached": {
    inChannels: 4,
    outChannels: 5,
    inputSize: [6, 8],
    kernel: [3, 3],
    stride: [2, 2],
  },
  "2x2 with stride 3, which leaves gaps": {
    inChannels: 2,
    outChannels: 3,
    inputSize: [10, 11],
    kernel: [2, 2],
    stride: [3, 3],
    padding: [2, 0],
  },
  "5x5 with stride 3 and padding 4": {
    batch: 3,
    inChannels: 5,
    outChannels: 2,
    inputSize: [9, 7],
    kernel: [5, 5],
    stride: [3, 3],
    padding: [4, 4],
  },
  "a 3x5 kernel with unequal strides and padding": {
    inChannels: 3,
    outChannels: 4,
    inputSize: [7, 9],
    kernel: [3, 5],
    stride: [1, 2],
    padding: [0, 2],
  },
  "9x9 with padding 4": {
    batch: 1,
    inChannels: 8,
    outChannels: 3,
    inputSize: [11, 6],
    kernel: [9, 9],
    padding: [4, 4],
  },
  "1x1": { batch: 7, inChannels: 13, outChannels: 11, inputSize: [3, 3], kernel: [1, 1] },
  "dilation": {
    inChannels: 2,
    outChannels: 6,
    inputSize: [9, 10],
    kernel: [3, 2],
    padding: [2, 1],
    dilation: [2, 3],
  },
  "dilation with stride": {
    inChannels: 2,
    outChannels: 3,
    inputSize: [9, 9],
    kernel: [3, 3],
    stride: [2, 3],
    padding: [1, 2],
    dilation: [2, 2],
  },
  "stride down and dilation across": {
    inChannels: 3,
    outChannels: 3,
    inputSize: [8, 9],
    kernel: [4, 3],
    stride: [2, 1],
    padding: [1, 2],
    dilation: [1, 2],
  },
  "groups": {
    inChannels: 6,
    outChannels: 9,
    inputSize: [5, 5],
    kernel: [3, 3],
    padding: [1, 1],
    groups: 3,
  },
  "a convolution of each channel by itself, with stride": {
    inChannels: 5,
    outChannels: 5,
    inputSize: [7, 6],
    kernel: [3, 3],
    stride: [2, 2],
    padding: [1, 1],
    groups: 5,
  },
};

for (const variant of conv2dVariants) {
  Deno.test(`conv2d and its gradients, ${variant}, agree with float64`, async (t) => {
    const harness = await KernelHarness.open();
    try {
      for (const [name, description] of Object.entries(cases)) {
        await t.step(name, () => check(harness, geometry(description), { variant }));
      }
      await t.step(
        "a grid folded over two dimensions",
        () => check(harness, geometry(cases["3x3 with padding"]), { variant, maxWorkgroups: 3 }),
      );
    } finally {
      harness.close();
    }
  });
}

async function check(
  harness: KernelHarness,
  g: Conv2dGeometry,
  options: { variant: string; maxWorkgroups?: number },
): Promise<void> {
  const sizes = conv2dSizes(g);
  const data = {
    x: noise(sizes.x, 1),
    weight: noise(sizes.weight, 2),
    grad: noise(sizes.out, 3),
  };
  const x = { bytes: 4 * sizes.x }, weight = { bytes: 4 * sizes.weight };
  const grad = { bytes: 4 * sizes.out };
  const inputs = new Map([[x, data.x], [weight, data.weight], [grad, data.grad]]);
  const ctx = harness.context(options.variant, options);
  const taps = g.kernel[0] * g.kernel[1];
  // Winograd's sums pass through larger numbers.
  const slack = options.variant.startsWith("winograd") ? 5 : 1;

  const out = { ...grad };
  assertClose(
    await harness.run(conv2d(ctx, g, { x, weight, out }), inputs, { out }),
    referenceConv2d(g, data),
    { terms: taps * g.inChannels, slack, what: "output" },
  );
  const xGrad = { ...x };
  assertClose(
    await harness.run(conv2dInputGrad(ctx, g, { grad, weight, out: xGrad }), inputs, {
      out: xGrad,
    }),
    referenceInputGrad(g, data),
    { terms: taps * g.outChannels, slack, what: "input gradient" },
  );
  const weightGrad = { ...weight };
  assertClose(
    await harness.run(conv2dWeightGrad(ctx, g, { x, grad, out: weightGrad }), inputs, {
      out: weightGrad,
    }),
    referenceWeightGrad(g, data),
    { terms: g.batch * g.outputSize[0] * g.outputSize[1], slack, what: "weight gradient" },
  );
}
