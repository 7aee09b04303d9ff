// Memory that kernels leave to each other as a storage texture of numbers, for CPU adapters, whose loads from
// textures are much cheaper than those from buffers.

import type { Slot } from "./dispatch.ts";

/** Texels of a row. Texel `i` lies at `(i % TEXEL_WIDTH, i / TEXEL_WIDTH)`; every device has textures so wide. */
export const TEXEL_WIDTH = 8192;

/**
 * Float32 numbers as texels of a texture that all slots of a plan share, bound once to a kernel as
 * `texture_storage_2d<r32float, read_write>`.
 */
export class TexelSlot implements Slot {
  /** A slot of `bytes / 4` numbers. */
  constructor(readonly bytes: number) {}
}
