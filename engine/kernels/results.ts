// What becomes of a product's results. Its kernel hands each to a function, `finish`, which stores it, or, where
// the compiler has fused an epilogue to the product, works on it first: adds a bias, asks an activation, or makes
// of a weight's gradient the weight's next value.

import finishCode from "../../shaders/finish.wgsl" with { type: "text" };
import { declareShared, numbers } from "./access.ts";
import type { KernelContext, Slot } from "./dispatch.ts";
import { instantiate } from "./template.ts";
import { TexelSlot } from "./texels.ts";

/** Memory that a kernel declares by itself. */
export interface Operand {
  readonly name: string;
  readonly slot: Slot;
  /** Declared as vectors of four. */
  readonly quads: boolean;
}

/** The end of a kernel: the function that takes results, and all that is bound to it and the kernel. */
export interface Results {
  /**
   * WGSL that comes before the kernel's own: what is bound besides the operands, what all slots have in common, and
   * `fn finish(i: u32, value: f32)` for result `i`, or with `vec4f` for the four from `4 * i` on.
   */
  readonly code: string;
  /** The operands', and then what `code` declares. */
  readonly slots: readonly Slot[];
  /** Those that are written. */
  readonly writes: readonly Slot[];
  /** What is added to the variant's name, for people. */
  readonly label: string;
  /** Whether some of the results that are given together are stored one by one. */
  readonly apart: boolean;
}

/** How a kernel gives its results: one by one, or four neighbours at a time. */
export interface Given {
  readonly width: 1 | 4;
  /**
   * The four are two neighbours in each of two neighbouring channels, in turns, as a PixelShuffle by 2 has them: those
   * from 4 i on in a tensor `[batch, channels / 2, height, 2 * width]`.
   */
  readonly pairs?: boolean;
}

/** Writes the end of a kernel. */
export type Epilogue = (operands: readonly Operand[], given: Given) => Results;

/**
 * The end of a product's kernel, an epilogue where there is one. A form that does not ask for it stores
 * its results in `out`, and what is to be done with them runs as a kernel of its own.
 */
export function resultsOf(
  ctx: KernelContext,
  out: Slot,
  { operands, ...given }: Given & { readonly operands: readonly Operand[] },
): Results {
  if (ctx.epilogue) return ctx.epilogue(operands, given);
  const { width } = given;
  const quads = width === 4 && !(out instanceof TexelSlot);
  const at = operands.length, slots = [...operands.map(({ slot }) => slot), out];
  return {
    code: instantiate(finishCode, {
      LIBRARY: "",
      BINDINGS: [
        ...(quads
          ? [`@group(0) @binding(${at}) var<storage, read_write> result: array<vec4f>;`]
          : numbers("result", out, { at })),
        ...declareShared(slots),
      ].join("\n"),
      TYPE: width === 4 ? "vec4f" : "f32",
      BODY: quads
        ? "result[i] = value;"
        : width === 4
        ? [0, 1, 2, 3].map((k) => `store_result(4u * i + ${k}u, value[${k}]);`).join("\n  ")
        : "store_result(i, value);",
    }),
    slots,
    writes: [out],
    label: "",
    apart: false,
  };
}

/** The end of a kernel that leaves its results to another one, in an image that it declares by itself. */
export function imageResults(
  image: Slot,
  operands: readonly Pick<Operand, "slot">[],
): Results {
  const slots = [...operands.map(({ slot }) => slot), image];
  const code = `${declareShared(slots).join("\n")}\n`;
  return { code, slots, writes: [image], label: "", apart: false };
}
