// Launchers of a convolution and both of its gradients. The variants compute the same:
//
//   direct        one result a thread, any geometry: the reference, and the form for groups
//   image         implicit GEMM of operands packed into storage textures, for CPU adapters
//   few           operands of many channels read in place, for CPU adapters, where the other side has few
//   winograd M    filtering of tiles of M x M outputs on such images, for CPU adapters
//   tiled ...     implicit GEMM with tiles in workgroup memory, for GPUs; see gemm_tiled_forms.ts
//   tiled rows    rows in registers, for GPUs, where a picture has few channels; see conv2d_rows_tiled.ts
//   winograd M tiled ...  filtering of tiles on storage buffers, its products as tiled ones

import { conv2dDirect, conv2dInputGradDirect, conv2dWeightGradDirect } from "./conv2d_direct.ts";
import { conv2dFew, conv2dInputGradFew, fewVariant, hasFewChannels } from "./conv2d_few.ts";
import {
  conv2dFlops,
  type Conv2dGeometry,
  describeConv2d,
  isSmallConv2d,
} from "./conv2d_geometry.ts";
import { conv2dImage, conv2dInputGradImage, conv2dWeightGradImage } from "./conv2d_image.ts";
import {
  conv2dGemm,
  conv2dInputGradGemm,
  conv2dInputGradTiled,
  conv2dInputGradTiledCandidates,
  conv2dTiled,
  conv2dTiledCandidates,
  conv2dWeightGradGemm,
  conv2dWeightGradTiled,
  conv2dWeightGradTiledCandidates,
} from "./conv2d_tiled.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import type { TiledGemm } from "./gemm_tiled.ts";
import type { MatmulGeometry } from "./matmul_geometry.ts";
import { chooseVariant, FEW_FLOPS } from "./variant.ts";
import { conv2dWeightGradFew, weightGradFewFits } from "./conv2d_weight_grad_few.ts";
import { canFilter, inputGradFiltering, outputFiltering } from "./winograd_geometry.ts";
import {
  conv2dInputGradWinograd,
  conv2dWeightGradWinograd,
  conv2dWinograd,
} from "./winograd_image.ts";
import { imageForms } from "./winograd_image_forms.ts";
import {
  conv2dInputGradWinogradTiled,
  conv2dWeightGradWinogradTiled,
  conv2dWinogradTiled,
  filteringProduct,
  weightGradProduct,
} from "./winograd_tiled.ts";
import { withFiltering } from "./winograd_tiled_forms.ts";

export type { Conv2dGeometry } from "./conv2d_geometry.ts";

/** The forms a convolution's three products come in; `ctx.variant` forces one. */
export const conv2dVariants = [
  "direct",
  "image",
  fewVariant,
  "winograd 2",
  "winograd 4",
  "tiled",
  "winograd 2 tiled",
  "winograd 4 tiled",
] as const;

/**
 * The cross-correlation of x `[batch, inChannels, h, w]` with weight
 * `[outChannels, inChannels / groups, kh, kw]`, zero padded, without bias; dense NCHW float32.
 */
export function conv2d(
  ctx: KernelContext,
  geometry: Conv2dGeometry,
  slots: { x: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const variant = choose(ctx, geometry, { family: "conv2d", candidates: conv2dCandidates });
  const filtered = filteringOf(variant);
  if (filtered?.form) {
    return conv2dWinogradTiled({ ...ctx, variant: filtered.form }, geometry, {
      ...filtered,
      slots,
    });
  }
  if (filtered) return conv2dWinograd(ctx, geometry, { ...filtered, slots });
  if (variant === "image") return conv2dImage(ctx, geometry, slots);
  if (variant === fewVariant) return conv2dFew(ctx, geometry, slots);
  if (isTiled(variant)) return conv2dTiled({ ...ctx, variant }, geometry, slots);
  return conv2dDirect(ctx, geometry, [slots.x, slots.weight, slots.out]);
}

/**
 * The gradient of a convolution for its input, shaped like the input: also the transposed convolution
 * of `grad`. Input positions that no window reaches get zero.
 */
export function conv2dInputGrad(
  ctx: KernelContext,
  geometry: Conv2dGeometry,
  slots: { grad: Slot; weight: Slot; out: Slot },
): Dispatch[] {
  const variant = choose(ctx, geometry, {
    family: "conv2dInputGrad",
    candidates: conv2dInputGradCandidates,
  });
  const filtered = filteringOf(variant);
  if (filtered?.form) {
    return conv2dInputGradWinogradTiled({ ...ctx, variant: filtered.form }, geometry, {
      ...filtered,
      slots,
    });
  }
  if (filtered) return conv2dInputGradWinograd(ctx, geometry, { ...filtered, slots });
  if (variant === "image") return conv2dInputGradImage(ctx, geometry, slots);
  if (variant === fewVariant) return conv2dInputGradFew(ctx, geometry, slots);
  if (isTiled(variant)) return conv2dInputGradTiled({ ...ctx, variant }, geometry, slots);
  return conv2dInputGradDirect(ctx, geometry, [slots.grad, slots.weight, slots.out]);
}

/** The gradient of a convolution for its weight, shaped like the weight. */
export function conv2dWeightGrad(
  ctx: KernelContext,
  geometry: Conv2dGeometry,
  slots: { x: Slot; grad: Slot; out: Slot },
): Dispatch[] {
  const variant = choose(ctx, geometry, {
    family: "conv2dWeightGrad",
    candidates: conv2dWeightGradCandidates,
  });
  const filtered = filteringOf(variant);
  if (filtered?.form) {
    return conv2dWeightGradWinogradTiled({ ...ctx, variant: filtered.form }, geometry, {
      ...filtered,
      slots,
    });
  }
  if (filtered) return conv2dWeightGradWinograd(ctx, geometry, { ...filtered, slots });
  if (variant === "image") return conv2dWeightGradImage(ctx, geometry, slots);
  if (variant === fewVariant) return conv2dWeightGradFew(ctx, geometry, slots);
  if (isTiled(variant)) return conv2dWeightGradTiled({ ...ctx, variant }, geometry, slots);
  return conv2dWeightGradDirect(ctx, geometry, [slots.x, slots.grad, slots.out]);
}

/** The forms of {@linkcode conv2d} that can run, the best guess first. */
export function conv2dCandidates(ctx: KernelContext, geometry: Conv2dGeometry): string[] {
  return candidates(ctx, geometry, {
    implicit: conv2dGemm,
    forms: conv2dTiledCandidates,
    product: (g, m) => filteringProduct(outputFiltering(g, m)),
    parities: false,
    few: hasFewChannels,
  });
}

/** The forms of {@linkcode conv2dInputGrad} that can run, the best guess first. */
export function conv2dInputGradCandidates(ctx: KernelContext, geometry: Conv2dGeometry): string[] {
  return candidates(ctx, geometry, {
    implicit: conv2dInputGradGemm,
    forms: conv2dInputGradTiledCandidates,
    product: (g, m) => filteringProduct(inputGradFiltering(g, m)),
    parities: geometry.stride[0] > 1,
    few: hasFewChannels,
  });
}

/** The forms of {@linkcode conv2dWeightGrad} that can run, the best guess first. */
export function conv2dWeightGradCandidates(ctx: KernelContext, geometry: Conv2dGeometry): string[] {
  return candidates(ctx, geometry, {
    implicit: conv2dWeightGradGemm,
    forms: conv2dWeightGradTiledCandidates,
    product: weightGradProduct,
    parities: false,
    few: (g) => hasFewChannels(g) && weightGradFewFits(g),
  });
}

/** A convolution's product, or a gradient's, in the forms that are products. */
interface Forms {
  readonly implicit: (g: Conv2dGeometry) => TiledGemm;
  /** The tiled forms, the best guess first. */
  readonly forms: (ctx: KernelContext, g: Conv2dGeometry) => string[];
  readonly product: (g: Conv2dGeometry, m: number) => MatmulGeometry;
  /** Whether filtering gives the result in parities. */
  readonly parities: boolean;
  /** Whether the form for few channels can do it. */
  readonly few: (g: Conv2dGeometry) => boolean;
}

/** On a CPU the plain form wins, if at all, where there is little to do, and tiles never do. */
function candidates(ctx: KernelContext, g: Conv2dGeometry, of: Forms): string[] {
  if (isOdd(g)) return ["direct"];
  const implicit = of.implicit(g), product = (m: number) => of.product(g, m);
  if (!ctx.cpu || !ctx.images) {
    const forms = of.forms(ctx, g);
    return [...withFiltering(ctx, { geometry: g, implicit, forms, product }), "direct"];
  }
  const forms = imageForms(g, { terms: implicit.k, product, parities: of.parities });
  const few = of.few(g) ? [fewVariant] : [];
  // It takes a driver long to compile, which has to be worth it.
  return [
    ...(isSmallConv2d(g) ? [...forms, ...few] : [...few, ...forms]),
    ...(conv2dFlops(g) <= FEW_FLOPS ? ["direct"] : []),
  ];
}

/**
 * The fast forms do neither groups nor an axis that is both strided and dilated: those are left to the
 * plain form.
 */
function isOdd(g: Conv2dGeometry): boolean {
  return g.groups > 1 || [0, 1].some((axis) => g.stride[axis] > 1 && g.dilation[axis] > 1);
}

function choose(ctx: KernelContext, g: Conv2dGeometry, of: {
  readonly family: string;
  readonly candidates: (ctx: KernelContext, g: Conv2dGeometry) => string[];
}): string {
  const { variant = "" } = ctx, filtered = filteringOf(variant);
  const candidates = of.candidates(ctx, g);
  const unfit = variant === fewVariant && !candidates.includes(fewVariant) ? "image" : undefined;
  const instead = filtered && !canFilter(g, filtered.m) ? filtered.form ?? "image" : unfit;
  const forced = instead ?? variant;
  const known = conv2dVariants.some((name) => name === forced) || isTiled(forced) ||
    filteringOf(forced) !== undefined;
  return chooseVariant({ ...ctx, variant: forced || undefined }, {
    family: of.family,
    shape: describeConv2d(g),
    candidates,
    others: isOdd(g) || !known ? [] : [forced],
  });
}

/** Outputs of a tile along an axis, and the form of tiled products, where the variant is Winograd's. */
function filteringOf(variant: string): { m: number; form?: string } | undefined {
  const match = variant.match(/^winograd (\d)(?: (tiled.*))?$/);
  return match ? { m: Number(match[1]), form: match[2] } : undefined;
}

const isTiled = (variant: string): boolean => variant.startsWith("tiled");
