// One dispatch of several: which kernels can be, what it gains and costs to let them, and how.
//
// On a CPU adapter there are no branches: each workgroup goes through what all kernels do, and leaves out the results
// of all but one. That takes time by the length of their texts, for a loop that is left out is gone through once. A
// loop that is not takes longer, too, for each variable that it assigns is mixed with what it was. All that has to be
// worth a dispatch.
//
// On a GPU, what all workgroups of a dispatch are given, registers and shared memory, is what the kernel needs that
// needs the most. A kernel that has more workgroups than a GPU has multiprocessors wants many of them on each, so it is
// not joined with one that asks for much more than itself: those that multiply tiles in shared memory, those that only
// fold their threads' totals there, and those whose threads have nothing to do with each other stay among themselves.
// One with few workgroups loses nothing by others.

import { type Dispatch, type KernelLimits, partsOf, type Slot } from "../kernels/dispatch.ts";
import { foldGrid } from "../kernels/grid.ts";
import { TexelSlot } from "../kernels/texels.ts";
import { joinModules, runsIn, workgroupsIn } from "./join_modules.ts";
import { bytesOfType, type Module } from "./module.ts";
import { imagesOf } from "./neighbours.ts";

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

/** What kernels are joined for. */
export interface JoinTarget {
  readonly cpu: boolean;
  readonly limits: KernelLimits;
  /** Of what joining may cost on a CPU adapter, a share; all of it unless given. */
  readonly share?: number;
}

const LITTLE = 0, REGISTERS = 1, TILES = 2;
type Demand = typeof LITTLE | typeof REGISTERS | typeof TILES;

/** About as many as a large GPU has multiprocessors. */
const FEW_WORKGROUPS = 128;
/** Bytes of WGSL: two of the longest products. Drivers compile all of it before the first run. */
const MOST_CODE = 72_000;

/** Threads that a CPU's core runs in step. */
const LANES = 8;
/**
 * What joining may cost a kernel on a CPU adapter, in words of WGSL that as many threads go through, 0.1 ns each. It is
 * four times what a dispatch costs, 35 us of the machine's and 9 us of a replay's, which keeps JavaScript waiting.
 */
const MOST_COST = 2_000_000;
/** Rounds of a loop of which nothing is known. */
const LEAST_ROUNDS = 16;
/** Storage textures that every device can bind. */
const MOST_TEXTURES = 4;

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

/** Whether kernels, of which none needs another, should run in one dispatch. */
export function canJoin(
  all: readonly Joinable[],
  { cpu, limits, share = 1 }: JoinTarget,
): boolean {
  const [{ dispatch: { constant } }] = all;
  return all.every(({ dispatch }) => dispatch.constant === constant) &&
    (cpu ? costOf(all) <= share * MOST_COST : all.every((each) => isAtEase(each, all))) &&
    threadsOf(all) !== undefined &&
    sum(all.map(({ dispatch }) => dispatch.code.length)) <= MOST_CODE &&
    boundTogether(all) <= limits.maxStorageBuffersPerShaderStage &&
    texturesOf(all) <= MOST_TEXTURES &&
    sharedBytes(all) <= limits.maxComputeWorkgroupStorageSize;
}

/** What joining costs the kernel that it costs the most: it goes through others' texts, and they through its own. */
function costOf(all: readonly Joinable[]): number {
  const vectors = sum(all.map(vectorsOf)), words = sum(all.map(({ module }) => module.length));
  return Math.max(...all.map((each) => {
    const own = vectorsOf(each), { length } = each.module;
    return own * (words - length) + length * (vectors - own) + own * length * roundsOf(each);
  }));
}

/** A guess at how often a kernel goes through its text, if that loops: it takes about twice as long under a mask. */
function roundsOf(one: Joinable): number {
  if (!one.module.loops) return 0;
  return Math.max(LEAST_ROUNDS, one.dispatch.flops / (LANES * vectorsOf(one)));
}

/** How many vectors of a CPU's core the threads of a kernel fill. */
function vectorsOf({ workgroups, module }: Joinable): number {
  return workgroups * Math.ceil(module.workgroup / LANES);
}

/** Whether a kernel is one that others like it would be joined with. */
export function isSmall(one: Joinable, target: JoinTarget): boolean {
  return canJoin([one, { ...one }], target);
}

/** Whether a kernel with many workgroups runs beside others as it does alone. */
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
      const { type, space } = bound.get(at) ?? {}, other = types.get(slot) ?? type;
      if (slot instanceof TexelSlot || space === "") continue;
      if (type === undefined || other !== type) return Infinity;
      types.set(slot, type);
    }
  }
  return types.size;
}

/** How many textures a dispatch of all is bound to; infinitely many where it would both read and write some. */
function texturesOf(all: readonly Joinable[]): number {
  const dispatches = all.map(({ dispatch }) => dispatch);
  const images = new Set(imagesOf(dispatches.flatMap(({ slots }) => slots)));
  const written = images.intersection(writtenImages(dispatches)).size;
  if (all.length > 1 && written > 0 && written < images.size) return Infinity;
  const texels = dispatches.some(({ slots }) => slots.some((slot) => slot instanceof TexelSlot));
  return (written > 0 ? 1 : images.size) + Number(texels);
}

/** The images that dispatches write. */
function writtenImages(dispatches: readonly Dispatch[]): Set<Slot> {
  return new Set(imagesOf(dispatches.flatMap(({ writes = [] }) => writes)));
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
export function join(all: readonly Joinable[], { limits }: Pick<JoinTarget, "limits">): Dispatch {
  if (all.length === 1) return all[0].dispatch;
  const ordered = all.toSorted((a, b) => workOf(b) - workOf(a));
  const dispatches = ordered.map(({ dispatch }) => dispatch), [{ constant }] = dispatches;
  const threads = threadsOf(all)!;
  // Images that are written lie in one texture.
  const images = writtenImages(dispatches), [image] = images;
  const bindingOf = (slot: Slot): Slot => images.has(slot) ? image : slot;
  const slots = [...new Set(dispatches.flatMap(({ slots }) => slots.map(bindingOf)))];
  const parts = ordered.map(({ dispatch, module }) => ({
    module,
    // And what `declareShared` declares.
    bindings: [
      ...dispatch.slots.map((slot) => slots.indexOf(bindingOf(slot))),
      slots.length,
      slots.length + 1,
    ],
    workgroups: dispatch.workgroups,
  }));
  const writes = dispatches.flatMap(({ writes = [] }) => writes);
  const workgroups = foldGrid(sum(parts.map((part) => workgroupsIn(part, threads))), limits);
  return {
    ...namesOf(dispatches),
    code: joinModules(parts, { threads, width: workgroups[0] }),
    slots,
    parts: dispatches.flatMap(partsOf),
    ...(writes.length > 0 && { writes }),
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
