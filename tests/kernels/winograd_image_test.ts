// Winograd's filtering for CPU adapters: transformed weights that serve a convolution and its input gradient, and where
// the guess places it.

import { assertEquals, assertNotEquals } from "@std/assert";
import { conv2d, grad, leakyRelu, sum, tensor, Variable } from "../../engine/mod.ts";
import { Plan } from "../../engine/compile/plan.ts";
import {
  conv2d as launchConv2d,
  conv2dCandidates,
  conv2dInputGrad,
  conv2dInputGradCandidates,
  conv2dWeightGradCandidates,
} from "../../engine/kernels/conv2d.ts";
import type { Conv2dGeometry } from "../../engine/kernels/conv2d_geometry.ts";
import type { KernelContext } from "../../engine/kernels/dispatch.ts";
import { device } from "../engine/device.ts";
import { gpu } from "./gpu.ts";

const slot = () => ({ bytes: 4 });

const ctx: KernelContext = { ...gpu, cpu: true, images: true };

/** The code that transforms the weight, for a convolution and for its input gradient. */
function transforms(g: Conv2dGeometry, variant: string): string[] {
  const [x, weight, out] = [slot(), slot(), slot()];
  return [
    launchConv2d({ ...ctx, variant }, g, { x, weight, out }),
    conv2dInputGrad({ ...ctx, variant }, g, { grad: x, weight, out }),
  ].map((dispatches) => dispatches.find(({ variant }) => variant.endsWith("weight"))!.code);
}

const layer = (outChannels: number, kernel: number, stride: number): Conv2dGeometry => ({
  ...{ batch: 16, inChannels: 24, outChannels, groups: 1 },
  inputSize: [16, 16],
  outputSize: [16 / stride, 16 / stride],
  kernel: [kernel, kernel],
  stride: [stride, stride],
  padding: [1, 1],
  dilation: [1, 1],
});

Deno.test("an input gradient transforms the weight as its convolution does", () => {
  for (
    const [g, variant] of [
      [layer(64, 3, 1), "winograd 4"],
      [layer(64, 3, 1), "winograd 2"],
      [layer(128, 4, 2), "winograd 2"],
      [layer(128, 4, 2), "winograd 4"],
    ] as const
  ) {
    const [forward, backward] = transforms(g, variant);
    assertEquals(backward, forward, `${g.kernel} ${variant}`);
  }
});

Deno.test("where channels do not fill texels, it transforms the weight for itself", () => {
  const [forward, backward] = transforms(layer(63, 3, 1), "winograd 4");
  assertNotEquals(backward, forward);
});

Deno.test("a plan with a convolution and its input gradient transforms the weight once", async () => {
  const adapter = await device();
  const noise = (length: number) => Float32Array.from({ length }, (_, i) => Math.sin(1.3 * i));
  const [batch, channels, side] = [4, 32, 12];
  const weight = new Variable(noise(64 * channels * 9), [64, channels, 3, 3]);
  const x = tensor(noise(batch * channels * side * side), [batch, channels, side, side]);
  const out = leakyRelu(conv2d(x, weight.value, { padding: 1 }), { negativeSlope: 0.2 });
  const [dx] = grad(sum(out), [x]);
  const plan = new Plan(adapter, { name: "both", outputs: [out, dx], assignments: new Map() }, {
    variant: "winograd 4",
  });
  const count = plan.dispatches.filter(({ variant }) => variant.endsWith("weight")).length;
  plan.destroy();
  assertEquals(count, 1);
});

Deno.test("the guess weighs what products save against transforms of the weight", () => {
  const families = [conv2dCandidates, conv2dInputGradCandidates, conv2dWeightGradCandidates];
  const wide = (batch: number, side: number): Conv2dGeometry => ({
    ...{ ...layer(1024, 3, 1), batch, inChannels: 512 },
    ...{ inputSize: [side, side], outputSize: [side, side] },
  });
  for (const candidates of families) {
    const guess = (g: Conv2dGeometry) => candidates(ctx, g);
    // The more is multiplied by what was transformed, the larger the tiles that pay.
    assertEquals(guess(wide(16, 4)), ["winograd 2", "winograd 4", "image"]);
    assertEquals(guess(wide(64, 4)), ["winograd 4", "winograd 2", "image"]);
    assertEquals(guess(wide(16, 8)), ["winograd 4", "winograd 2", "image"]);
    assertEquals(guess(wide(4, 2))[0], "image");
  }
  // Large tiles would round more than few terms do.
  const short = { ...wide(1, 5), batch: 2 };
  assertEquals(conv2dWeightGradCandidates(ctx, short).includes("winograd 4"), false);
  assertEquals(conv2dCandidates(ctx, short).includes("winograd 4"), true);
  // What few channels transform serves few products, and fewer where parities are transformed apart.
  const strided = { ...layer(64, 4, 2), inChannels: 32 };
  assertEquals(conv2dCandidates(ctx, strided)[0], "winograd 4");
  assertEquals(conv2dInputGradCandidates(ctx, strided)[0], "image");
  assertEquals(conv2dCandidates(ctx, { ...strided, inChannels: 24 })[0], "image");
});
