// The golden files: inputs, results and derivatives of every operation, computed by PyTorch 1.13 in
// float64 and stored as float32. README.md beside this file says what each name means.

import { decodeSafetensors, type StoredTensor } from "../../engine/mod.ts";

// deno-lint-ignore no-explicit-any
export type Attributes = Readonly<Record<string, any>>;

/** One operation on given inputs. */
export interface Case {
  readonly case: string;
  readonly op: string;
  readonly attrs: Attributes;
  /** Names of the inputs, in order. */
  readonly inputs: readonly string[];
  /** Inputs that derivatives are given for. */
  readonly diff: readonly string[];
  /** Inputs of `diff` whose first (second) derivative vanishes and is not stored. */
  readonly grad_zero?: readonly string[];
  readonly grad2_zero?: readonly string[];
  readonly second_order: boolean;
}

/** A file's cases, and its tensors under `<case>/<what>`. */
export interface Family {
  readonly cases: readonly Case[];
  readonly tensors: Readonly<Record<string, StoredTensor>>;
}

/** Reads one file of `data/`. */
export async function readFamily(name: string): Promise<Family> {
  const url = new URL(`./data/${name}.safetensors`, import.meta.url);
  const { tensors, metadata } = decodeSafetensors(await Deno.readFile(url));
  return { cases: JSON.parse(metadata.cases), tensors };
}

/** The tensors of one case whose names start with `kind/`, under what follows it. */
export function tensorsOf(
  family: Family,
  { case: name }: Case,
  kind: string,
): Record<string, StoredTensor> {
  const prefix = `${name}/${kind}/`;
  return Object.fromEntries(
    Object.entries(family.tensors).flatMap(([key, value]) =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : []
    ),
  );
}
