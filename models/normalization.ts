import { BatchNorm2d, type Module } from "../engine/mod.ts";
import type { GeneratorOptions, Normalization } from "./network.ts";

/** Makes the normalisations of a generator, and lists those that are not its own batch norms. */
export interface Normalizations {
  make(name: string, channels: number): Normalization;
  readonly others: readonly Module[];
}

/** Batch norm, unless options say what else normalises. */
export function normalizationsOf(
  { normalization }: Pick<GeneratorOptions, "normalization">,
  codeSize: number,
): Normalizations {
  const others: Module[] = [];
  return {
    others,
    make(name, channels) {
      if (normalization === undefined) return new BatchNorm2d(channels);
      const made = normalization({ name, channels, codeSize });
      others.push(made);
      return made;
    },
  };
}
