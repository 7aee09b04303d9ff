// The plain forms of a convolution and its gradients, one result a thread, for any geometry.

import forwardCode from "../../shaders/conv2d_direct.wgsl" with { type: "text" };
import inputGradCode from "../../shaders/conv2d_input_grad_direct.wgsl" with { type: "text" };
import weightGradCode from "../../shaders/conv2d_weight_grad_direct.wgsl" with { type: "text" };
import {
  conv2dFlops,
  type Conv2dGeometry,
  conv2dValues,
  describeConv2d,
} from "./conv2d_geometry.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { threadGrid } from "./gemm_grid.ts";
import { instantiate } from "./template.ts";

/** The output of a convolution: `slots` are x, weight, out. */
export function conv2dDirect(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: readonly [Slot, Slot, Slot],
): Dispatch[] {
  const count = g.batch * g.outChannels * g.outputSize[0] * g.outputSize[1];
  const channels = { CHANNELS: g.inChannels / g.groups };
  return [direct(ctx, g, { kernel: "conv2d", code: forwardCode, count, channels, slots })];
}

/** The gradient for the input: `slots` are grad, weight, out. */
export function conv2dInputGradDirect(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: readonly [Slot, Slot, Slot],
): Dispatch[] {
  const count = g.batch * g.inChannels * g.inputSize[0] * g.inputSize[1];
  const channels = { CHANNELS: g.outChannels / g.groups };
  return [
    direct(ctx, g, { kernel: "conv2dInputGrad", code: inputGradCode, count, channels, slots }),
  ];
}

/** The gradient for the weight: `slots` are x, grad, out. */
export function conv2dWeightGradDirect(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: readonly [Slot, Slot, Slot],
): Dispatch[] {
  const count = g.outChannels * g.inChannels / g.groups * g.kernel[0] * g.kernel[1];
  const channels = { CHANNELS: g.inChannels / g.groups };
  const lines = g.batch * g.outputSize[0];
  const stretch = Math.max(1, Math.floor(MOST_ROUNDS / (g.outputSize[1] + 1)));
  const dispatches: Dispatch[] = [];
  for (let first = 0; first < lines; first += stretch) {
    const range = {
      FIRST: first,
      LAST: Math.min(lines, first + stretch),
      START: first === 0 ? "0.0" : "out[index]",
    };
    const launch = { kernel: "conv2dWeightGrad", code: weightGradCode, count, channels, slots };
    dispatches.push(direct(ctx, g, { ...launch, range, share: (range.LAST - first) / lines }));
  }
  return dispatches;
}

/** llvmpipe ends a thread's loops, without a word, after 65,535 rounds of all of them together. */
const MOST_ROUNDS = 60_000;

interface DirectLaunch {
  readonly kernel: string;
  readonly code: string;
  /** Results, and so threads. */
  readonly count: number;
  readonly channels: { readonly CHANNELS: number };
  readonly slots: readonly [Slot, Slot, Slot];
  /** What is summed in this dispatch, and its share of the work, where there are several. */
  readonly range?: { readonly FIRST: number; readonly LAST: number; readonly START: string };
  readonly share?: number;
}

function direct(ctx: KernelContext, g: Conv2dGeometry, launch: DirectLaunch): Dispatch {
  const grid = threadGrid(ctx, { threads: launch.count, workgroup: 64 });
  return {
    kernel: launch.kernel,
    variant: "direct",
    shape: describeConv2d(g),
    code: instantiate(launch.code, {
      ...grid.values,
      ...launch.channels,
      ...launch.range,
      ...conv2dValues(g),
    }),
    slots: launch.slots,
    workgroups: grid.workgroups,
    flops: conv2dFlops(g) * (launch.share ?? 1),
  };
}
