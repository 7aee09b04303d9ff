import { add, div, maximum, mul, sqrt, square, sub } from "../ops/elementwise.ts";
import type { Variable } from "../variable.ts";
import {
  checkShares,
  Optimizer,
  type OptimizerOptions,
  runningMean,
  type UpdateRule,
} from "./optimizer.ts";

/** Settings of {@linkcode RMSprop}, with PyTorch's defaults; the step length is 0.01. */
export interface RMSpropOptions extends OptimizerOptions {
  /** Decay of the running means, 0.99. */
  readonly alpha?: number;
  /** Added to the denominator, 1e-8. */
  readonly eps?: number;
  /** The share of the last step's direction that is kept, 0. */
  readonly momentum?: number;
  /** Divide by the gradient's deviation from its own running mean instead of its size, false. */
  readonly centered?: boolean;
}

/**
 * RMSprop (Hinton 2012, lecture 6e): gradients divided by the root of the running mean of their squares.
 *
 * @example
 * ```ts
 * import { Linear, RMSprop } from "../mod.ts";
 * const optimizer = new RMSprop(new Linear(2, 1).namedParameters(), { lr: 5e-5, alpha: 0.9 });
 * Object.keys(optimizer.state()); // square_avg.weight, square_avg.bias
 * ```
 */
export class RMSprop extends Optimizer<"square_avg" | "grad_avg" | "momentum_buffer"> {
  readonly #options: Required<Pick<RMSpropOptions, "alpha" | "eps" | "momentum" | "centered">>;

  /**
   * Starts with means of 0.
   *
   * @param parameters what is trained, by the names that {@linkcode state} uses.
   * @throws {RangeError} where alpha or momentum is not in [0, 1).
   */
  constructor(parameters: Readonly<Record<string, Variable>>, options: RMSpropOptions = {}) {
    const { lr = 0.01, weightDecay = 0, alpha = 0.99, eps = 1e-8 } = options;
    const { momentum = 0, centered = false } = options;
    const slots: ("square_avg" | "grad_avg" | "momentum_buffer")[] = ["square_avg"];
    if (centered) slots.push("grad_avg");
    if (momentum !== 0) slots.push("momentum_buffer");
    super(parameters, { lr, weightDecay, slots });
    checkShares("RMSprop", { alpha, momentum });
    this.#options = { alpha, eps, momentum, centered };
  }

  /** One step along the rescaled gradient. */
  protected override rule(): UpdateRule<"square_avg" | "grad_avg" | "momentum_buffer"> {
    const { alpha, eps, momentum, centered } = this.#options;
    return (gradient, state) => {
      const next = { ...state };
      next.square_avg = runningMean(state.square_avg, square(gradient), { share: alpha });
      let spread = next.square_avg;
      if (centered) {
        next.grad_avg = runningMean(state.grad_avg, gradient, { share: alpha });
        // Rounding must not make a steady gradient's variance negative.
        spread = maximum(sub(next.square_avg, square(next.grad_avg)), 0);
      }
      let direction = div(gradient, add(sqrt(spread), eps));
      if (momentum !== 0) {
        direction = add(mul(state.momentum_buffer, momentum), direction);
        next.momentum_buffer = direction;
      }
      next.value = sub(state.value, mul(direction, this.lr));
      return next;
    };
  }
}
