import { mul, sub } from "../ops/elementwise.ts";
import type { Variable } from "../variable.ts";
import { Adam, type AdamOptions } from "./adam.ts";
import type { UpdateRule } from "./optimizer.ts";

/**
 * Adam with decoupled weight decay (Loshchilov & Hutter 2019, algorithm 2): `weightDecay` (0.01) times the
 * step length is taken off the parameter itself, where Adam's running means do not rescale it.
 *
 * @example
 * ```ts
 * import { AdamW, Linear } from "../mod.ts";
 * const optimizer = new AdamW(new Linear(2, 1).namedParameters(), { lr: 1e-3, weightDecay: 0.05 });
 * Object.keys(optimizer.state()); // step, exp_avg.weight, exp_avg_sq.weight, ...
 * ```
 */
export class AdamW extends Adam {
  readonly #weightDecay: number;

  /**
   * Starts with means of 0.
   *
   * @param parameters what is trained, by the names that {@linkcode state} uses.
   * @throws {RangeError} where a beta is not in [0, 1).
   */
  constructor(parameters: Readonly<Record<string, Variable>>, options: AdamOptions = {}) {
    super(parameters, { ...options, weightDecay: 0 });
    this.#weightDecay = options.weightDecay ?? 0.01;
  }

  /** Adam's step from the parameter after its decay. */
  protected override rule(): UpdateRule<"exp_avg" | "exp_avg_sq"> {
    const adam = super.rule();
    const kept = sub(1, mul(this.lr, this.#weightDecay));
    return (gradient, state) => adam(gradient, { ...state, value: mul(state.value, kept) });
  }
}
