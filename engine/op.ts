// What an op is: a name, how it runs, and its derivative written in ops.

import type { Index } from "./compile/index_expression.ts";
import type { Dispatch, KernelContext, Slot } from "./kernels/dispatch.ts";
import type { DType } from "./dtype.ts";
import type { Tensor } from "./tensor.ts";

/**
 * The vector-Jacobian product: gradients of a scalar for each input of `node`, given its gradient for
 * `node` itself. Null where an input has none. Written in ops, so it can be differentiated again.
 */
export type Derivative = (gradient: Tensor, node: Tensor) => readonly (Tensor | null)[];

interface OpBase {
  readonly name: string;
  /** Absent: the op is constant for differentiation. */
  readonly derivative?: Derivative;
}

/** A value that is given: a constant, an argument of a compiled function, a variable. */
export interface LeafOp extends OpBase {
  readonly kind: "leaf";
}

/**
 * An op whose element at an index is an expression over elements of its inputs. The compiler fuses
 * chains of them into one kernel, into reductions, or recomputes them where that is cheaper.
 */
export interface PointwiseOp extends OpBase {
  readonly kind: "pointwise";
  /** The WGSL expression of the element at `index`. */
  readonly emit: (reader: Reader, index: Index, node: Tensor) => string;
  /** Arithmetic an element costs, in loads from memory. */
  readonly cost: number;
  /** Whether inputs are of the node's shape and read at its own index only. */
  readonly elementwise: boolean;
  /** How many of the inputs it reads, where the last are there for the derivative alone. */
  readonly operands?: number;
  /** Whether its results are few, so that they always get memory, and whoever needs them reads one number. */
  readonly stored?: boolean;
}

/** Gives a pointwise op the elements of its inputs, as WGSL expressions. */
export interface Reader {
  read(input: Tensor, index: Index): string;
  /** Makes a helper function of the shader library available, such as `philox`. */
  use(library: string): void;
}

/** Folds the elements along some axes into one, in a fixed order. Attributes: `dims`, sorted. */
export interface ReduceOp extends OpBase {
  readonly kind: "reduce";
  /** The type the fold works in. */
  readonly accumulator: DType;
  readonly initial: string;
  /** The WGSL expression that joins two partial results. */
  readonly combine: (a: string, b: string) => string;
  /** WGSL's function that joins those of a subgroup. */
  readonly subgroup: "subgroupAdd" | "subgroupMax" | "subgroupMin";
}

/** An op with kernels of its own: matrix product, convolution, moments. Its inputs lie in memory. */
export interface KernelOp extends OpBase {
  readonly kind: "kernel";
  readonly launch: (
    context: KernelContext,
    node: Tensor,
    slots: { inputs: readonly Slot[]; output: Slot },
  ) => readonly Dispatch[];
}

/** Any op of the vocabulary. */
export type Op = LeafOp | PointwiseOp | ReduceOp | KernelOp;
