// From a decoded picture of any size to the square that a network sees.

import type { Picture } from "./codecs.ts";

/** For each output pixel, the first input pixel that it reads and its weights from there on. */
interface Taps {
  readonly from: number;
  readonly to: number;
  /** Weights an output pixel, the last ones zero where fewer are needed. */
  readonly width: number;
  readonly first: Int32Array;
  readonly weights: Float32Array;
}

let latest: Taps | undefined;

/**
 * The centre square of a picture at `size` x `size`, as planes (CHW bytes, `3 * size * size`).
 *
 * Resizing is bicubic (Keys 1981, a = -0.5) with the kernel widened when shrinking, so that nothing
 * aliases. Published scores of GANs assume it (Parmar et al., "On Aliased Resizing and Surprising
 * Subtleties in GAN Evaluation", 2022). Transparent pixels are laid over white.
 */
export function cropResize(picture: Picture, size: number): Uint8Array<ArrayBuffer> {
  const side = Math.min(picture.width, picture.height);
  const planes = centreSquare(picture, side);
  const result = new Uint8ClampedArray(3 * size * size);
  if (side === size) {
    result.set(planes);
  } else {
    if (latest?.from !== side || latest.to !== size) latest = bicubicTaps(side, size);
    for (let channel = 0; channel < 3; channel++) {
      const plane = planes.subarray(channel * side * side, (channel + 1) * side * side);
      // Two passes that each transpose: both read along rows, and the last restores the order.
      const resized = resampleRows(resampleRows(plane, latest), latest);
      result.set(resized, channel * size * size);
    }
  }
  return new Uint8Array(result.buffer);
}

function centreSquare(picture: Picture, side: number): Float32Array {
  const { width, height, rgba } = picture;
  const left = (width - side) >> 1;
  const top = (height - side) >> 1;
  const planes = new Float32Array(3 * side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const from = 4 * ((top + y) * width + left + x);
      const alpha = rgba[from + 3] / 255;
      for (let channel = 0; channel < 3; channel++) {
        planes[(channel * side + y) * side + x] = alpha * rgba[from + channel] + 255 * (1 - alpha);
      }
    }
  }
  return planes;
}

/** Resamples rows of `taps.from` values to `taps.to`, and transposes. */
function resampleRows(source: Float32Array, taps: Taps): Float32Array {
  const { from, to, width, first, weights } = taps;
  const rows = source.length / from;
  const target = new Float32Array(rows * to);
  for (let x = 0; x < to; x++) {
    for (let row = 0; row < rows; row++) {
      const start = row * from + first[x];
      let sum = 0;
      for (let k = 0; k < width; k++) sum += weights[x * width + k] * source[start + k];
      target[x * rows + row] = sum;
    }
  }
  return target;
}

function bicubicTaps(from: number, to: number): Taps {
  const scale = from / to;
  const stretch = Math.max(1, scale);
  const width = Math.min(from, Math.ceil(4 * stretch) + 1);
  const first = new Int32Array(to);
  const weights = new Float32Array(to * width);
  for (let x = 0; x < to; x++) {
    const centre = (x + 0.5) * scale - 0.5;
    // Near an edge the window is moved inside; what it then reads too far away weighs nothing.
    first[x] = Math.max(0, Math.min(from - width, Math.ceil(centre - 2 * stretch)));
    const row = weights.subarray(x * width, (x + 1) * width);
    let total = 0;
    for (let k = 0; k < width; k++) {
      row[k] = cubic((first[x] + k - centre) / stretch);
      total += row[k];
    }
    for (let k = 0; k < width; k++) row[k] /= total;
  }
  return { from, to, width, first, weights };
}

function cubic(x: number): number {
  x = Math.abs(x);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}
