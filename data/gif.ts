// Animated GIF, as the GIF89a specification (CompuServe, 1990) has it: one palette for all frames.

import type { Sheet } from "./pictures.ts";
import { buildPalette } from "./quantise.ts";

/**
 * Encodes frames of one size as an animation that repeats for ever, in the 256 colours that suit all
 * of its frames best.
 *
 * ```ts
 * import { grid } from "./pictures.ts";
 * const frame = (grey: number) => grid(new Uint8Array(3 * 8 * 8).fill(grey), { size: 8, columns: 1 });
 * const gif = encodeGif([frame(40), frame(200)], { delayMs: 100 });
 * ```
 *
 * `delayMs` is how long each frame stays, in steps of 10 ms.
 *
 * @throws {RangeError} where there are no frames, or their sizes differ.
 */
export function encodeGif(
  frames: readonly Sheet[],
  options: { delayMs: number },
): Uint8Array<ArrayBuffer> {
  if (frames.length === 0) throw new RangeError("encodeGif needs at least one frame");
  const { width, height } = frames[0];
  for (const frame of frames) {
    if (frame.width !== width || frame.height !== height) {
      throw new RangeError(
        `encodeGif needs frames of one size: ${frame.width} x ${frame.height} vs ${width} x ${height}`,
      );
    }
  }
  const palette = buildPalette(frames.map(({ rgb }) => rgb));
  const delay = Math.max(1, Math.round(options.delayMs / 10));
  const out: number[] = [];
  const word = (value: number) => out.push(value & 255, value >> 8);
  const text = (value: string) => out.push(...new TextEncoder().encode(value));

  text("GIF89a");
  word(width);
  word(height);
  out.push(0xf7, 0, 0); // A global table of 256 colours; background and aspect ratio unused.
  for (const value of palette.colours) out.push(value);
  out.push(0x21, 0xff, 11); // The extension that every reader knows: repeat for ever.
  text("NETSCAPE2.0");
  out.push(3, 1, 0, 0, 0);
  for (const { rgb } of frames) {
    out.push(0x21, 0xf9, 4, 0);
    word(delay);
    out.push(0, 0, 0x2c, 0, 0, 0, 0);
    word(width);
    word(height);
    out.push(0, 8);
    const codes = compress(palette.indices(rgb));
    for (let at = 0; at < codes.length; at += 255) {
      const block = codes.subarray(at, at + 255);
      out.push(block.length, ...block);
    }
    out.push(0);
  }
  out.push(0x3b);
  return Uint8Array.from(out);
}

/** LZW with codes of 9 to 12 bits, as GIF packs them: the low bits first. */
function compress(indices: Uint8Array): Uint8Array {
  const CLEAR = 256;
  const END = 257;
  const LARGEST = 4096;
  const out = new Uint8Array(Math.ceil(indices.length * 1.6) + 16);
  let length = 0;
  let pending = 0;
  let pendingBits = 0;
  let codeBits = 9;
  const emit = (code: number) => {
    pending |= code << pendingBits;
    for (pendingBits += codeBits; pendingBits >= 8; pendingBits -= 8) {
      out[length++] = pending & 255;
      pending >>>= 8;
    }
  };

  // A known sequence is a code and the index that follows it: next[code * 256 + index].
  const next = new Uint16Array(LARGEST * 256);
  let free = END + 1;
  emit(CLEAR);
  let code = indices[0];
  for (let i = 1; i < indices.length; i++) {
    const slot = code * 256 + indices[i];
    if (next[slot] !== 0) {
      code = next[slot];
      continue;
    }
    emit(code);
    code = indices[i];
    if (free < LARGEST) {
      // The reader learns each sequence one code later, so codes widen after the power of two.
      if (free === 1 << codeBits) codeBits++;
      next[slot] = free++;
    } else {
      emit(CLEAR);
      next.fill(0);
      free = END + 1;
      codeBits = 9;
    }
  }
  emit(code);
  if (free === 1 << codeBits && codeBits < 12) codeBits++;
  emit(END);
  if (pendingBits > 0) out[length++] = pending & 255;
  return out.subarray(0, length);
}
