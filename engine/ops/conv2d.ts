// Convolutions. Forward, input gradient and weight gradient are three faces of one form that is linear in
// each of image, weight and gradient; each one's derivatives are the other two, to any order.

import { checkWhole, formatShape, type Shape } from "../dtype.ts";
import {
  conv2d as launchForward,
  type Conv2dGeometry,
  conv2dInputGrad as launchInputGrad,
  conv2dWeightGrad as launchWeightGrad,
} from "../kernels/conv2d.ts";
import type { KernelOp } from "../op.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { asFloat, widened } from "./cast.ts";
import { add } from "./elementwise.ts";
import { reshape } from "./movement.ts";

const forwardOp: KernelOp = {
  name: "conv2d",
  kind: "kernel",
  launch: (context, node, { inputs: [x, weight], output }) =>
    launchForward(context, geometryOf(node), { x, weight, out: output }),
  derivative(g, node) {
    const [x, weight] = node.inputs;
    const geometry = geometryOf(node);
    return [inputGrad(g, weight, geometry), weightGrad(x, g, geometry)];
  },
};

const inputGradOp: KernelOp = {
  name: "conv2dInputGrad",
  kind: "kernel",
  launch: (context, node, { inputs: [grad, weight], output }) =>
    launchInputGrad(context, geometryOf(node), { grad, weight, out: output }),
  derivative(g, node) {
    const [grad, weight] = node.inputs;
    const geometry = geometryOf(node);
    return [forward(g, weight, geometry), weightGrad(g, grad, geometry)];
  },
};

const weightGradOp: KernelOp = {
  name: "conv2dWeightGrad",
  kind: "kernel",
  launch: (context, node, { inputs: [x, grad], output }) =>
    launchWeightGrad(context, geometryOf(node), { x, grad, out: output }),
  derivative(g, node) {
    const [x, grad] = node.inputs;
    const geometry = geometryOf(node);
    return [inputGrad(grad, g, geometry), forward(x, g, geometry)];
  },
};

const geometryOf = (node: Tensor): Conv2dGeometry => node.attributes.geometry;

function forward(x: Tensor, weight: Tensor, geometry: Conv2dGeometry): Tensor {
  const shape = [geometry.batch, geometry.outChannels, ...geometry.outputSize];
  return new Tensor(forwardOp, [x, weight], { geometry }, shape, "f32");
}

function inputGrad(grad: Tensor, weight: Tensor, geometry: Conv2dGeometry): Tensor {
  const shape = [geometry.batch, geometry.inChannels, ...geometry.inputSize];
  return new Tensor(inputGradOp, [grad, weight], { geometry }, shape, "f32");
}

function weightGrad(x: Tensor, grad: Tensor, geometry: Conv2dGeometry): Tensor {
  const { outChannels, inChannels, groups, kernel } = geometry;
  const shape = [outChannels, inChannels / groups, ...kernel];
  return new Tensor(weightGradOp, [x, grad], { geometry }, shape, "f32");
}

/** A setting for both axes, or `[height, width]`. */
export type Pair = number | readonly [number, number];

/** Settings of a convolution, with PyTorch's names and defaults. */
export interface ConvOptions {
  /** One number an output channel. */
  readonly bias?: TensorLike;
  /** Pixels from one place of the kernel to the next, 1. */
  readonly stride?: Pair;
  /** Zeros around the image, 0. */
  readonly padding?: Pair;
  /** Pixels from one weight of the kernel to the next, 1. */
  readonly dilation?: Pair;
  /** Runs of channels that see only each other, 1. */
  readonly groups?: number;
}

/** A setting as `[height, width]`. */
export const pair = (value: Pair): readonly [number, number] =>
  typeof value === "number" ? [value, value] : value;

/** Settings with their defaults, checked. */
function settings(
  name: string,
  options: ConvOptions,
  { shape }: Tensor,
): Pick<Conv2dGeometry, "stride" | "padding" | "dilation" | "groups"> {
  const result = {
    stride: pair(options.stride ?? 1),
    padding: pair(options.padding ?? 0),
    dilation: pair(options.dilation ?? 1),
    groups: options.groups ?? 1,
  };
  const { padding, ...positive } = result;
  checkWhole(name, positive, { shape });
  checkWhole(name, { padding }, { shape, least: 0 });
  return result;
}

function checkOperands(name: string, x: Tensor, weight: Tensor): void {
  if (x.rank !== 4 || weight.rank !== 4 || x.dtype !== "f32" || weight.dtype !== "f32") {
    throw new RangeError(
      `Cannot ${name} ${x.dtype} ${formatShape(x.shape)} by weight ${weight.dtype} ` +
        `${formatShape(weight.shape)}: f32 images [N, C, H, W] and weights of 4 axes are needed`,
    );
  }
}

function withBias(name: string, y: Tensor, bias: TensorLike | undefined): Tensor {
  if (bias === undefined) return y;
  const shifts = asFloat(name, bias), channels = y.shape[1];
  if (shifts.rank !== 1 || shifts.size !== channels) {
    throw new RangeError(
      `Cannot ${name} with bias ${formatShape(shifts.shape)} to tensor ${formatShape(y.shape)}: ` +
        `[${channels}] is needed, one number a channel`,
    );
  }
  return add(y, reshape(shifts, [1, channels, 1, 1]));
}

/**
 * Cross-correlation of images `[N, C, H, W]` with weights `[out, C / groups, kh, kw]`; zeros around.
 *
 * @throws {RangeError} where channels do not match, or the kernel is larger than the padded image.
 */
export function conv2d(x: TensorLike, weight: TensorLike, options: ConvOptions = {}): Tensor {
  const image = widened(x), kernels = widened(weight);
  checkOperands("conv2d", image, kernels);
  const set = settings("conv2d", options, image);
  const [batch, inChannels, ...inputSize] = image.shape;
  const [outChannels, perGroup, ...kernel] = kernels.shape;
  const outputSize = inputSize.map((length, axis) =>
    Math.floor(
      (length + 2 * set.padding[axis] - set.dilation[axis] * (kernel[axis] - 1) - 1) /
        set.stride[axis],
    ) + 1
  );
  if (perGroup * set.groups !== inChannels || outChannels % set.groups !== 0) {
    throw new RangeError(
      `Cannot conv2d tensor ${formatShape(image.shape)} by weight ${formatShape(kernels.shape)} ` +
        `in ${set.groups} groups: ${inChannels} channels vs ${perGroup} x ${set.groups}`,
    );
  }
  if (outputSize.some((length) => length < 1)) {
    throw new RangeError(
      `Cannot conv2d tensor ${formatShape(image.shape)} by weight ${formatShape(kernels.shape)} ` +
        `with padding ${formatShape(set.padding)}: the kernel is larger than the image`,
    );
  }
  const geometry: Conv2dGeometry = {
    batch,
    inChannels,
    outChannels,
    inputSize: both(inputSize),
    outputSize: both(outputSize),
    kernel: both(kernel),
    ...set,
  };
  return withBias("conv2d", forward(image, kernels, geometry), options.bias);
}

const both = (lengths: Shape): readonly [number, number] => [lengths[0], lengths[1]];

/**
 * The transposed convolution (the input gradient of {@linkcode conv2d}) of `[N, C, H, W]` with weights
 * `[C, out / groups, kh, kw]`.
 *
 * @throws {RangeError} where channels do not match or the result would be empty.
 */
export function convTranspose2d(
  x: TensorLike,
  weight: TensorLike,
  options: ConvOptions & { outputPadding?: Pair } = {},
): Tensor {
  const image = widened(x), kernels = widened(weight);
  checkOperands("convTranspose2d", image, kernels);
  const set = settings("convTranspose2d", options, image);
  const extra = pair(options.outputPadding ?? 0);
  checkWhole("convTranspose2d", { outputPadding: extra }, { shape: image.shape, least: 0 });
  const [batch, channels, ...size] = image.shape;
  const [from, perGroup, ...kernel] = kernels.shape;
  if (from !== channels || channels % set.groups !== 0) {
    throw new RangeError(
      `Cannot convTranspose2d tensor ${formatShape(image.shape)} by weight ` +
        `${formatShape(kernels.shape)} in ${set.groups} groups: ${channels} channels vs ${from}`,
    );
  }
  if (extra.some((length, axis) => length >= Math.max(set.stride[axis], set.dilation[axis]))) {
    throw new RangeError(
      `Cannot convTranspose2d tensor ${formatShape(image.shape)} with outputPadding ` +
        `${formatShape(extra)}: it must be less than stride or dilation`,
    );
  }
  const target = size.map((length, axis) =>
    (length - 1) * set.stride[axis] - 2 * set.padding[axis] +
    set.dilation[axis] * (kernel[axis] - 1) + extra[axis] + 1
  );
  if (target.some((length) => length < 1)) {
    throw new RangeError(
      `Cannot convTranspose2d tensor ${formatShape(image.shape)} by weight ` +
        `${formatShape(kernels.shape)}: nothing is left of ${formatShape(target)}`,
    );
  }
  const geometry: Conv2dGeometry = {
    batch,
    inChannels: perGroup * set.groups,
    outChannels: channels,
    inputSize: both(target),
    outputSize: both(size),
    kernel: both(kernel),
    ...set,
  };
  return withBias("convTranspose2d", inputGrad(image, kernels, geometry), options.bias);
}
