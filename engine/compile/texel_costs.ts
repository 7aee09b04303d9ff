// What work takes on a CPU adapter, in loads from texels: what llvmpipe takes for as many numbers as it has lanes.

import { byteLength } from "../dtype.ts";
import { TexelSlot } from "../kernels/texels.ts";
import type { Tensor } from "../tensor.ts";
import type { Work } from "./body.ts";
import type { Slots } from "./memory.ts";
import { readsTexels, type TexelOptions } from "./texel_copies.ts";

const FROM_BUFFER = 6;
/** What a number stored in texels takes. */
export const STORE = 2.2;
/** What a number takes that goes to a buffer by itself, more than as one of four that follow each other there. */
export const APART = 2.3;
/** A dispatch, in loads of a thread. */
export const DISPATCH = 2 ** 15;

/** What statements take a thread. */
export const costOf = ({ loads, fromBuffers, arithmetic }: Work): number =>
  loads + (FROM_BUFFER - 1) * fromBuffers + arithmetic;

/**
 * Memory of the kind in which each of some tensors will lie.
 *
 * @param options.beside what small ones are read for the elements of, in copies.
 */
export function slotsLike(
  tensors: Iterable<Tensor>,
  options: TexelOptions & { beside?: Tensor },
): Slots {
  return new Map([...tensors].map((x) => {
    const bytes = byteLength(x.size, x.dtype);
    return [x, readsTexels(x, options) ? new TexelSlot(bytes) : { bytes }];
  }));
}
