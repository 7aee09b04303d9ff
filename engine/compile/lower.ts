// Program -> simplified graph -> groups in order -> dispatches -> places in memory. Touches no device, so
// that plans can be examined without one.

import type { Dispatch, KernelContext, KernelLimits, Slot } from "../kernels/dispatch.ts";
import { copyOp } from "../ops/elementwise.ts";
import type { KernelOp } from "../op.ts";
import { Tensor } from "../tensor.ts";
import type { Variable } from "../variable.ts";
import { type Batch, formBatches } from "./batch.ts";
import { canShare, fusedDispatches } from "./codegen.ts";
import { fuse, stripReshape } from "./fuse.ts";
import { ArenaSlot, assignSlots, place, type Placement, type Slots } from "./memory.ts";
import type { Passes } from "./passes.ts";
import { schedule } from "./schedule.ts";
import { reachable, simplify } from "./simplify.ts";

/** A traced function: what it returns, and what it assigns. */
export interface Program {
  readonly name: string;
  readonly outputs: readonly Tensor[];
  readonly assignments: ReadonlyMap<Variable, Tensor>;
}

/** What lowering must know of the machine. */
export interface Target {
  readonly cpu: boolean;
  readonly limits: KernelLimits & { readonly maxBufferSize: number };
}

/** Gives memory to what outlives a run. The same memory must come as the same slot. */
export interface Memory {
  leaf(node: Tensor): Slot;
  variable(variable: Variable): Slot;
  output(node: Tensor): Slot;
}

/** A program as kernels over slots. */
export interface Lowered {
  /** Nodes of the program's outputs, in order. */
  readonly outputs: readonly Tensor[];
  readonly leaves: readonly Tensor[];
  /** Every computed value that has memory, in order. */
  readonly computed: readonly Tensor[];
  readonly slots: Slots;
  readonly dispatches: readonly Dispatch[];
  readonly placement: Placement;
}

/** Lowers a program for a target, with some of the improvements. */
export function lower(
  program: Program,
  options: { target: Target; memory: Memory; passes: Passes },
): Lowered {
  const { target, memory, passes } = options;
  const { outputs, assignments } = resultNodes(program, passes);
  const roots = [...outputs, ...assignments.values()];
  const leaves = reachable(roots).filter((node) => node.op.kind === "leaf");
  const maxBuffers = target.limits.maxStorageBuffersPerShaderStage;
  const { groups, needs, variables } = schedule(
    fuse(roots, {
      maxBuffers,
      cpu: target.cpu,
      rows: passes.rows,
      assigned: new Set(assignments.values()),
      separate: !passes.fuse,
    }),
    assignments,
  );
  const given = new Map<Tensor, Slot>([
    ...leaves.map((node) => [node, memory.leaf(node)] as const),
    ...[...variables].map(([node, variable]) => [node, memory.variable(variable)] as const),
    ...outputs.map((node) => [node, memory.output(node)] as const),
  ]);
  const batches = passes.share
    ? formBatches(groups, needs, {
      maxBuffers,
      variables,
      canShare: (group) => canShare(group, target),
    })
    : groups.map((group) => [group]);
  const slots = assignSlots(batches, given, passes);
  const context: KernelContext = {
    cpu: target.cpu,
    limits: target.limits,
    scratch: (bytes) => new ArenaSlot(bytes),
  };
  const dispatches = batches.flatMap((batch) =>
    launch(batch, { slots, context, quads: passes.quads })
  );
  const placement = place(dispatches, {
    maxBytes: target.limits.maxBufferSize,
    reuse: passes.reuse,
  });
  const computed = batches.flat().flatMap((group) => group.outputs);
  return { outputs, leaves, computed, slots, dispatches, placement };
}

/** Simplified results, each of them a node of its own that a kernel can write straight to its place. */
function resultNodes(
  program: Program,
  passes: Passes,
): { outputs: Tensor[]; assignments: Map<Variable, Tensor> } {
  const roots = [...program.outputs, ...program.assignments.values()];
  const taken = new Set<Tensor>();
  const nodes = simplify(roots, passes).map((root) => {
    let node = stripReshape(root);
    if (node.op.kind === "leaf" || taken.has(node)) {
      node = new Tensor(copyOp, [node], {}, node.shape, node.dtype, node.origin);
    }
    taken.add(node);
    return node;
  });
  const outputs = nodes.splice(0, program.outputs.length);
  const variables = [...program.assignments.keys()];
  return { outputs, assignments: new Map(variables.map((v, at) => [v, nodes[at]])) };
}

function launch(
  batch: Batch,
  options: { slots: Slots; context: KernelContext; quads: boolean },
): readonly Dispatch[] {
  if (batch[0].kind !== "kernel") return fusedDispatches(batch, options);
  const { slots, context } = options, [node] = batch[0].outputs;
  return (node.op as KernelOp).launch(context, node, {
    inputs: node.inputs.map((input) => slots.get(stripReshape(input))!),
    output: slots.get(node)!,
  });
}
