// Which forms of Winograd's filtering on storage buffers a GPU may choose between, and where the guess, without
// measuring, places them among those of the implicit product.

import { conv2dElements, type Conv2dGeometry } from "./conv2d_geometry.ts";
import type { KernelContext } from "./dispatch.ts";
import {
  chooseTiledForm,
  guessCycles,
  instructionsPerCycle,
  type ProductSize,
  startCycles,
  tiledCandidates,
} from "./gemm_tiled_forms.ts";
import { matmulElements, type MatmulGeometry } from "./matmul_geometry.ts";
import { matmulGemm } from "./matmul_tiled.ts";
import { tileSides } from "./winograd_geometry.ts";

// Below so many channels, on either side, transforms cost more than products.
const ENOUGH_CHANNELS = 32;

// Forms of the products that are worth to be measured, for each size of tiles, besides the best without loads that
// go out ahead; and of the implicit product, where filtering comes first.
const FORMS = 2;

// Instructions that a transform takes for each number of an operand or a product: to load and store it, to look its
// place up, its share of the sums.
const transformInstructions = 20;

// Bytes that transforms move in a cycle: three quarters of what the device does that the guess is made for. Filtering
// trades arithmetic for memory, of which most cards have less for each core.
const transformBytesPerCycle = 3 / 4 * 1700;

/** What {@linkcode withFiltering} must know of a convolution or one of its gradients. */
export interface FilteringChoice {
  readonly geometry: Conv2dGeometry;
  /** The implicit product, and its forms from the best to the worst. */
  readonly implicit: ProductSize;
  readonly forms: readonly string[];
  /** The products of filtering tiles of m x m outputs. */
  readonly product: (m: number) => MatmulGeometry;
}

/** The forms of a product, by filtering and implicit, the best guess first. */
export function withFiltering(ctx: KernelContext, choice: FilteringChoice): string[] {
  const { geometry: g, implicit, forms, product } = choice;
  const few = Math.min(g.inChannels, g.outChannels) < ENOUGH_CHANNELS;
  const sizes = (few || ctx.cpu ? [] : tileSides(g, implicit.k))
    .map((m) => ({ m, product: product(m) }))
    .filter(({ product }) => largestBytes(ctx, product) <= ctx.limits.maxBufferSize)
    .map((size) => ({ ...size, cycles: filteringCycles(ctx, g, size.product) }))
    .sort((a, b) => a.cycles - b.cycles);
  const best = chooseTiledForm({ ...ctx, variant: undefined }, implicit);
  const limit = guessCycles(best, implicit);
  const names = (kept: typeof sizes) =>
    kept.flatMap(({ m, product }) => {
      const forms = tiledCandidates(ctx, matmulGemm(product));
      return [...new Set([...forms.slice(0, FORMS), forms.at(-1)])]
        .map((form) => `winograd ${m} ${form}`);
    });
  const faster = sizes.filter(({ cycles }) => cycles < limit);
  const slower = sizes.filter(({ cycles }) => cycles >= limit);
  return [
    ...names(faster),
    ...(faster.length > 0 ? forms.slice(0, FORMS) : forms),
    ...names(slower),
  ];
}

/** Cycles for the products, and for the transforms. */
function filteringCycles(
  ctx: KernelContext,
  g: Conv2dGeometry,
  product: MatmulGeometry,
): number {
  const size = matmulGemm(product), { a, b, products } = matmulElements(product);
  const { input, output } = conv2dElements(g);
  const bytes = 4 * (input + output + a + b + products);
  const computing = transformInstructions * (a + b + products) / instructionsPerCycle;
  return guessCycles(chooseTiledForm({ ...ctx, variant: undefined }, size), size) +
    3 * startCycles + Math.max(bytes / transformBytesPerCycle, computing);
}

/** Bytes of the largest buffer that filtering needs. */
function largestBytes(ctx: KernelContext, product: MatmulGeometry): number {
  const { a, b, products } = matmulElements(product);
  const { splits } = chooseTiledForm({ ...ctx, variant: undefined }, matmulGemm(product));
  return 4 * Math.max(a, b, products * splits);
}
