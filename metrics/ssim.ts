// Structural similarity: Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error
// visibility to structural similarity", 2004.

import { add, conv2d, div, mean, mul, sub, type Tensor, tensor } from "../engine/mod.ts";

/** Settings of {@linkcode ssim}; the paper's (section III.C) where left out. */
export interface SsimOptions {
  /** What a white pixel has more than a black one, whose value is 0: 1 for pictures in [0, 1]. */
  readonly range: number;
  /** Side of the Gaussian window in pixels, 11. */
  readonly windowSize?: number;
  /** Standard deviation of the Gaussian window in pixels, 1.5. */
  readonly sigma?: number;
  /** Keeps the luminance term steady where both means are about 0, as a share of the range: 0.01. */
  readonly k1?: number;
  /** The same for the contrast term where both variances are about 0: 0.03. */
  readonly k2?: number;
}

/** Means over all positions of the window, by picture and channel. */
export interface SsimTerms {
  /** Luminance, contrast and structure, [N, C]. */
  readonly ssim: Tensor;
  /** Contrast and structure alone, [N, C]. */
  readonly contrastStructure: Tensor;
}

/**
 * The structural similarity of each picture in `x` to the one at its place in `y`, two f32 tensors
 * [N, C, H, W], as [N] numbers in [-1, 1]; 1 for equal ones.
 *
 * With means m, variances v and covariance c under a Gaussian window whose weights add up to 1 (Wang
 * et al. 2004, equations 13 to 16), C1 = (k1 range)^2 and C2 = (k2 range)^2,
 *
 *     ssim = (2 mx my + C1) / (mx^2 + my^2 + C1) * (2 cxy + C2) / (vx + vy + C2)
 *
 * is averaged over the positions where the window lies inside the picture, and over channels, each of
 * which is compared by itself. Luminance is counted from black as 0: scale pictures in [-1, 1] first.
 *
 * @throws {RangeError} where shapes differ, or the picture is smaller than the window.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { Device, read, sub, tensor } from "../engine/mod.ts";
 * import { ssim } from "./mod.ts";
 * await Device.open();
 * const x = tensor(Array.from({ length: 256 }, (_, i) => i / 255), [1, 1, 16, 16]);
 * const [itself, negative] = await read([
 *   ssim(x, x, { range: 1 }),
 *   ssim(x, sub(1, x), { range: 1 }),
 * ]);
 * assert(itself[0] > 0.9999 && negative[0] < 0);
 * ```
 */
export function ssim(x: Tensor, y: Tensor, options: SsimOptions): Tensor {
  return mean(ssimTerms(x, y, options).ssim, { dim: 1 });
}

/**
 * What {@linkcode ssim} averages, by channel, and the part of it that knows nothing of luminance.
 *
 * @throws {RangeError} where shapes differ, or the picture is smaller than the window.
 */
export function ssimTerms(x: Tensor, y: Tensor, options: SsimOptions): SsimTerms {
  const { range, windowSize = 11, sigma = 1.5, k1 = 0.01, k2 = 0.03 } = options;
  checkPictures("ssim", [x, y], { range, windowSize, sigma });
  const blur = gaussianBlur(x.shape[1], { windowSize, sigma });
  const c1 = (k1 * range) ** 2, c2 = (k2 * range) ** 2;
  const mx = blur(x), my = blur(y);
  const mxx = mul(mx, mx), myy = mul(my, my), mxy = mul(mx, my);
  const vx = sub(blur(mul(x, x)), mxx), vy = sub(blur(mul(y, y)), myy);
  const cxy = sub(blur(mul(x, y)), mxy);
  const contrastStructure = div(add(mul(cxy, 2), c2), add(add(vx, vy), c2));
  const luminance = div(add(mul(mxy, 2), c1), add(add(mxx, myy), c1));
  const overPositions = { dim: [2, 3] };
  return {
    ssim: mean(mul(luminance, contrastStructure), overPositions),
    contrastStructure: mean(contrastStructure, overPositions),
  };
}

/**
 * @throws {TypeError} where pictures are not f32.
 * @throws {RangeError} where they are not two [N, C, H, W] of one shape, a setting makes no sense, or the
 * window is larger than they are at the last of `scales`, each half as large as the one before.
 */
export function checkPictures(
  op: string,
  [x, y]: readonly [Tensor, Tensor],
  settings: { range: number; windowSize: number; sigma: number; scales?: number },
): void {
  const { scales = 1, ...positive } = settings, { windowSize } = settings;
  const shapes = [x, y].map(({ shape }) => `[${shape.join(", ")}]`), [shape] = shapes;
  if (x.dtype !== "f32" || y.dtype !== "f32") {
    throw new TypeError(
      `Cannot ${op} ${x.dtype} and ${y.dtype} pictures: f32 is needed; cast them`,
    );
  }
  if (x.shape.length !== 4 || shapes[1] !== shape) {
    throw new RangeError(
      `Cannot ${op} pictures ${shapes.join(" and ")}: two [N, C, H, W] of one shape are needed`,
    );
  }
  for (const [name, value] of Object.entries(positive)) {
    if (value > 0 && (name !== "windowSize" || Number.isInteger(value))) continue;
    const needed = name === "windowSize" ? "a whole number of at least 1" : "a number above 0";
    throw new RangeError(
      `Cannot ${op} pictures ${shape} with ${name} ${value}: ${needed} is needed`,
    );
  }
  const [height, width] = x.shape.slice(2), smallest = windowSize * 2 ** (scales - 1);
  if (Math.min(height, width) >= smallest) return;
  const most = 1 + Math.floor(Math.log2(Math.min(height, width) / windowSize));
  const at = scales > 1 ? ` at ${scales} scales` : "";
  const remedy = most < 1
    ? "lower windowSize"
    : `give at most ${most} weights, such as msSsimWeights(${most}), or lower windowSize`;
  throw new RangeError(
    `Cannot ${op} pictures ${shape}${at} with a window of ${windowSize} pixels: ` +
      `${smallest} x ${smallest} pixels vs ${height} x ${width}; ${remedy}`,
  );
}

/** Means under a Gaussian window, channel by channel, at positions where it lies inside the picture. */
function gaussianBlur(
  channels: number,
  { windowSize, sigma }: { windowSize: number; sigma: number },
): (x: Tensor) => Tensor {
  const bell = Array.from(
    { length: windowSize },
    (_, i) => Math.exp(-((i - (windowSize - 1) / 2) ** 2) / (2 * sigma ** 2)),
  );
  const total = bell.reduce((a, b) => a + b);
  const weights = Array.from({ length: channels }, () => bell.map((w) => w / total)).flat();
  const down = tensor(weights, [channels, 1, windowSize, 1]);
  const across = tensor(weights, [channels, 1, 1, windowSize]);
  return (x) => conv2d(conv2d(x, down, { groups: channels }), across, { groups: channels });
}
