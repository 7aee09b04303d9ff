// What a function would take on a machine that need not be there.

import { byteLength } from "../dtype.ts";
import type { Slot } from "../kernels/dispatch.ts";
import type { Tensor } from "../tensor.ts";
import type { Variable } from "../variable.ts";
import type { Footprint } from "./compile.ts";
import { lower, type Program, type Target } from "./lower.ts";
import { keptBytes, placementBytes } from "./memory.ts";
import { allPasses } from "./passes.ts";

/** A machine to estimate for. */
export interface EstimateOptions {
  /** Whether the adapter is the CPU. */
  readonly cpu: boolean;
}

/** What a call would take. */
export interface Estimate extends Footprint {
  /** Bytes of the variables that it reads or assigns. */
  readonly variables: number;
  /** Bytes of arguments, constants, and results. */
  readonly inputs: number;
}

/** The limits that WebGPU grants everywhere, but for the size of a buffer: a large one shows what is needed. */
const LIMITS: Target["limits"] = {
  maxBufferSize: 2 ** 31,
  maxTextureDimension2D: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxStorageBuffersPerShaderStage: 8,
};

/** Plans a program for a machine, by the static guesses between variants of kernels, and adds up its memory. */
export function estimateProgram(program: Program, { cpu }: EstimateOptions): Estimate {
  const slots = new Map<unknown, Slot>(), bytes = { variables: 0, inputs: 0 };
  const slotOf = (owner: Tensor | Variable, kind: keyof typeof bytes): Slot => {
    const known = slots.get(owner);
    if (known) return known;
    const slot = { bytes: byteLength(owner.size, owner.dtype) };
    slots.set(owner, slot);
    bytes[kind] += slot.bytes;
    return slot;
  };
  const { dispatches, placement } = lower(program, {
    target: { cpu, images: cpu, limits: LIMITS },
    memory: {
      leaf: (node) => {
        const { variable } = node.attributes as { variable?: Variable };
        return variable ? slotOf(variable, "variables") : slotOf(node, "inputs");
      },
      variable: (variable) => slotOf(variable, "variables"),
      output: (node) => slotOf(node, "inputs"),
    },
    passes: allPasses,
  });
  return {
    dispatches: dispatches.length,
    bytes: placementBytes(placement),
    kept: keptBytes(dispatches),
    ...bytes,
  };
}
