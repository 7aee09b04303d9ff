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
import { beginInstance, declareNamed } from "./access.ts";
import type { Dispatch, KernelContext, Slot } from "./dispatch.ts";
import { MOST_ROUNDS, threadGrid } from "./gemm_grid.ts";
import { resultsOf } from "./results.ts";
import { instantiate } from "./template.ts";

/** The output of a convolution: `slots` are x, weight, out. */
export function conv2dDirect(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: readonly [Slot, Slot, Slot],
): Dispatch[] {
  const channels = g.inChannels / g.groups;
  return direct(ctx, g, {
    kernel: "conv2d",
    code: forwardCode,
    count: g.batch * g.outChannels * g.outputSize[0] * g.outputSize[1],
    channels,
    summed: { terms: channels, rounds: tapRounds(g) },
    operands: ["x", "weight"],
    slots,
  });
}

/** The gradient for the input: `slots` are grad, weight, out. */
export function conv2dInputGradDirect(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: readonly [Slot, Slot, Slot],
): Dispatch[] {
  const channels = g.outChannels / g.groups;
  return direct(ctx, g, {
    kernel: "conv2dInputGrad",
    code: inputGradCode,
    count: g.batch * g.inChannels * g.inputSize[0] * g.inputSize[1],
    channels,
    summed: { terms: channels, rounds: tapRounds(g) },
    operands: ["grad", "weight"],
    slots,
  });
}

/** The gradient for the weight: `slots` are x, grad, out. */
export function conv2dWeightGradDirect(
  ctx: KernelContext,
  g: Conv2dGeometry,
  slots: readonly [Slot, Slot, Slot],
): Dispatch[] {
  const channels = g.inChannels / g.groups;
  return direct(ctx, g, {
    kernel: "conv2dWeightGrad",
    code: weightGradCode,
    count: g.outChannels * channels * g.kernel[0] * g.kernel[1],
    channels,
    summed: { terms: g.batch * g.outputSize[0], rounds: g.outputSize[1] + 1 },
    operands: ["x", "grad"],
    slots,
  });
}

/** Rounds of loops that a channel takes. */
function tapRounds({ kernel: [height, width] }: Conv2dGeometry): number {
  return 1 + height * (1 + width);
}

interface DirectLaunch {
  readonly kernel: string;
  readonly code: string;
  /** Results, and so threads. */
  readonly count: number;
  /** Per group, of what is read. */
  readonly channels: number;
  /** What a thread adds up, channels or lines, and the rounds of loops that each of them takes. */
  readonly summed: { readonly terms: number; readonly rounds: number };
  /** What the shader names the first two slots. */
  readonly operands: readonly [string, string];
  readonly slots: readonly [Slot, Slot, Slot];
}

/** One dispatch, or several that each go on from the sums of the one before. */
function direct(ctx: KernelContext, g: Conv2dGeometry, launch: DirectLaunch): Dispatch[] {
  const { terms, rounds } = launch.summed;
  const grid = threadGrid(ctx, { threads: launch.count, workgroup: 64 });
  // The loops around those over the terms take the rounds of one more.
  const stretch = Math.max(1, Math.floor(MOST_ROUNDS / rounds) - 1);
  const operands = launch.operands.map((name, at) => ({
    name,
    slot: launch.slots[at],
    quads: false,
  }));
  // What goes on from sums needs them as they are.
  const results = resultsOf(
    terms > stretch ? { ...ctx, epilogue: undefined } : ctx,
    launch.slots[2],
    { operands, width: 1 },
  );
  const dispatches: Dispatch[] = [];
  for (let first = 0; first < terms; first += stretch) {
    const last = Math.min(terms, first + stretch);
    dispatches.push({
      kernel: launch.kernel,
      variant: `direct${results.label}`,
      shape: describeConv2d(g),
      code: results.code + instantiate(launch.code, {
        ...grid.values,
        ...conv2dValues(g),
        CHANNELS: launch.channels,
        FIRST: first,
        LAST: last,
        START: first === 0 ? "0.0" : "load_result(index)",
        SLOTS: declareNamed(launch.slots.slice(0, 2), { names: launch.operands }),
        BEGIN: beginInstance(results.slots, "id.z"),
      }),
      slots: results.slots,
      workgroups: grid.workgroups,
      flops: conv2dFlops(g) * (last - first) / terms,
    });
  }
  return dispatches;
}
