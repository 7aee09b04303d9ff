import { add, mul, sub } from "../ops/elementwise.ts";
import type { Variable } from "../variable.ts";
import { checkShares, Optimizer, type OptimizerOptions, type UpdateRule } from "./optimizer.ts";

/** Settings of {@linkcode SGD}, with PyTorch's defaults; the step length is 1e-3. */
export interface SGDOptions extends OptimizerOptions {
  /** The share of the last step's direction that is kept, 0. */
  readonly momentum?: number;
  /** Step from where momentum leads (Sutskever et al. 2013), false. */
  readonly nesterov?: boolean;
}

/**
 * Gradient descent, with momentum if asked for.
 *
 * @example
 * ```ts
 * import { Linear, SGD } from "../mod.ts";
 * const net = new Linear(2, 1);
 * const optimizer = new SGD(net.namedParameters(), { lr: 0.05, momentum: 0.9, nesterov: true });
 * Object.keys(optimizer.state()); // momentum_buffer.weight, momentum_buffer.bias
 * ```
 */
export class SGD extends Optimizer<"momentum_buffer"> {
  readonly #momentum: number;
  readonly #nesterov: boolean;

  /**
   * Starts without momentum.
   *
   * @param parameters what is trained, by the names that {@linkcode state} uses.
   * @throws {RangeError} where momentum is not in [0, 1), or Nesterov's is asked for without any.
   */
  constructor(parameters: Readonly<Record<string, Variable>>, options: SGDOptions = {}) {
    const { lr = 1e-3, weightDecay = 0, momentum = 0, nesterov = false } = options;
    super(parameters, { lr, weightDecay, slots: momentum === 0 ? [] : ["momentum_buffer"] });
    checkShares("SGD", { momentum });
    if (nesterov && momentum === 0) {
      throw new RangeError("Cannot run SGD with Nesterov's momentum of 0: set momentum");
    }
    this.#momentum = momentum;
    this.#nesterov = nesterov;
  }

  /** One step along the gradient, or along its accumulated direction. */
  protected override rule(): UpdateRule<"momentum_buffer"> {
    const momentum = this.#momentum;
    return (gradient, state) => {
      if (momentum === 0) return { ...state, value: sub(state.value, mul(gradient, this.lr)) };
      // The first step's buffer is its gradient, because it starts from zeros.
      const buffer = add(mul(state.momentum_buffer, momentum), gradient);
      const direction = this.#nesterov ? add(gradient, mul(buffer, momentum)) : buffer;
      return { value: sub(state.value, mul(direction, this.lr)), momentum_buffer: buffer };
    };
  }
}
