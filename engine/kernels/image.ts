// Scratch memory as storage textures, for adapters whose loads from them are cheaper than from buffers.

import type { Slot } from "./dispatch.ts";

/** Texels of a row. Texel `i` of an image lies at `(i % IMAGE_WIDTH, i / IMAGE_WIDTH)`. */
export const IMAGE_WIDTH = 4096;

/** Scratch memory of four-component texels, bound as `texture_storage_2d<rgba32float, read | write>`. */
export class ImageSlot implements Slot {
  /** How many texels it holds. */
  readonly texels: number;

  /** An image of at least `texels`. */
  constructor(texels: number) {
    this.texels = texels;
  }

  /** Rows of the texture that holds it. */
  get rows(): number {
    return Math.ceil(this.texels / IMAGE_WIDTH);
  }

  /** Length in bytes, up to the end of its last row. */
  get bytes(): number {
    return 16 * IMAGE_WIDTH * this.rows;
  }
}
