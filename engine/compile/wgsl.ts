// Types and literals of WGSL.

import type { DType } from "../dtype.ts";

/** The type of an element in an expression: f16 is for memory alone. */
export function wgslType(dtype: DType): string {
  if (dtype === "f16") return "f32";
  return dtype === "u8" ? "u32" : dtype;
}

/** The type of an element in memory; four bytes share a word in `u8`. */
export function storageType(dtype: DType): string {
  return dtype === "u8" || dtype === "bool" ? "u32" : dtype;
}

/** The largest finite numbers. */
export const LARGEST = { f32: 3.4028234663852886e38, f16: 65504 } as const;

/** A number as a literal. Infinite values become the largest finite ones: WGSL has no infinity. */
export function literal(value: number, dtype: DType): string {
  switch (dtype) {
    case "bool":
      return String(value !== 0);
    case "i32":
      return `i32(${Math.trunc(value)})`;
    case "u32":
    case "u8":
      return `${Math.trunc(value)}u`;
    default: {
      const largest = LARGEST[dtype];
      const finite = Math.min(largest, Math.max(-largest, value));
      const rounded = dtype === "f16" ? Math.f16round(finite) : Math.fround(finite);
      const text = String(rounded);
      return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
    }
  }
}
