// The places of a program at which kernels come in several variants, and programs of one such place alone. What
// a product does with its results, its epilogue, is no part of a place: the variants are told apart without.

import { byteLength } from "../dtype.ts";
import type { Dispatch, Slot } from "../kernels/dispatch.ts";
import type { LeafOp } from "../op.ts";
import { Tensor } from "../tensor.ts";
import type { Variable } from "../variable.ts";
import { type KernelSite, lower, type Lowered, type Program, type Target } from "./lower.ts";
import { allPasses, type Passes } from "./passes.ts";

/** An input of a kernel that is run by itself. */
const operandOp: LeafOp = { name: "operand", kind: "leaf" };

/** Every place of a program at which there is more than one variant, in order. */
export function sitesOf(program: Program, target: Target): KernelSite[] {
  return dryRun(program, target).sites.filter(({ candidates }) => candidates.length > 1);
}

/** A kernel by itself, and its inputs. */
export interface IsolatedKernel {
  readonly program: Program;
  readonly operands: readonly Tensor[];
}

/** The program that computes nothing but what a site computes. */
export function isolate({ node, family, shape }: KernelSite): IsolatedKernel {
  const operands = node.inputs.map((input, at) =>
    new Tensor(operandOp, [], { at }, input.shape, input.dtype)
  );
  const output = new Tensor(node.op, operands, node.attributes, node.shape, node.dtype);
  const program = { name: `${family} ${shape}`, outputs: [output], assignments: new Map() };
  return { program, operands };
}

/** A target on which a site's kernel comes in the given variant. */
export function withVariant(target: Target, site: KernelSite, variant: string): Target {
  return {
    ...target,
    choose: (family, shape) =>
      family === site.family && shape === site.shape ? variant : target.choose?.(family, shape),
  };
}

/** The dispatches of a program, as they would be on the target; `passes` are improvements to leave out. */
export function dispatchesOf(
  program: Program,
  target: Target,
  options: { passes?: Partial<Passes> } = {},
): readonly Dispatch[] {
  return dryRun(program, target, options).dispatches;
}

/** Lowers a program without memory of a device. */
function dryRun(
  program: Program,
  target: Target,
  { passes }: { passes?: Partial<Passes> } = {},
): Lowered {
  const slotOf = ({ size, dtype }: Tensor | Variable): Slot => ({ bytes: byteLength(size, dtype) });
  const slots = new Map<Variable, Slot>();
  return lower(program, {
    target,
    memory: {
      leaf: (node) => {
        const variable: Variable | undefined = node.attributes.variable;
        return variable === undefined ? slotOf(node) : ofVariable(variable);
      },
      variable: ofVariable,
      output: slotOf,
    },
    passes: { ...allPasses, ...passes },
  });

  function ofVariable(variable: Variable): Slot {
    const slot = slots.get(variable) ?? slotOf(variable);
    slots.set(variable, slot);
    return slot;
  }
}
