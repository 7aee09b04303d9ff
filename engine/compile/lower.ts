// Program -> simplified graph -> groups in order -> dispatches -> places in memory. Touches no device, so
// that plans can be examined without one.

import type {
  Dispatch,
  KernelContext,
  KernelLimits,
  Precision,
  Slot,
  Subgroups,
} from "../kernels/dispatch.ts";
import type { VariantChoice } from "../kernels/variant.ts";
import { byteLength } from "../dtype.ts";
import { copyOp } from "../ops/elementwise.ts";
import type { KernelOp } from "../op.ts";
import { constantOp, Tensor } from "../tensor.ts";
import { type Variable, variableOp } from "../variable.ts";
import { fusedDispatches } from "./codegen.ts";
import { hoistConstants } from "./constants.ts";
import { shareCopies } from "./copies.ts";
import { fuseEpilogues, lowerEpilogue } from "./epilogues.ts";
import { fuse, type Group, stripReshape } from "./fuse.ts";
import { shareInstances } from "./instances.ts";
import { joinDispatches } from "./join.ts";
import {
  assignSlots,
  place,
  type Placement,
  ScratchSlot,
  type Slots,
  textureRows,
} from "./memory.ts";
import type { Passes } from "./passes.ts";
import { schedule } from "./schedule.ts";
import { fusePrologues, lowerPrologue } from "./prologues.ts";
import { reachable, simplify } from "./simplify.ts";
import { TexelCopies } from "./texel_copies.ts";

/** A traced function: what it returns, and what it assigns. */
export interface Program {
  readonly name: string;
  readonly outputs: readonly Tensor[];
  readonly assignments: ReadonlyMap<Variable, Tensor>;
}

/** What lowering must know of the machine. */
export interface Target {
  readonly cpu: boolean;
  readonly images: boolean;
  readonly limits: KernelLimits & { readonly maxTextureDimension2D: number };
  /** How kernels use subgroups, where they are to. */
  readonly subgroups?: Subgroups;
  /** What products may round their operands to. */
  readonly precision?: Precision;
  /** Names variants of kernels; what it leaves open goes by the static guess. */
  readonly choose?: (family: string, shape: string) => string | undefined;
  /** Forces a variant of kernels that come in several, for tests and measurements. */
  readonly variant?: string;
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
  /** Every choice between variants that was made, in order. */
  readonly sites: readonly KernelSite[];
  readonly placement: Placement;
}

/** A place in a program at which a kernel comes in several variants. */
export interface KernelSite extends VariantChoice {
  /** @internal The node that is computed there. */
  readonly node: Tensor;
}

/** Lowers a program for a target, with some of the improvements. */
export function lower(
  program: Program,
  options: { target: Target; memory: Memory; passes: Passes },
): Lowered {
  const { target, memory } = options;
  // What assigns variables learns, and others learn in turns with it: nothing would be kept for long.
  const constants = options.passes.constants && program.assignments.size === 0;
  const passes = { ...options.passes, constants };
  const { outputs, assignments } = resultNodes(program, { ...passes, cpu: target.cpu });
  const roots = [...outputs, ...assignments.values()];
  const leaves = reachable(roots).filter((node) => node.op.kind === "leaf");
  const maxBuffers = target.limits.maxStorageBuffersPerShaderStage;
  const assigned = new Map([...assignments].map(([variable, value]) => [value, variable]));
  const fused = fuse(roots, {
    maxBuffers,
    cpu: target.cpu,
    rows: passes.rows,
    assigned,
    separate: !passes.fuse,
  });
  const whole = { maxBuffers, roots: new Set(roots), assigned };
  const textures = passes.textures && keepsTexels(target);
  const copies = new TexelCopies({ ...whole, textures });
  const context = contextOf(target);
  // Epilogues first: what is done to a value where it is stored need not be done wherever it is read.
  const ended = passes.epilogues && passes.fuse
    ? fuseEpilogues(fused, { ...whole, ...(textures && { texels: { copies, context } }) })
    : fused;
  const begun = passes.prologues && passes.fuse
    ? fusePrologues(ended, { ...whole, textures, copies, context })
    : ended;
  const { groups, variables } = schedule([...begun, ...copies.groups()], assignments);
  const given = new Map<Tensor, Slot>([
    ...leaves.map((node) => [node, memory.leaf(node)] as const),
    ...[...variables].map(([node, variable]) => [node, memory.variable(variable)] as const),
    ...outputs.map((node) => [node, memory.output(node)] as const),
  ]);
  const unchanged = leaves.filter(({ op }) => op === constantOp || op === variableOp);
  return { outputs, leaves, ...emitFitting({ groups, given, unchanged, target, passes }) };
}

/** What kernels are made for. */
interface EmitOptions {
  readonly groups: readonly Group[];
  readonly given: ReadonlyMap<Tensor, Slot>;
  /** Of what is given, that which is the same in each run until somebody else changes it, if the program does not. */
  readonly unchanged: readonly Tensor[];
  readonly target: Target;
  readonly passes: Passes;
}

/** Groups as kernels, without the passes that would need higher textures than there are. */
function emitFitting(options: EmitOptions): Emitted {
  const { target: { limits }, passes } = options;
  const emitted = emit(options), { placement } = emitted;
  const { texels, images } = textureRows(placement);
  // A texture holds only so much; buffers may be several, and images that need not lie together.
  const textures = texels <= limits.maxTextureDimension2D;
  const instances = images <= limits.maxTextureDimension2D;
  const together = passes.instances || passes.join;
  if ((textures || !passes.textures) && (instances || !together)) return emitted;
  // What is kept takes room all the time, so nothing is where room is short.
  if (emitted.dispatches.some(({ constant }) => constant)) {
    return emitFitting({ ...options, passes: { ...passes, constants: false } });
  }
  return emitFitting({
    ...options,
    passes: {
      ...passes,
      textures: passes.textures && textures,
      instances: passes.instances && instances,
      join: passes.join && instances,
    },
  });
}

type Emitted = Pick<Lowered, "computed" | "slots" | "dispatches" | "sites" | "placement">;

/** Groups as kernels, and where all that they bind lies. */
function emit(options: EmitOptions): Emitted {
  const { groups, given, unchanged, target, passes } = options;
  const textures = passes.textures && keepsTexels(target);
  const slots = assignSlots(groups, given, { inPlace: passes.inPlace, textures });
  const sites: KernelSite[] = [];
  const contextFor = (group: Group): KernelContext => ({
    ...contextOf(target),
    choose(family, shape, candidates) {
      sites.push({ family, shape, candidates, node: productOf(group) });
      return target.choose?.(family, shape);
    },
  });
  const launched = groups.flatMap((group) =>
    launch(group, { slots, context: contextFor(group), quads: passes.quads })
      .map((dispatch) => ({ dispatch, written: writtenBy(dispatch, { group, slots }) }))
  );
  const shared = passes.copies ? shareCopies(launched, target) : launched;
  const ordered = passes.constants
    ? hoistConstants(shared, { given: new Set(unchanged.map((node) => slots.get(node)!)) })
    : shared;
  const twins = passes.instances ? shareInstances(ordered) : ordered;
  const dispatches = passes.join
    ? joinDispatches(twins, target)
    : twins.map(({ dispatch }) => dispatch);
  const placement = place(dispatches, {
    maxBytes: target.limits.maxBufferSize,
    maxRows: target.limits.maxTextureDimension2D,
    reuse: passes.reuse,
  });
  const computed = groups.flatMap((group) => group.outputs);
  return { computed, slots, dispatches, sites, placement };
}

/** Whether results lie in texels. A forced variant may be one for GPUs, which know nothing but buffers. */
export function keepsTexels({ cpu, images, variant }: Target): boolean {
  return cpu && images && variant === undefined;
}

/** What launchers may know of a target. */
function contextOf(target: Target): KernelContext {
  const { cpu, images, limits, precision, subgroups, variant, choose } = target;
  return {
    ...{ cpu, images, limits, precision, subgroups, variant, choose },
    scratch: (bytes) => new ScratchSlot(bytes),
  };
}

/** What a dispatch of a group writes: results, and whatever the group was not given to read. */
function writtenBy(
  { slots: bound, writes }: Dispatch,
  { group, slots }: { group: Group; slots: Slots },
): readonly Slot[] {
  if (writes !== undefined) return writes;
  const slotsOf = (nodes: Iterable<Tensor>): Set<Slot> =>
    new Set([...nodes].map((node) => slots.get(node)!));
  const read = slotsOf(group.reads.keys());
  const results = slotsOf(group.outputs);
  return bound.filter((slot) => results.has(slot) || !read.has(slot));
}

/** Simplified results, each of them a node of its own that a kernel can write straight to its place. */
function resultNodes(
  program: Program,
  options: Passes & Pick<Target, "cpu">,
): { outputs: Tensor[]; assignments: Map<Variable, Tensor> } {
  const roots = [...program.outputs, ...program.assignments.values()];
  const taken = new Set<Tensor>();
  const nodes = simplify(roots, options).map((root) => {
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
  group: Group,
  options: { slots: Slots; context: KernelContext; quads: boolean },
): readonly Dispatch[] {
  if (group.kind !== "kernel") return fusedDispatches(group, options);
  const { slots, context } = options, node = productOf(group);
  const output = slots.get(node) ?? context.scratch(byteLength(node.size, node.dtype));
  const inputs = node.inputs.map((input) =>
    slots.get(stripReshape(input)) ?? lowerPrologue(input, { group, slots })
  );
  const launchWith = (context: KernelContext): readonly Dispatch[] =>
    (node.op as KernelOp).launch(context, node, { inputs, output })
      .flatMap((dispatch) => bindOnce(dispatch, { ...options, node }));
  if (group.product === undefined) return launchWith(context);
  const lowered = lowerEpilogue(group, options), { epilogue } = lowered;
  // Variables that could not be overwritten in place may be one buffer too many.
  const bound = new Set([...group.outputs, ...group.reads.keys()].map((x) => slots.get(x)!));
  inputs.forEach((operand) => bound.delete(operand));
  const fits = inputs.length + bound.size <= context.limits.maxStorageBuffersPerShaderStage;
  const dispatches = launchWith(fits ? { ...context, epilogue } : context);
  return lowered.taken ? dispatches : [...dispatches, ...lowered.after(output)];
}

/**
 * A kernel that cannot write what it is bound to twice, as WebGPU demands: of a product of a tensor with itself, one
 * of the operands is a copy.
 */
function bindOnce(
  dispatch: Dispatch,
  options: { node: Tensor; slots: Slots; context: KernelContext; quads: boolean },
): Dispatch[] {
  const { node, slots, context } = options;
  const input = node.inputs.map(stripReshape).find((input) => {
    const slot = slots.get(input)!;
    return dispatch.slots.indexOf(slot) !== dispatch.slots.lastIndexOf(slot);
  });
  if (input === undefined) return [dispatch];
  const slot = slots.get(input)!, scratch = context.scratch(slot.bytes);
  const copy = new Tensor(copyOp, [input], {}, input.shape, input.dtype, input.origin);
  return [
    ...fusedDispatches({ kind: "pointwise", outputs: [copy], reads: new Map([[input, true]]) }, {
      ...options,
      slots: new Map([[input, slot], [copy, scratch]]),
    }),
    {
      ...dispatch,
      slots: dispatch.slots.map((each, at) =>
        each === slot && at > dispatch.slots.indexOf(slot) ? scratch : each
      ),
    },
  ];
}

/** The node that a group's kernel computes. */
function productOf({ product, outputs }: Group): Tensor {
  return product ?? outputs[0];
}
