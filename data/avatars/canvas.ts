import type { Colour } from "./palette.ts";
import type { Shape } from "./shapes.ts";

/** Pixels on a side of the tiles that painting skips where a shape is far. */
const TILE = 8;

/** A square picture that shapes are painted on, each over those before it, with soft edges. */
export class Canvas {
  readonly size: number;
  readonly #planes: Float32Array;

  /** Filled with a blend from `top` to `bottom`. */
  constructor(size: number, background: { top: Colour; bottom: Colour }) {
    this.size = size;
    this.#planes = new Float32Array(3 * size * size);
    for (let channel = 0; channel < 3; channel++) {
      const { [channel]: top } = background.top;
      const { [channel]: bottom } = background.bottom;
      for (let y = 0; y < size; y++) {
        const value = top + (bottom - top) * (y + 0.5) / size;
        this.#planes.fill(value, (channel * size + y) * size, (channel * size + y + 1) * size);
      }
    }
  }

  /**
   * Paints a shape. How much of a pixel is covered follows from the distance of its centre to the edge
   * in pixels: the area under a straight edge, at the cost of one sample a pixel.
   */
  paint(shape: Shape, colour: Colour, opacity = 1): void {
    const { size } = this;
    const reach = 0.5 + TILE / Math.SQRT2;
    for (let top = 0; top < size; top += TILE) {
      for (let left = 0; left < size; left += TILE) {
        // Nothing of the shape is nearer than its distance: most tiles cost one sample.
        const x = (left + TILE / 2) / size;
        const y = (top + TILE / 2) / size;
        if (size * shape(x, y) < reach) this.#paintTile({ left, top }, shape, colour, opacity);
      }
    }
  }

  #paintTile(
    tile: { left: number; top: number },
    shape: Shape,
    colour: Colour,
    opacity: number,
  ): void {
    const { size } = this;
    const planes = this.#planes;
    const right = Math.min(size, tile.left + TILE);
    const bottom = Math.min(size, tile.top + TILE);
    for (let row = tile.top; row < bottom; row++) {
      for (let column = tile.left; column < right; column++) {
        const distance = size * shape((column + 0.5) / size, (row + 0.5) / size);
        if (distance >= 0.5) continue;
        const cover = opacity * Math.min(1, 0.5 - distance);
        for (let channel = 0; channel < 3; channel++) {
          const at = (channel * size + row) * size + column;
          planes[at] += (colour[channel] - planes[at]) * cover;
        }
      }
    }
  }

  /** The picture as planes (CHW bytes). */
  bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#planes, Math.round);
  }
}
