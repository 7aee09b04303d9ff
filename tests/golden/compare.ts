// How far results are from the golden ones, and how far they may be.

import type { StoredTensor, TypedArray } from "../../engine/mod.ts";

/** What a number is: a result, a first derivative, or one taken through a derivative. */
export type Kind = "out" | "extra" | "grad" | "grad2" | "jvp";

const TIGHT = ["elementwise", "reduce", "spatial", "losses", "optim", "metrics"];

/** Operations whose result is made of gradients, so that their gradients are second derivatives. */
const PENALTIES = ["dragan_penalty", "wgan_gp_penalty", "r1_penalty", "acgan_dragan_d_loss_net"];

/** The largest relative difference that is allowed. */
export function toleranceOf(family: string, op: string, kind: Kind): number {
  if (family === "trajectory" || kind === "grad2" || kind === "jvp") return 1e-3;
  if (kind === "grad" && PENALTIES.includes(op)) return 1e-3;
  if (family === "shape") return 1e-6;
  return TIGHT.includes(family) ? 1e-5 : 1e-4;
}

/**
 * The length of the difference over the length of what is wanted, both as vectors. Whole numbers must
 * be equal: one that differs makes it infinite.
 */
export function relativeError(got: TypedArray | readonly number[], want: StoredTensor): number {
  if (got.length !== want.data.length) return Infinity;
  if (want.dtype === "i32") return got.every((value, i) => value === want.data[i]) ? 0 : Infinity;
  let difference = 0, wanted = 0, own = 0;
  got.forEach((value, i) => {
    difference += (value - want.data[i]) ** 2;
    wanted += want.data[i] ** 2;
    own += value ** 2;
  });
  if (difference === 0) return 0;
  const error = Math.sqrt(difference / (wanted > 0 ? wanted : own));
  return Number.isNaN(error) ? Infinity : error;
}

/** Collects errors and keeps the worst of each kind, and what was beyond its limit. */
export class Report {
  readonly failures: string[] = [];
  readonly #worst = new Map<string, { error: number; label: string }>();
  #checks = 0;

  add(kind: string, label: string, result: { error: number; limit: number }): void {
    const { error, limit } = result;
    this.#checks++;
    if (!(error <= limit)) {
      this.failures.push(`${label}: off by ${error.toExponential(1)}, allowed ${limit}`);
    }
    if (!(error <= (this.#worst.get(kind)?.error ?? -1))) this.#worst.set(kind, { error, label });
  }

  /** One line: how much was compared, and the worst of each kind. */
  summary(): string {
    const worst = [...this.#worst].map(([kind, { error, label }]) =>
      `${kind} ${error.toExponential(1)} (${label})`
    );
    return `${this.#checks} comparisons; worst ${worst.join(", ")}`;
  }
}
