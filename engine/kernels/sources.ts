// How a kernel comes by the elements of an operand. It loads them; or, where the compiler has fused a prologue to
// the kernel, the operand does not lie in memory at all: each element is computed where it would be loaded, out
// of what it is made of, such as batch norm's input, its statistics and an activation.

import { declareShared, numbers } from "./access.ts";
import type { Slot } from "./dispatch.ts";
import type { Operand } from "./results.ts";

/** An operand that does not lie in memory. Only {@linkcode sourceOf} can read it: a form that binds it takes no prologue. */
export class ComputedSlot implements Slot {
  /** An operand of so many bytes, if it were stored, and what writes its elements. */
  constructor(readonly bytes: number, readonly prologue: Prologue) {}
}

/** What one coordinate adds to the place of an element. */
export interface Step {
  /** WGSL of a u32. */
  readonly at: string;
  /** Elements from one coordinate to the next. */
  readonly stride: number;
  /** What `at` is less than, wherever the element is inside of the operand. */
  readonly size: number;
}

/** Where elements of an operand are wanted. */
export interface Wanted {
  /** Memory that the kernel declares by itself, bound before the rest. */
  readonly operands: readonly Operand[];
  /** The steps to each element that a thread reads. */
  readonly places: readonly (readonly Step[])[];
  /** How many threads do. */
  readonly threads: number;
}

/** The beginning of a kernel: elements of an operand, and all that is bound to them and the kernel. */
export interface Source {
  /** WGSL that comes before the kernel's own: what is bound besides the operands. */
  readonly code: string;
  /** The operands', and then what `code` declares. */
  readonly slots: readonly Slot[];
  /** What comes before the values in the thread. */
  readonly statements: readonly string[];
  /** An expression of f32 for each place. One that lies outside of the operand is any number. */
  readonly values: readonly string[];
  /** What is added to the variant's name, for people. */
  readonly label: string;
}

/** Writes how a kernel comes by elements of an operand that does not lie in memory. */
export type Prologue = (wanted: Wanted) => Source;

/** The elements of an operand, computed where there is a prologue, else loaded. */
export function sourceOf(operand: Slot, wanted: Wanted): Source {
  return operand instanceof ComputedSlot ? operand.prologue(wanted) : loadsOf(operand, wanted);
}

/** The elements of an operand that lies in memory, for a form that takes no prologue. */
export function loadsOf(operand: Slot, wanted: Wanted): Source {
  const { operands, places } = wanted, at = operands.length;
  const slots = [...operands.map(({ slot }) => slot), operand];
  const sum = (place: readonly Step[]): string =>
    place.map(({ at, stride }) => `${at} * ${stride}u`).join(" + ");
  return {
    code: [...numbers("source", operand, { at }), ...declareShared(slots)].join("\n"),
    slots,
    statements: [],
    values: places.map((place) => `load_source(${sum(place)})`),
    label: "",
  };
}
