// Copies in texels of what is small, and lies in a buffer: kernels on CPU adapters that repeat a bias, or a statistic,
// for each element of something large would wait for buffers most of their time.

import { copyOp } from "../ops/elementwise.ts";
import { Tensor } from "../tensor.ts";
import { type Group, isSmall } from "./fuse.ts";
import type { Slots } from "./memory.ts";

/** What decides which tensors are copied. */
export interface TexelOptions {
  /** What has to lie in memory after the run. */
  readonly roots: ReadonlySet<Tensor>;
  /** Whether results lie in texels, and what else lies in buffers. */
  readonly textures: boolean;
}

/** Copies of a plan, one of each tensor. */
export class TexelCopies {
  readonly #copies = new Map<Tensor, Tensor>();
  readonly #options: TexelOptions;

  constructor(options: TexelOptions) {
    this.#options = options;
  }

  /** The copy of a tensor that is read for each element of `beside`, where there should be one. */
  of(x: Tensor, beside: Tensor): Tensor | undefined {
    if (!isCopied(x, { ...this.#options, beside })) return undefined;
    const copy = this.#copies.get(x) ?? new Tensor(copyOp, [x], {}, x.shape, x.dtype, x.origin);
    this.#copies.set(x, copy);
    return copy;
  }

  /** What makes the copies. */
  groups(): Group[] {
    return [...this.#copies].map(([x, copy]) => ({
      kind: "pointwise",
      outputs: [copy],
      reads: new Map([[x, true]]),
    }));
  }
}

/** What a product's group reads, and where that lies: of what is copied, the copy. */
export function withCopies(
  { reads, copied = new Map() }: Group,
  slots: Slots,
): { reads: Map<Tensor, boolean>; slots: Slots } {
  return {
    reads: new Map([...reads, ...[...copied.keys()].map((x) => [x, false] as const)]),
    slots: new Map([...slots, ...[...copied].map(([x, copy]) => [x, slots.get(copy)!] as const)]),
  };
}

/** Whether a tensor will be read in texels, a copy of it where it lies in a buffer and is read for each of `beside`. */
export function readsTexels(x: Tensor, options: TexelOptions & { beside?: Tensor }): boolean {
  const { textures } = options;
  return textures && x.dtype === "f32" && (!inBuffer(x, options) || isCopied(x, options));
}

function isCopied(x: Tensor, options: TexelOptions & { beside?: Tensor }): boolean {
  const { textures, beside } = options;
  return textures && x.dtype === "f32" && inBuffer(x, options) && beside !== undefined &&
    isSmall(x, beside);
}

/** Whether a tensor will lie in a buffer, whatever others lie in. */
function inBuffer(x: Tensor, { roots }: TexelOptions): boolean {
  return x.op.kind === "leaf" || roots.has(x);
}
