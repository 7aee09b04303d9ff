// What a kernel launcher hands to the compiler: compute dispatches over slots of memory. Launchers
// know shapes and adapters; where a slot lies in memory, and when a dispatch runs, is the compiler's.

import type { Epilogue } from "./results.ts";

/** A stretch of device memory that dispatches read or write; resolved to a buffer by the planner. */
export interface Slot {
  /** Length in bytes. */
  readonly bytes: number;
}

/** One compute dispatch: complete WGSL with an entry point `main`, and what is bound to it. */
export interface Dispatch {
  /** The shader family, such as `conv2d`. */
  readonly kernel: string;
  /** Which of the family's forms this is, such as `image 16x16`. */
  readonly variant: string;
  /** The shapes it works on, for people who read a plan. */
  readonly shape: string;
  readonly code: string;
  /**
   * Bound in order to `@group(0) @binding(i)`: memory is declared `var<storage, read_write>`, images
   * `texture_storage_2d<rgba32float, write>` where they are among `writes`, else `read`; what the compiler
   * may keep in texels is declared by `declareSlots`.
   */
  readonly slots: readonly Slot[];
  /**
   * Further memory that the same kernel works on, each in the order of `slots`, and bound along with them, for it
   * differs in nothing but its place in textures. Instances are counted by the grid's `z`.
   */
  readonly instances?: readonly (readonly Slot[])[];
  /**
   * Of several kernels that were joined, what each works on, its instances one after the other: all that the
   * dispatch is told the places of. Images that are written lie in one texture, to which the first of them is bound.
   */
  readonly parts?: readonly (readonly (readonly Slot[])[])[];
  /** What is written, of all instances. Who writes images has to say so; of others the compiler finds it out. */
  readonly writes?: readonly Slot[];
  /** The third is the number of instances. */
  readonly workgroups: readonly [number, number, number];
  /** Floating-point operations, counted as the direct form of the operation needs them. */
  readonly flops: number;
  /** Whether what it writes is kept, so that it only runs where variables changed; the compiler finds it out. */
  readonly constant?: boolean;
}

/** The memory that a dispatch works on, of all its parts and instances. */
export function allSlots(dispatch: Dispatch): readonly Slot[] {
  return [...new Set(partsOf(dispatch).flat(2))];
}

/** What each part of a dispatch works on, its instances one after the other. */
export function partsOf(
  { slots, instances = [], parts }: Dispatch,
): NonNullable<Dispatch["parts"]> {
  return parts ?? [[slots, ...instances]];
}

/** What launchers may know of the machine when they choose a variant. */
export interface KernelContext {
  /** True where the adapter is a CPU (lavapipe, SwiftShader): no shared memory, wide register tiles. */
  readonly cpu: boolean;
  /** True where shaders can read storage textures. */
  readonly images: boolean;
  readonly limits: KernelLimits;
  /** How kernels use subgroups, where they are to. */
  readonly subgroups?: Subgroups;
  /** What products may round their operands to: `f32`, not at all, where left out. */
  readonly precision?: Precision;
  /** Forces a variant of the family, for tests and measurements. */
  readonly variant?: string;
  /** The variant that was measured to be fastest, if any was; see {@linkcode chooseVariant}. */
  choose?(family: string, shape: string, candidates: readonly string[]): string | undefined;
  /** What is to be done with the results before they are stored; see {@linkcode resultsOf}. */
  readonly epilogue?: Epilogue;
  /** Memory that lives only between the dispatches of this launch, one of which writes it. */
  scratch(bytes: number): Slot;
}

/**
 * Subgroups: the threads of a workgroup that a GPU runs in step, and that can read each other's numbers without
 * memory between them.
 */
export interface Subgroups {
  /** What a shader that uses them begins with. */
  readonly enable: string;
}

/** A type of numbers that products are computed from; their sums are `f32` always. */
export type Precision = "f32" | "f16";

/** The device limits that decide which variants can run. */
export interface KernelLimits {
  /** Threads of a workgroup. */
  readonly maxComputeInvocationsPerWorkgroup: number;
  /** Bytes that a workgroup shares. */
  readonly maxComputeWorkgroupStorageSize: number;
  /** Workgroups along one axis of a grid. */
  readonly maxComputeWorkgroupsPerDimension: number;
  /** Buffers that a kernel can be bound to. */
  readonly maxStorageBuffersPerShaderStage: number;
  /** Bytes of a buffer that a kernel can be bound to. */
  readonly maxBufferSize: number;
}
