// Runs a kernel on one geometry and fails where it is not what float64 says.

import {
  conv2d,
  type Conv2dGeometry,
  conv2dInputGrad,
  conv2dWeightGrad,
} from "../../engine/kernels/conv2d.ts";
import type { Slot } from "../../engine/kernels/dispatch.ts";
import { shapeName, tileShapes } from "../../engine/kernels/gemm_tiled_forms.ts";
import { matmul, type MatmulGeometry } from "../../engine/kernels/matmul.ts";
import { TexelSlot } from "../../engine/kernels/texels.ts";
import {
  conv2dSizes,
  referenceConv2d,
  referenceInputGrad,
  referenceWeightGrad,
} from "./conv2d_reference.ts";
import { assertClose, type KernelHarness, noise } from "./harness.ts";

/** The form to run, on which kind of adapter, and how far a grid may reach. */
export interface CheckOptions {
  readonly variant: string;
  readonly cpu?: boolean;
  readonly maxWorkgroups?: number;
  /** Operands and results lie in texels. */
  readonly texels?: boolean;
}

/** Memory of so many numbers. */
const slotOf = (numbers: number, { texels }: CheckOptions): Slot =>
  texels ? new TexelSlot(4 * numbers) : { bytes: 4 * numbers };

/** What a name of the tiled form can say behind its tile. */
export const tiledOptions = ["", " prefetch split 3", " split 2", " prefetch"] as const;

/** The tiled form's tiles and options in turn. */
export function tiledForm(turn: number): string {
  const shape = shapeName(tileShapes[turn % tileShapes.length]);
  return `tiled ${shape}${tiledOptions[turn % tiledOptions.length]}`;
}

/** How much farther off than a sum of products a form may be: Winograd's sums pass through larger numbers. */
const slackOf = ({ variant }: CheckOptions): number => variant.startsWith("winograd") ? 5 : 1;

/** Runs a convolution and compares it with float64. */
export async function checkConv2dOutput(
  harness: KernelHarness,
  g: Conv2dGeometry,
  options: CheckOptions,
): Promise<void> {
  const sizes = conv2dSizes(g);
  const data = { x: noise(sizes.x, 1), weight: noise(sizes.weight, 2) };
  const x = slotOf(sizes.x, options), weight = slotOf(sizes.weight, options);
  const out = slotOf(sizes.out, options);
  const dispatches = conv2d(harness.context(options.variant, options), g, { x, weight, out });
  assertClose(
    await harness.run(dispatches, new Map([[x, data.x], [weight, data.weight]]), { out }),
    referenceConv2d(g, data),
    { terms: g.kernel[0] * g.kernel[1] * g.inChannels, slack: slackOf(options), what: "output" },
  );
}

/** Runs the gradient of a convolution for its input and compares it with float64. */
export async function checkConv2dInputGrad(
  harness: KernelHarness,
  g: Conv2dGeometry,
  options: CheckOptions,
): Promise<void> {
  const sizes = conv2dSizes(g);
  const data = { weight: noise(sizes.weight, 2), grad: noise(sizes.out, 3) };
  const weight = slotOf(sizes.weight, options), grad = slotOf(sizes.out, options);
  const out = slotOf(sizes.x, options);
  const ctx = harness.context(options.variant, options);
  const dispatches = conv2dInputGrad(ctx, g, { grad, weight, out });
  assertClose(
    await harness.run(dispatches, new Map([[weight, data.weight], [grad, data.grad]]), { out }),
    referenceInputGrad(g, data),
    {
      terms: g.kernel[0] * g.kernel[1] * g.outChannels,
      slack: slackOf(options),
      what: "input gradient",
    },
  );
}

/** Runs the gradient of a convolution for its weight and compares it with float64. */
export async function checkConv2dWeightGrad(
  harness: KernelHarness,
  g: Conv2dGeometry,
  options: CheckOptions,
): Promise<void> {
  const sizes = conv2dSizes(g);
  const data = { x: noise(sizes.x, 1), grad: noise(sizes.out, 3) };
  const x = slotOf(sizes.x, options), grad = slotOf(sizes.out, options);
  const out = slotOf(sizes.weight, options);
  const ctx = harness.context(options.variant, options);
  const dispatches = conv2dWeightGrad(ctx, g, { x, grad, out });
  assertClose(
    await harness.run(dispatches, new Map([[x, data.x], [grad, data.grad]]), { out }),
    referenceWeightGrad(g, data),
    {
      terms: g.batch * g.outputSize[0] * g.outputSize[1],
      slack: slackOf(options),
      what: "weight gradient",
    },
  );
}

/** Runs a convolution and both of its gradients and compares them with float64. */
export async function checkConv2d(
  harness: KernelHarness,
  g: Conv2dGeometry,
  options: CheckOptions,
): Promise<void> {
  await checkConv2dOutput(harness, g, options);
  await checkConv2dInputGrad(harness, g, options);
  await checkConv2dWeightGrad(harness, g, options);
}

/** Runs a matrix product and compares it with float64. */
export async function checkMatmul(
  harness: KernelHarness,
  g: MatmulGeometry,
  options: CheckOptions,
): Promise<void> {
  const aData = noise((g.sharedA ? 1 : g.batch) * g.m * g.k, 1);
  const bData = noise((g.sharedB ? 1 : g.batch) * g.k * g.n, 2);
  const a = slotOf(aData.length, options), b = slotOf(bData.length, options);
  const out = slotOf(g.batch * g.m * g.n, options);
  const dispatches = matmul(harness.context(options.variant, options), g, { a, b, out });
  assertClose(
    await harness.run(dispatches, new Map([[a, aData], [b, bData]]), { out }),
    referenceMatmul(g, { a: aData, b: bData }),
    { terms: g.k, what: "product" },
  );
}

function referenceMatmul(
  g: MatmulGeometry,
  { a, b }: { a: Float32Array; b: Float32Array },
): Float64Array {
  const { batch, m, n, k } = g;
  const out = new Float64Array(batch * m * n);
  for (let s = 0; s < batch; s++) {
    const aStart = g.sharedA ? 0 : s * m * k, bStart = g.sharedB ? 0 : s * k * n;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        for (let q = 0; q < k; q++) {
          out[(s * m + i) * n + j] += a[aStart + (g.transposeA ? q * m + i : i * k + q)] *
            b[bStart + (g.transposeB ? j * k + q : q * n + j)];
        }
      }
    }
  }
  return out;
}
