// What a convolution's three products need to know of it.

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

/** The geometry in one line, for plans: `32x64x16x16 -> 128x16x16 k3x3 s1x1 p1x1`. */
export function describeConv2d(g: Conv2dGeometry): string {
  const input = [g.batch, g.inChannels, ...g.inputSize].join("x");
  const output = [g.outChannels, ...g.outputSize].join("x");
  const extras = (g.dilation[0] * g.dilation[1] > 1 ? ` d${g.dilation.join("x")}` : "") +
    (g.groups > 1 ? ` g${g.groups}` : "");
  return `${input} -> ${output} k${g.kernel.join("x")} s${g.stride.join("x")} ` +
    `p${g.padding.join("x")}${extras}`;
}
