import { type Conv2dGeometry, conv2dVariants } from "../../engine/kernels/conv2d.ts";
import { canFilter } from "../../engine/kernels/winograd_geometry.ts";
import { everySecond } from "../breadth.ts";
import { checkConv2d, tiledForm } from "./checks.ts";
import { KernelHarness } from "./harness.ts";

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
  "3x3 on planes of several tiles, without padding": {
    batch: 1,
    inChannels: 6,
    outChannels: 10,
    inputSize: [11, 18],
    kernel: [3, 3],
  },
  "4x4 with stride 2 on an odd plane, with padding 2": {
    batch: 1,
    inChannels: 5,
    outChannels: 6,
    inputSize: [7, 10],
    kernel: [4, 4],
    stride: [2, 2],
    padding: [2, 2],
  },
  "2x2 with padding 1": {
    batch: 3,
    inChannels: 4,
    outChannels: 3,
    inputSize: [7, 6],
    kernel: [2, 2],
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
  "3x3 between whole blocks of channels": {
    batch: 3,
    inChannels: 20,
    outChannels: 32,
    inputSize: [7, 10],
    kernel: [3, 3],
    padding: [1, 1],
  },
  "4x4 with stride 2 between whole blocks of channels": {
    inChannels: 11,
    outChannels: 32,
    inputSize: [10, 8],
    kernel: [4, 4],
    stride: [2, 2],
    padding: [1, 1],
  },
  "4x4 with stride 2 between whole blocks of channels, with padding 2": {
    inChannels: 12,
    outChannels: 32,
    inputSize: [7, 10],
    kernel: [4, 4],
    stride: [2, 2],
    padding: [2, 2],
  },
  "rows that are whole quads": {
    inChannels: 5,
    outChannels: 7,
    inputSize: [3, 8],
    kernel: [3, 3],
    padding: [1, 1],
  },
  "1x1 on planes that are whole quads": {
    inChannels: 8,
    outChannels: 6,
    inputSize: [6, 6],
    kernel: [1, 1],
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

/** Shapes of products whose depth is split, of tiles that are filled unevenly, and of strides. */
const inTexels = [
  "channels that fill large tiles unevenly",
  "4x4 with stride 2",
  "images and channels of several whole tiles",
  "4x4 with stride 2 between whole blocks of channels",
  "4x4 with stride 2 on an odd plane, with padding 2",
  "3x3 on planes of several tiles, without padding",
  "3x3 with padding",
];
/** What a variant is asked for in the i-th case; undefined where it would be another variant's case. */
function formOf(variant: string, { g, i }: { g: Conv2dGeometry; i: number }): string | undefined {
  const m = Number(variant.match(/^winograd (\d)/)?.[1] ?? 0);
  // The first case shows that filtering leaves to others what it cannot do.
  if (m > 0 && i > 0 && !canFilter(g, m)) return undefined;
  return variant.replace(/tiled$/, () => tiledForm(i));
}

for (const [at, variant] of conv2dVariants.entries()) {
  Deno.test(`conv2d and its gradients, ${variant}, agree with float64`, async (t) => {
    const harness = await KernelHarness.open();
    try {
      const numbered = [...Object.entries(cases).entries()];
      // Those for GPUs take a CPU's compiler longest.
      const taken = variant.endsWith("tiled") ? everySecond(numbered, at) : numbered;
      for (const [i, [name, description]] of taken) {
        const g = geometry(description), form = formOf(variant, { g, i });
        if (form === undefined) continue;
        await t.step(
          form === variant ? name : `${name}, ${form}`,
          () => checkConv2d(harness, g, { variant: form }),
        );
      }
      if (!variant.endsWith("tiled")) {
        for (const name of inTexels) {
          await t.step(
            `${name}, in texels`,
            () => checkConv2d(harness, geometry(cases[name]), { variant, texels: true }),
          );
        }
      }
      await t.step(
        "a grid folded over two dimensions",
        () =>
          checkConv2d(harness, geometry(cases["3x3 with padding"]), { variant, maxWorkgroups: 3 }),
      );
    } finally {
      harness.close();
    }
  });
}
