// Which convolutions can be filtered by tiles, and the correlations that they and their input gradients
// are, whatever memory the tiles pass through.
//
// A convolution with stride s and a kernel of s r taps is a convolution of stride 1 with r taps over s x s
// times the channels, the parities of its input; its input gradient is s x s convolutions, one for each
// parity of the result.

import { type Conv2dGeometry, isSmallConv2d } from "./conv2d_geometry.ts";
import { turned, type WinogradMatrices, winogradMatrices } from "./winograd_matrices.ts";

type Pair = readonly [number, number];

// Tiles of 4 x 4 outputs round as much whatever follows, and so up to 3 times as much as a plain sum of 128
// products, but 5 times as much as one of 32.
const ENOUGH_TERMS = 64;

/** A correlation of a source with a weight, on one side of which positions may come in parities. */
export interface Filtering {
  readonly kernel: "conv2d" | "conv2dInputGrad";
  readonly geometry: Conv2dGeometry;
  readonly matrices: WinogradMatrices;
  readonly source: {
    readonly channels: number;
    readonly size: Pair;
    /** Coordinate of the source that the first tile begins with. */
    readonly first: number;
    /** Distance of a tap's neighbours: parities of the source are channels of their own. */
    readonly step: number;
  };
  /** Strides of the weight, in elements. */
  readonly weight: {
    readonly channel: number;
    readonly row: number;
    readonly parity: Pair;
    readonly tap: Pair;
  };
  readonly result: {
    readonly channels: number;
    readonly size: Pair;
    /** Distance of a tile's neighbours: parities of the result are slices of their own. */
    readonly step: number;
  };
}

/** Whether a convolution can be filtered by tiles of m x m outputs. */
export function canFilter(g: Conv2dGeometry, m: number): boolean {
  const [kh, kw] = g.kernel, [stride] = g.stride;
  const taps = kh / stride;
  return g.groups === 1 && kh === kw && g.stride[1] === stride && stride <= 2 &&
    g.dilation[0] === 1 && g.dilation[1] === 1 && g.padding[0] === g.padding[1] &&
    g.padding[0] < kh && Number.isInteger(taps) && taps >= 2 && m + taps - 1 <= 6;
}

/**
 * Sides of the tiles of outputs by which a convolution or one of its gradients should be filtered, if at all.
 *
 * @param terms how many products the direct form adds up for a result.
 */
export function tileSides(g: Conv2dGeometry, terms: number): number[] {
  // In small products a gradient can be exactly zero, where filtering leaves rounding, and Adam makes a whole
  // step of that.
  if (isSmallConv2d(g)) return [];
  return [4, 2].filter((m) => canFilter(g, m) && (m === 2 || terms >= ENOUGH_TERMS));
}

/** What gives the output of a convolution. */
export function outputFiltering(g: Conv2dGeometry, m: number): Filtering {
  const [s] = g.stride, [k] = g.kernel;
  return {
    kernel: "conv2d",
    geometry: g,
    matrices: winogradMatrices(m, k / s),
    source: { channels: g.inChannels, size: g.inputSize, first: -g.padding[0], step: s },
    weight: { channel: k * k, row: g.inChannels * k * k, parity: [k, 1], tap: [s * k, s] },
    result: { channels: g.outChannels, size: g.outputSize, step: 1 },
  };
}

/** What gives the gradient for the input. */
export function inputGradFiltering(g: Conv2dGeometry, m: number): Filtering {
  const [s] = g.stride, [k] = g.kernel, [padding] = g.padding;
  return {
    kernel: "conv2dInputGrad",
    geometry: g,
    matrices: turned(winogradMatrices(m, k / s)),
    source: {
      channels: g.outChannels,
      size: g.outputSize,
      first: Math.floor(padding / s) - (k / s - 1),
      step: 1,
    },
    weight: {
      channel: g.inChannels * k * k,
      row: k * k,
      parity: [k, 1],
      tap: [s * k, s],
    },
    result: { channels: g.inChannels, size: g.inputSize, step: s },
  };
}
