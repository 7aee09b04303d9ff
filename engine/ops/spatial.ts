// Resampling and pooling of pictures [N, C, H, W].

import { checkWhole, formatShape } from "../dtype.ts";
import { type Tensor, tensor, type TensorLike } from "../tensor.ts";
import { asFloat } from "./cast.ts";
import { type Pair, pair } from "./conv2d.ts";
import { gt, where } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { expand, pad, permute, reshape, slice } from "./movement.ts";
import { asTensor } from "./source.ts";
import { mean } from "./statistics.ts";

function picture(name: string, x: TensorLike): { input: Tensor; shape: number[] } {
  const input = asTensor(x);
  if (input.rank === 4) return { input, shape: [...input.shape] };
  throw new RangeError(`Cannot ${name} tensor ${formatShape(input.shape)}: [N, C, H, W] is needed`);
}

/** A picture whose pixels are mixed: real numbers. */
function realPicture(name: string, x: TensorLike): { input: Tensor; shape: number[] } {
  return picture(name, asFloat(name, x));
}

/**
 * Depth to space (Shi et al. 2016, section 2.2): [N, C * r * r, H, W] to [N, C, H * r, W * r]. The
 * pixel at offset (a, b) of each r x r block of channel c comes from channel (c * r + a) * r + b.
 *
 * @throws {RangeError} where the channels do not divide by r * r.
 */
export function pixelShuffle(x: TensorLike, r: number): Tensor {
  const { input, shape: [n, c, h, w] } = picture("pixelShuffle", x);
  checkWhole("pixelShuffle", { r }, { shape: input.shape });
  if (c % (r * r) !== 0) {
    throw new RangeError(
      `Cannot pixelShuffle tensor ${formatShape(input.shape)} by ${r}: ` +
        `${c} channels do not divide by ${r * r}`,
    );
  }
  const blocks = reshape(input, [n, c / (r * r), r, r, h, w]);
  return reshape(permute(blocks, [0, 1, 4, 2, 5, 3]), [n, c / (r * r), h * r, w * r]);
}

/**
 * Space to depth, the inverse of {@linkcode pixelShuffle}: [N, C, H * r, W * r] to [N, C * r * r, H, W].
 *
 * @throws {RangeError} where height or width do not divide by r.
 */
export function pixelUnshuffle(x: TensorLike, r: number): Tensor {
  const { input, shape: [n, c, h, w] } = picture("pixelUnshuffle", x);
  checkWhole("pixelUnshuffle", { r }, { shape: input.shape });
  if (h % r !== 0 || w % r !== 0) {
    throw new RangeError(
      `Cannot pixelUnshuffle tensor ${formatShape(input.shape)} by ${r}: ` +
        `height and width must divide by it`,
    );
  }
  const blocks = reshape(input, [n, c, h / r, r, w / r, r]);
  return reshape(permute(blocks, [0, 1, 3, 5, 2, 4]), [n, c * r * r, h / r, w / r]);
}

/** Each pixel repeated `scale` times in both directions. */
export function upsampleNearest(x: TensorLike, scale: number): Tensor {
  const { input, shape: [n, c, h, w] } = picture("upsampleNearest", x);
  checkWhole("upsampleNearest", { scale }, { shape: input.shape });
  const repeated = expand(reshape(input, [n, c, h, 1, w, 1]), [n, c, h, scale, w, scale]);
  return reshape(repeated, [n, c, h * scale, w * scale]);
}

/**
 * Linear interpolation between pixel centres, `scale` times in both directions; beyond the outermost
 * centres the edge is repeated (PyTorch's `align_corners=False`).
 */
export function upsampleBilinear(x: TensorLike, scale: number): Tensor {
  const { input, shape: [, , h, w] } = realPicture("upsampleBilinear", x);
  checkWhole("upsampleBilinear", { scale }, { shape: input.shape });
  return resizeBilinear(input, [h * scale, w * scale]);
}

/**
 * Linear interpolation between pixel centres to a size `[height, width]`, PyTorch's `interpolate` with
 * `align_corners=False`. Nothing is averaged where pictures become smaller: pixels between are passed over.
 */
export function resizeBilinear(x: TensorLike, size: readonly [number, number]): Tensor {
  const { input, shape: [, , h, w] } = realPicture("resizeBilinear", x);
  checkWhole("resizeBilinear", { size }, { shape: input.shape });
  const weights = (length: number, target: number): Tensor =>
    weightMatrix([target, length], (row, add) => {
      const at = Math.max(0, (row + 0.5) * length / target - 0.5);
      const left = Math.floor(at), right = Math.min(left + 1, length - 1);
      add(left, 1 - (at - left));
      add(right, at - left);
    });
  return resample(input, { rows: weights(h, size[0]), columns: weights(w, size[1]) });
}

/** The window of a pooling op. */
export interface PoolOptions {
  /** The height and width of a window. */
  readonly kernelSize: Pair;
  /** The kernel size where left out. */
  readonly stride?: Pair;
  /** Positions around the picture that windows may reach, 0. */
  readonly padding?: Pair;
}

/** The windows of a pooling op on pictures of some shape, and how many there are in both directions. */
interface Windows {
  readonly kernel: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly padding: readonly [number, number];
  readonly counts: readonly number[];
}

function windows(name: string, { shape }: Tensor, options: PoolOptions): Windows {
  const kernel = pair(options.kernelSize), stride = pair(options.stride ?? options.kernelSize);
  const padding = pair(options.padding ?? 0);
  checkWhole(name, { kernelSize: kernel, stride }, { shape });
  checkWhole(name, { padding }, { shape, least: 0 });
  const counts = [0, 1].map((i) =>
    Math.floor((shape[i + 2] + 2 * padding[i] - kernel[i]) / stride[i]) + 1
  );
  if (counts.some((count) => count < 1) || padding.some((length, i) => length * 2 > kernel[i])) {
    throw new RangeError(
      `Cannot ${name} tensor ${formatShape(shape)} by a kernel ${
        formatShape(kernel)
      } with padding ` +
        `${formatShape(padding)}: the kernel must fit, and be at least twice the padding`,
    );
  }
  return { kernel, stride, padding, counts };
}

/**
 * The mean of each window.
 *
 * @param options.countIncludePad divide by the whole window (the default), or only by the number of
 * its positions inside the picture.
 */
export function avgPool2d(
  x: TensorLike,
  options: PoolOptions & { countIncludePad?: boolean },
): Tensor {
  const { input, shape: [n, c, h, w] } = realPicture("avgPool2d", x);
  const { kernel, stride, padding, counts } = windows("avgPool2d", input, options);
  const tiles = [h, w].every((length, i) =>
    kernel[i] === stride[i] && padding[i] === 0 && length % kernel[i] === 0
  );
  if (tiles) {
    const blocks = reshape(input, [n, c, h / kernel[0], kernel[0], w / kernel[1], kernel[1]]);
    return mean(blocks, { dim: [3, 5] });
  }
  const weights = (length: number, i: 0 | 1): Tensor => {
    return weightMatrix([counts[i], length], (row, add) => {
      const start = row * stride[i] - padding[i];
      const from = Math.max(0, start), to = Math.min(length, start + kernel[i]);
      const count = options.countIncludePad ?? true ? kernel[i] : to - from;
      for (let at = from; at < to; at++) add(at, 1 / count);
    });
  };
  return resample(input, { rows: weights(h, 0), columns: weights(w, 1) });
}

/** The largest element of each window; of equal ones the first gets the gradient. */
export function maxPool2d(x: TensorLike, options: PoolOptions): Tensor {
  const { input } = realPicture("maxPool2d", x);
  const { kernel, stride, padding, counts: [rows, columns] } = windows("maxPool2d", input, options);
  const [top, left] = padding;
  const padded = pad(input, [[0, 0], [0, 0], [top, top], [left, left]], { value: -Infinity });
  const stretch = (at: number, count: number, step: number) =>
    [at, at + (count - 1) * step + 1, step] as const;
  let largest: Tensor | undefined;
  for (let i = 0; i < kernel[0]; i++) {
    for (let j = 0; j < kernel[1]; j++) {
      const candidate = slice(padded, [
        null,
        null,
        stretch(i, rows, stride[0]),
        stretch(j, columns, stride[1]),
      ]);
      largest = largest ? where(gt(candidate, largest), candidate, largest) : candidate;
    }
  }
  return largest!;
}

/** The mean of each channel: [N, C, H, W] to [N, C]. */
export function globalAvgPool(x: TensorLike): Tensor {
  return mean(realPicture("globalAvgPool", x).input, { dim: [2, 3] });
}

/** `rows @ x @ transpose(columns)`: every linear resampling that treats the two directions apart. */
function resample(x: Tensor, { rows, columns }: { rows: Tensor; columns: Tensor }): Tensor {
  return matmul(matmul(rows, x), columns, { transposeB: true });
}

/** A constant matrix, row by row: `fill` adds the weights of a row at their columns. */
function weightMatrix(
  [rows, columns]: readonly [number, number],
  fill: (row: number, add: (column: number, weight: number) => void) => void,
): Tensor {
  const data = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    fill(row, (column, weight) => data[row * columns + column] += weight);
  }
  return tensor(data, [rows, columns]);
}
