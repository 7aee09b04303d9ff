import { UserError } from "../data/mod.ts";
import { add, mul, type Tensor } from "../engine/mod.ts";

/** A summand of a loss, of what is known at some moment `M` of a step. */
export interface Term<M> {
  /** 1 unless given. */
  readonly weight?: number;
  /** Steps of which it has a part in the first alone, with as many times its weight; 1 unless given. */
  readonly every?: number;
  /** Its value without its weight; not called, and so not traced, where the weight is 0. */
  value(moment: M): Tensor;
}

/** A loss as its summands: each has a name, under which it is weighted and logged. */
export type Terms<M> = Readonly<Record<string, Term<M>>>;

/** Weights of loss terms by name, in place of the terms' own. */
export type Weights = Readonly<Record<string, number>>;

/** The weighted sum of terms, and each one's own value without its weight. */
export interface Loss {
  readonly total: Tensor;
  readonly values: Readonly<Record<string, Tensor>>;
}

/** Adds up terms by their weights. Throws a `UserError` where every one of them is turned off. */
export function weigh<M>(terms: Terms<M>, moment: M, { weights }: { weights: Weights }): Loss {
  const values: Record<string, Tensor> = {};
  let total: Tensor | undefined;
  for (const [name, term] of Object.entries(terms)) {
    const weight = weights[name] ?? term.weight ?? 1;
    if (weight === 0) continue;
    const value = values[name] = term.value(moment);
    const share = weight === 1 ? value : mul(value, weight);
    total = total ? add(total, share) : share;
  }
  if (!total) {
    const names = Object.keys(terms).join(", ");
    throw new UserError(`Nothing to train on: each of ${names} has weight 0`);
  }
  return { total, values };
}
