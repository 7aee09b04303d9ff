// One dispatch of several: which kernels can be, what it gains and costs to let them, and how.
//
// What all workgroups of a dispatch are given, registers and shared memory, is what the kernel needs that needs the
// most. A kernel that has more workgroups than a GPU has multiprocessors wants many of them on each, so it is not
// joined with one that asks for much more than itself: those that multiply tiles in shared memory, those that only
// fold their threads' totals there, and those whose threads have nothing to do with each other stay among themselves.
// One with few workgroups loses nothing by others.

import { hasPlaces } from "../kernels/access.ts";
import type { Dispatch, KernelLimits, Slot } from "../kernels/dispatch.ts";
import { foldGrid } from "../kernels/grid.ts";
import { joinModules, runsIn, workgroupsIn } from "./join_modules.ts";
import { bytesOfType, type Module } from "./module.ts";

/** A dispatch, and what is known of its kernel. */
export interface Joinable {
  readonly dispatch: Dispatch;
  readonly module: Module;
  /** Workgroups of its grid. */
  readonly workgroups: number;
  /** What it asks of a multiprocessor, and what others may where it has many workgroups. */
  readonly asks: Demand;
  readonly bears: Demand;
}

const LITTLE = 0, REGISTERS = 1, TILES = 2;
type Demand = typeof LITTLE | typeof REGISTERS | typeof TILES;

/** About as many as a large GPU has multiprocessors. */
const FEW_WORKGROUPS = 128;
/** Bytes of WGSL: two of the longest products. Drivers compile all of it before the first run. */
const MOST_CODE = 72_000;

/** Tells what is needed to join dispatches. */
export function joinable(dispatch: Dispatch, module: Module): Joinable {
  const [x, y, z] = dispatch.workgroups;
  const compiled = dispatch.kernel === "reduce" || dispatch.kernel === "pointwise";
  const [asks, bears] = compiled
    ? [LITTLE, module.together ? LITTLE : REGISTERS] as const
    : module.together
    ? [TILES, TILES] as const
    : [REGISTERS, REGISTERS] as const;
  return { dispatch, module, workgroups: x * y * z, asks, bears };
}

/** Whether kernels, of which none needs another, should run in one dispatch, on a GPU of some limits. */
export function canJoin(all: readonly Joinable[], limits: KernelLimits): boolean {
  const [{ dispatch: { constant } }] = all;
  const threads = threadsOf(all);
  return all.every(({ dispatch }) =>
    dispatch.constant === constant && !hasPlaces(dispatch.slots)
  ) &&
    threads !== undefined && all.every((each) => isAtEase(each, all)) &&
    sum(all.map(({ dispatch }) => dispatch.code.length)) <= MOST_CODE &&
    boundTogether(all) <= limits.maxStorageBuffersPerShaderStage &&
    sharedBytes(all) <= limits.maxComputeWorkgroupStorageSize;
}

/** Whether a kernel loses little by others. */
function isAtEase({ workgroups, bears, module }: Joinable, all: readonly Joinable[]): boolean {
  if (workgroups <= FEW_WORKGROUPS) return true;
  // What a workgroup shares is set to zero where it begins, whether it is needed there or not.
  return all.every(({ asks, module: { together } }) =>
    asks <= bears && (module.together || !together)
  );
}

/** Threads of a workgroup in which all can run, if there is such a number. */
function threadsOf(all: readonly Joinable[]): number | undefined {
  const together = all.filter(({ module }) => module.together);
  const sizes = (together.length > 0 ? together : all).map(({ module }) => module.workgroup);
  const threads = Math.min(...sizes);
  return all.every(({ module }) => runsIn(module, threads)) ? threads : undefined;
}

/** How many buffers a dispatch of all is bound to; infinitely many where one would be of two types. */
function boundTogether(all: readonly Joinable[]): number {
  const types = new Map<Slot, string>();
  for (const { dispatch: { slots }, module: { bound } } of all) {
    for (const [at, slot] of slots.entries()) {
      const type = bound.get(at), other = types.get(slot) ?? type;
      if (type === undefined || other !== type) return Infinity;
      types.set(slot, type);
    }
  }
  return types.size;
}

/** Bytes that a workgroup of all shares, where what several want alike is the same memory. */
function sharedBytes(all: readonly Joinable[]): number {
  const most = new Map<string, number>();
  for (const { module: { shared } } of all) {
    for (const [type, { length }] of Map.groupBy(shared, (type) => type)) {
      most.set(type, Math.max(most.get(type) ?? 0, length));
    }
  }
  return sum([...most].map(([type, count]) => count * bytesOfType(type)));
}

/** One dispatch of all. Those that take the longest begin first, so that they do not end last. */
export function join(all: readonly Joinable[], limits: KernelLimits): Dispatch {
  if (all.length === 1) return all[0].dispatch;
  const ordered = all.toSorted((a, b) => workOf(b) - workOf(a));
  const dispatches = ordered.map(({ dispatch }) => dispatch), [{ constant }] = dispatches;
  const threads = threadsOf(all)!;
  const slots = [...new Set(dispatches.flatMap(({ slots }) => slots))];
  const parts = ordered.map(({ dispatch, module }) => ({
    module,
    bindings: dispatch.slots.map((slot) => slots.indexOf(slot)),
    workgroups: dispatch.workgroups,
  }));
  const workgroups = foldGrid(sum(parts.map((part) => workgroupsIn(part, threads))), limits);
  return {
    ...namesOf(dispatches),
    code: joinModules(parts, { threads, width: workgroups[0] }),
    slots,
    workgroups,
    flops: sum(dispatches.map(({ flops }) => flops)),
    ...(constant !== undefined && { constant }),
  };
}

/** Names of all, in order, where those that are called the same are counted. */
function namesOf(dispatches: readonly Dispatch[]): Pick<Dispatch, "kernel" | "variant" | "shape"> {
  const alike = [
    ...Map.groupBy(dispatches, ({ kernel, variant, shape }) => `${kernel} ${variant} ${shape}`)
      .values(),
  ];
  const counted = ([{ variant }, ...others]: readonly Dispatch[]): string =>
    others.length === 0 ? variant : `${others.length + 1} x ${variant}`;
  return {
    kernel: [...new Set(dispatches.map(({ kernel }) => kernel))].join(" | "),
    variant: alike.map(counted).join(" | "),
    shape: alike.map(([{ shape }]) => shape).join(" | "),
  };
}

/** What to order kernels by: where there are many workgroups, a guess at the time of one. */
function workOf({ workgroups, dispatch }: Joinable): number {
  return workgroups <= FEW_WORKGROUPS ? Number.MAX_VALUE : dispatch.flops / workgroups;
}

const sum = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b, 0);
