import { UserError } from "../data/mod.ts";
import { add, mul, type Tensor } from "../engine/mod.ts";

/**
 * A loss as its summands: each has a name, under which it is weighted and logged. A term is a function,
 * so that one whose weight is 0 is never traced and costs nothing.
 */
export type Terms = Readonly<Record<string, () => Tensor>>;

/** Weights of loss terms by name; a term that is not named weighs 1. */
export type Weights = Readonly<Record<string, number>>;

/** The weighted sum of terms, and each one's own value without its weight. */
export interface Loss {
  readonly total: Tensor;
  readonly values: Readonly<Record<string, Tensor>>;
}

/** Adds up terms by their weights. Throws a `UserError` where every one of them is turned off. */
export function weigh(terms: Terms, weights: Weights): Loss {
  const values: Record<string, Tensor> = {};
  let total: Tensor | undefined;
  for (const [name, term] of Object.entries(terms)) {
    const weight = weights[name] ?? 1;
    if (weight === 0) continue;
    const value = values[name] = term();
    const share = weight === 1 ? value : mul(value, weight);
    total = total ? add(total, share) : share;
  }
  if (!total) {
    const names = Object.keys(terms).join(", ");
    throw new UserError(`Nothing to train on: each of ${names} has weight 0`);
  }
  return { total, values };
}
