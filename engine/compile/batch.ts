// Groups in order -> batches, each of them one dispatch. Small kernels that nobody waits for yet, and the updates
// of variables, are put off until somebody does: by then others have come together with which they can run. For GPUs
// join.ts does that, and more: it joins kernels of all kinds, when they are written.

import { copyOp } from "../ops/elementwise.ts";
import type { Tensor } from "../tensor.ts";
import type { Variable } from "../variable.ts";
import type { Group } from "./fuse.ts";

/** Groups that do not need each other. */
export type Batch = readonly Group[];

/** What decides which groups can share a dispatch. */
export interface BatchOptions {
  /** How many buffers one kernel can be bound to. */
  readonly maxBuffers: number;
  readonly cpu: boolean;
  /** Whether a group's kernel is one that the compiler writes, in a single dispatch. */
  readonly canShare: (group: Group) => boolean;
  /** Whether a kernel that reads or writes a tensor is bound to a buffer for it. */
  readonly isBound: (tensor: Tensor) => boolean;
  /** Variables that tensors are written to. */
  readonly variables: ReadonlyMap<Tensor, Variable>;
  /** Groups whose results are kept from run to run, which share dispatches among themselves alone. */
  readonly constants: ReadonlySet<Group>;
}

/**
 * A tensor with more elements is not kept alive for a kernel that is put off. On CPU adapters fewer have to do: each
 * workgroup there pays for all that shares its dispatch.
 */
const LARGE = { cpu: 2 ** 14, gpu: 2 ** 18 };
/** Reductions in one kernel: their totals lie in memory that a workgroup shares. */
const MOST_FOLDS = 12;

/**
 * Forms batches.
 *
 * @param needs the groups that have to run before each.
 */
export function formBatches(
  groups: readonly Group[],
  needs: ReadonlyMap<Group, ReadonlySet<Group>>,
  options: BatchOptions,
): Batch[] {
  const batches: Group[][] = [];
  const left = new Set(groups), waiting = new Set<Group>();
  const postpone = (group: Group): void => {
    left.delete(group);
    waiting.add(group);
  };
  const waitsFor = (group: Group): Group[] =>
    [...needs.get(group)!].filter((other) => waiting.has(other));

  /** Runs groups now, along with the last batch where nothing of it is needed. */
  const run = (batch: readonly Group[]): void => {
    const last = batches.at(-1) ?? [];
    const together = [...last, ...batch];
    const free = batch.every((group) => last.every((other) => !needs.get(group)!.has(other)));
    if (last.length > 0 && together.every(options.canShare) && free && fits(together, options)) {
      last.push(...batch);
    } else batches.push([...batch]);
    batch.forEach((group) => waiting.delete(group));
  };

  /** Runs groups that wait, and with them as many others as fit. */
  const release = (wanted: readonly Group[]): void => {
    const due = new Set(wanted);
    const updates = (group: Group): boolean => isUpdate(group, options);
    if (wanted.length === 0) return;
    // What could run later can fill a dispatch now.
    for (const group of left) {
      const ready = ![...needs.get(group)!].some((other) => left.has(other));
      if (ready && canWait(group, options)) postpone(group);
    }
    // Whoever wants one update will soon want the others.
    if (wanted.some(updates)) [...waiting].filter(updates).forEach((group) => due.add(group));
    for (const group of due) waitsFor(group).forEach((other) => due.add(other));
    while (due.size > 0) {
      const ready = [...waiting].filter((group) => waitsFor(group).length === 0);
      const batch: Group[] = [];
      for (const group of [...ready.filter((at) => due.has(at)), ...ready]) {
        if (batch.includes(group)) continue;
        if (batch.length === 0 || fits([...batch, group], options)) batch.push(group);
      }
      run(batch);
      batch.forEach((group) => due.delete(group));
    }
  };

  for (const group of left) {
    if (canWait(group, options)) postpone(group);
    else {
      release(waitsFor(group));
      left.delete(group);
      run([group]);
    }
  }
  release([...waiting]);
  return batches;
}

/** Whether a group's results are all written to variables. */
function isUpdate(group: Group, { variables }: BatchOptions): boolean {
  return group.kind === "pointwise" && group.outputs.every((output) => variables.has(output));
}

function canWait(group: Group, options: BatchOptions): boolean {
  // Copies come early, for kernels that could run together would have to wait for whatever they come along with.
  const copies = group.outputs.every(({ op }) => op === copyOp);
  if (copies || !options.canShare(group)) return false;
  const tensors = [...group.outputs, ...group.reads.keys()];
  const large = LARGE[options.cpu ? "cpu" : "gpu"];
  return isUpdate(group, options) || tensors.every(({ size }) => size <= large);
}

function fits(batch: Batch, options: BatchOptions): boolean {
  const { maxBuffers, isBound, variables, constants } = options;
  if (batch.some((group) => constants.has(group) !== constants.has(batch[0]))) return false;
  const buffers = new Set<Tensor | Variable>();
  let folds = 0;
  for (const { outputs, reads } of batch) {
    for (const tensor of [...outputs, ...reads.keys()].filter(isBound)) {
      buffers.add(variables.get(tensor) ?? tensor.attributes.variable ?? tensor);
    }
    folds += outputs.filter(({ op }) => op.kind === "reduce").length;
  }
  return buffers.size <= maxBuffers && folds <= MOST_FOLDS;
}
