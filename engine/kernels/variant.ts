// The rule by which a kernel family picks the form that it runs in.

import type { KernelContext } from "./dispatch.ts";

/** Variants by kernel family and shape, that overrule the static guess where they are candidates. */
export class KernelVariants {
  readonly #chosen = new Map<string, string>();

  /** The variant of a family on a shape, if there is one. */
  get(family: string, shape: string): string | undefined {
    return this.#chosen.get(`${family} ${shape}`);
  }

  /** Names a variant for plans that are made from now on; undefined goes back to the static guess. */
  set(of: { readonly family: string; readonly shape: string }, variant: string | undefined): void {
    const key = `${of.family} ${of.shape}`;
    if (variant === undefined) this.#chosen.delete(key);
    else this.#chosen.set(key, variant);
  }
}

/** Up to so many operations, launching is what a kernel costs on a CPU, and plain forms can be the best. */
export const FEW_FLOPS: number = 2 ** 22;

/** What a launcher chooses between. */
export interface VariantChoice {
  /** The kernel family, such as `conv2dInputGrad`. */
  readonly family: string;
  /** The geometry in one line; with the family, what a choice is remembered by. */
  readonly shape: string;
  /** Forms that are valid for this geometry and may be the fastest here, the best guess first. At least one. */
  readonly candidates: readonly string[];
  /** Forms that are valid, but not worth to be measured here: they run where they are forced. */
  readonly others?: readonly string[];
}

/** The forced variant where it is valid, or else the measured one where it is a candidate, or the best guess. */
export function chooseVariant(ctx: KernelContext, choice: VariantChoice): string {
  const { family, shape, candidates, others = [] } = choice;
  const { variant: forced } = ctx;
  if (forced !== undefined && [...candidates, ...others].includes(forced)) return forced;
  const measured = ctx.choose?.(family, shape, candidates);
  return measured !== undefined && candidates.includes(measured) ? measured : candidates[0];
}
