// A convolution and its gradients from one plain loop over every (output, tap) pair, in float64.

import type { Conv2dGeometry } from "../../engine/kernels/conv2d.ts";

/** Elements of the input, the weight and the output. */
export function conv2dSizes(g: Conv2dGeometry): { x: number; weight: number; out: number } {
  return {
    x: g.batch * g.inChannels * g.inputSize[0] * g.inputSize[1],
    weight: g.outChannels * g.inChannels / g.groups * g.kernel[0] * g.kernel[1],
    out: g.batch * g.outChannels * g.outputSize[0] * g.outputSize[1],
  };
}

/** Calls `visit` with the indices of every product that a convolution sums. */
function visitProducts(
  g: Conv2dGeometry,
  visit: (x: number, weight: number, out: number) => void,
): void {
  const [h, w] = g.inputSize, [oh, ow] = g.outputSize, [kh, kw] = g.kernel;
  const inGroup = g.inChannels / g.groups, outGroup = g.outChannels / g.groups;
  for (let n = 0; n < g.batch; n++) {
    for (let co = 0; co < g.outChannels; co++) {
      for (let ci = 0; ci < inGroup; ci++) {
        const plane = n * g.inChannels + Math.floor(co / outGroup) * inGroup + ci;
        for (let tap = 0; tap < kh * kw; tap++) {
          const down = Math.floor(tap / kw) * g.dilation[0] - g.padding[0];
          const right = tap % kw * g.dilation[1] - g.padding[1];
          for (let p = 0; p < oh * ow; p++) {
            const y = Math.floor(p / ow) * g.stride[0] + down, x = p % ow * g.stride[1] + right;
            if (y < 0 || y >= h || x < 0 || x >= w) continue;
            visit(
              (plane * h + y) * w + x,
              (co * inGroup + ci) * kh * kw + tap,
              (n * g.outChannels + co) * oh * ow + p,
            );
          }
        }
      }
    }
  }
}

/** The output. */
export function referenceConv2d(
  g: Conv2dGeometry,
  { x, weight }: { x: Float32Array; weight: Float32Array },
): Float64Array {
  const result = new Float64Array(conv2dSizes(g).out);
  visitProducts(g, (xAt, weightAt, outAt) => result[outAt] += x[xAt] * weight[weightAt]);
  return result;
}

/** The gradient for the input. */
export function referenceInputGrad(
  g: Conv2dGeometry,
  { grad, weight }: { grad: Float32Array; weight: Float32Array },
): Float64Array {
  const result = new Float64Array(conv2dSizes(g).x);
  visitProducts(g, (xAt, weightAt, outAt) => result[xAt] += grad[outAt] * weight[weightAt]);
  return result;
}

/** The gradient for the weight. */
export function referenceWeightGrad(
  g: Conv2dGeometry,
  { x, grad }: { x: Float32Array; grad: Float32Array },
): Float64Array {
  const result = new Float64Array(conv2dSizes(g).weight);
  visitProducts(g, (xAt, weightAt, outAt) => result[weightAt] += x[xAt] * grad[outAt]);
  return result;
}
