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

/** What a launcher chooses between. */
export interface VariantChoice {
  /** The kernel family, such as `conv2dInputGrad`. */
  readonly family: string;
  /** The geometry in one line; with the family, what a choice is remembered by. */
  readonly shape: string;
  /** Forms that are valid for this geometry and device, the best guess first. At least one. */
  readonly candidates: readonly string[];
}

/** The forced variant, or else the measured one, where it is a candidate; else the best guess. */
export function chooseVariant(ctx: KernelContext, choice: VariantChoice): string {
  const { family, shape, candidates } = choice;
  const wanted = ctx.variant ?? ctx.choose?.(family, shape, candidates);
  return wanted !== undefined && candidates.includes(wanted) ? wanted : candidates[0];
}
