// Types and literals of WGSL.

import type { DType } from "../dtype.ts";

/** The type of an element in an expression. */
export function wgslType(dtype: DType): string {
  return dtype === "u8" ? "u32" : dtype;
}

/** The type of an element in memory; four bytes share a word in `u8`. */
export function storageType(dtype: DType): string {
  return dtype === "u8" || dtype === "bool" ? "u32" : dtype;
}

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
      const largest = 3.4028234663852886e38;
      const rounded = Math.fround(Math.min(largest, Math.max(-largest, value)));
      const text = String(rounded);
      return /[.e]/.test(text) ? `${text}f` : `${text}.0f`;
    }
  }
}
