// What a convolution's three products need to know of it.

import { FEW_FLOPS } from "./variant.ts";

/** Pairs are height first. */
type Pair = readonly [number, number];

/** A convolution of `[batch, inChannels, ...inputSize]` to `[batch, outChannels, ...outputSize]`. */
export interface Conv2dGeometry {
  readonly batch: number;
  readonly inChannels: number;
  readonly outChannels: number;
  readonly inputSize: Pair;
  readonly outputSize: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  /** Zeros around the input, at least 0; the far side gets what `outputSize` asks for. */
  readonly padding: Pair;
  readonly dilation: Pair;
  readonly groups: number;
}

/** Floating-point operations of the direct form, the same for a convolution and both gradients. */
export function conv2dFlops(g: Conv2dGeometry): number {
  return 2 * g.batch * g.outChannels * g.outputSize[0] * g.outputSize[1] *
    (g.inChannels / g.groups) * g.kernel[0] * g.kernel[1];
}

/** Whether there is so little to do that no form is much faster than others. */
export function isSmallConv2d(g: Conv2dGeometry): boolean {
  return conv2dFlops(g) <= 4 * FEW_FLOPS;
}

/** Numbers of the input, the output and the weight. */
export function conv2dElements(
  g: Conv2dGeometry,
): Readonly<Record<"input" | "output" | "weight", number>> {
  const area = ([height, width]: Pair): number => height * width;
  return {
    input: g.batch * g.inChannels * area(g.inputSize),
    output: g.batch * g.outChannels * area(g.outputSize),
    weight: g.outChannels * (g.inChannels / g.groups) * area(g.kernel),
  };
}

/** The geometry in one line, for plans: `32x64x16x16 -> 128x16x16 k3x3 s1x1 p1x1`. */
export function describeConv2d(g: Conv2dGeometry): string {
  const input = [g.batch, g.inChannels, ...g.inputSize].join("x");
  const output = [g.outChannels, ...g.outputSize].join("x");
  const extras = (g.dilation[0] * g.dilation[1] > 1 ? ` d${g.dilation.join("x")}` : "") +
    (g.groups > 1 ? ` g${g.groups}` : "");
  return `${input} -> ${output} k${g.kernel.join("x")} s${g.stride.join("x")} ` +
    `p${g.padding.join("x")}${extras}`;
}

/** The geometry under the names that the convolutions' shaders use. */
export function conv2dValues(g: Conv2dGeometry): Record<string, number> {
  return {
    BATCH: g.batch,
    IN_CHANNELS: g.inChannels,
    OUT_CHANNELS: g.outChannels,
    GROUPS: g.groups,
    ...{ H: g.inputSize[0], W: g.inputSize[1], OH: g.outputSize[0], OW: g.outputSize[1] },
    ...{ KH: g.kernel[0], KW: g.kernel[1], SH: g.stride[0], SW: g.stride[1] },
    ...{ PH: g.padding[0], PW: g.padding[1], DH: g.dilation[0], DW: g.dilation[1] },
  };
}

/** How the input gradient falls apart along one axis, by the remainder of position / stride. */
export interface Conv2dPhases {
  /** Taps that reach a phase. */
  readonly taps: number;
  /** How far apart, in outputs, they stand. */
  readonly step: number;
  /** Positions of a phase; where the stride does not divide the size, some have one fewer. */
  readonly count: number;
}

/** The phases of an axis on which the stride or the dilation is 1. */
export function conv2dPhases(g: Conv2dGeometry, axis: 0 | 1): Conv2dPhases {
  const stride = g.stride[axis];
  return {
    taps: Math.ceil(g.kernel[axis] / stride),
    step: stride === 1 ? g.dilation[axis] : 1,
    count: Math.ceil(g.inputSize[axis] / stride),
  };
}
