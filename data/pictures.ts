// Pictures for people: many small ones on one sheet.

import { GLYPH_HEIGHT, GLYPH_WIDTH, paintText } from "./font.ts";

/** Interleaved RGB bytes, `3 * width * height`, rows from the top. */
export interface Sheet {
  readonly rgb: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** How `grid` lays pictures out. */
export interface GridOptions {
  /** The side of each picture in pixels. */
  readonly size: number;
  readonly columns: number;
  /** White pixels around each picture. Default 2. */
  readonly padding?: number;
  /** Each pixel becomes a square of this side. Default 1. */
  readonly scale?: number;
  /** A heading for each column, cut where the next one begins. */
  readonly labels?: readonly string[];
  /** A heading for each row, to the left of it. */
  readonly rowLabels?: readonly string[];
}

/**
 * Lays pictures (NCHW bytes) out in rows, to be encoded as a PNG or as a frame of a GIF.
 *
 * ```ts
 * import { encodePng } from "./codecs.ts";
 * const sheet = grid(new Uint8Array(4 * 3 * 8 * 8), { size: 8, columns: 2 });
 * const png = await encodePng(sheet.rgb, sheet);
 * ```
 *
 * @throws {RangeError} where the bytes are not a whole number of pictures.
 */
export function grid(images: Uint8Array, options: GridOptions): Sheet {
  const { size, columns, padding = 2, scale = 1, labels, rowLabels = [] } = options;
  const count = images.length / (3 * size * size);
  if (!Number.isInteger(count) || count === 0) {
    throw new RangeError(
      `grid needs a multiple of ${
        3 * size * size
      } bytes for ${size} x ${size}, got ${images.length}`,
    );
  }
  const cell = size * scale + padding;
  const heading = labels ? GLYPH_HEIGHT + padding + 1 : 0;
  const longest = Math.max(0, ...rowLabels.map((label) => [...label].length));
  const margin = longest > 0 ? padding + longest * (GLYPH_WIDTH + 1) : 0;
  const width = margin + columns * cell + padding;
  const height = heading + Math.ceil(count / columns) * cell + padding;
  const rgb = new Uint8Array(3 * width * height).fill(255);
  const sheet = { rgb, width, height };
  for (let i = 0; i < count; i++) {
    const left = margin + padding + (i % columns) * cell;
    const top = heading + padding + Math.floor(i / columns) * cell;
    const image = images.subarray(i * 3 * size * size, (i + 1) * 3 * size * size);
    for (let y = 0; y < size * scale; y++) {
      for (let x = 0; x < size * scale; x++) {
        const from = Math.floor(y / scale) * size + Math.floor(x / scale);
        const to = 3 * ((top + y) * width + left + x);
        for (let channel = 0; channel < 3; channel++) {
          rgb[to + channel] = image[channel * size * size + from];
        }
      }
    }
  }
  labels?.slice(0, columns).forEach((label, column) => {
    const room = Math.floor((cell - 1) / (GLYPH_WIDTH + 1));
    const text = label.slice(0, room);
    const left = margin + column * cell + padding +
      ((cell - padding - text.length * (GLYPH_WIDTH + 1)) >> 1);
    paintText(sheet, { text, left: Math.max(left, margin + padding), top: padding });
  });
  rowLabels.forEach((text, row) => {
    const top = heading + padding + row * cell + ((cell - padding - GLYPH_HEIGHT) >> 1);
    paintText(sheet, { text, left: padding, top: Math.max(top, 0) });
  });
  return sheet;
}
