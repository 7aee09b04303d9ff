import { assertEquals } from "@std/assert";
import type { Conv2dGeometry } from "../../engine/kernels/conv2d_geometry.ts";
import { conv2dTiledCandidates } from "../../engine/kernels/conv2d_tiled.ts";
import { rowsFit } from "../../engine/kernels/conv2d_rows_tiled.ts";
import { checkConv2dOutput } from "./checks.ts";
import { gpu } from "./gpu.ts";
import { KernelHarness } from "./harness.ts";

function geometry(channels: [number, number], size: [number, number], options: {
  batch: number;
  kernel: [number, number];
  padding: [number, number];
}): Conv2dGeometry {
  const { kernel, padding } = options;
  return {
    ...{ ...options, inChannels: channels[0], outChannels: channels[1], inputSize: size },
    outputSize: [
      size[0] + 2 * padding[0] - kernel[0] + 1,
      size[1] + 2 * padding[1] - kernel[1] + 1,
    ],
    ...{ stride: [1, 1], dilation: [1, 1], groups: 1 },
  };
}

const cases = [
  geometry([5, 3], [6, 8], { batch: 3, kernel: [3, 3], padding: [1, 1] }),
  geometry([8, 3], [11, 12], { batch: 2, kernel: [9, 9], padding: [4, 4] }),
  // Windows that begin at every place of a quad, and before, within and after the row.
  geometry([2, 1], [5, 12], { batch: 1, kernel: [2, 5], padding: [0, 0] }),
  geometry([1, 4], [3, 8], { batch: 1, kernel: [1, 3], padding: [2, 3] }),
  geometry([3, 2], [7, 16], { batch: 1, kernel: [5, 5], padding: [6, 6] }),
];

for (const cpu of [true, false]) {
  Deno.test(`convolutions to few channels by rows, ${cpu ? "rolled" : "unrolled"}, agree with float64`, async (t) => {
    const harness = await KernelHarness.open();
    try {
      for (const g of cpu ? cases : cases.slice(0, 1)) {
        assertEquals(rowsFit(g), true);
        const options = { variant: "tiled rows", cpu, maxWorkgroups: cpu ? 2 : undefined };
        await t.step(JSON.stringify(g), () => checkConv2dOutput(harness, g, options));
      }
    } finally {
      harness.close();
    }
  });
}

Deno.test("rows are taken where they fit alone", () => {
  const [fits] = cases;
  const first = (g: Conv2dGeometry): string => conv2dTiledCandidates(gpu, g)[0];
  assertEquals(first(fits), "tiled rows");
  for (
    const other of [
      { ...fits, outChannels: 5 },
      { ...fits, stride: [1, 2], outputSize: [6, 4] },
      { ...fits, dilation: [2, 1], outputSize: [4, 8] },
      { ...fits, inputSize: [6, 10], outputSize: [6, 10] },
      { ...fits, padding: [1, 0], outputSize: [6, 6] },
    ] as const
  ) {
    assertEquals(rowsFit(other), false);
    assertEquals(first(other).startsWith("tiled rows"), false);
  }
});
