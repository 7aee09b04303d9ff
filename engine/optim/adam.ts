import { add, div, expm1, mul, neg, rsqrt, sqrt, square, sub } from "../ops/elementwise.ts";
import type { Tensor } from "../tensor.ts";
import { Variable } from "../variable.ts";
import {
  checkShares,
  Optimizer,
  type OptimizerOptions,
  runningMean,
  type UpdateRule,
} from "./optimizer.ts";

/** Settings of {@linkcode Adam}, with PyTorch's defaults; the step length is 1e-3. */
export interface AdamOptions extends OptimizerOptions {
  /** Decay of the two running means, [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator, 1e-8. */
  readonly eps?: number;
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1). It remembers two running means for each parameter, and the number
 * of steps.
 *
 * @example
 * ```ts
 * import { Adam, compile, Device, Linear, mean, tensor } from "../mod.ts";
 * await Device.open();
 * const net = new Linear(2, 1);
 * const optimizer = new Adam(net.namedParameters(), { lr: 2e-4, betas: [0.5, 0.999] });
 * const step = compile((x) => {
 *   const loss = mean(net.forward(x));
 *   optimizer.minimize(loss);
 *   return loss;
 * });
 * step(tensor([1, 2], [1, 2]));
 * ```
 */
export class Adam extends Optimizer<"exp_avg" | "exp_avg_sq"> {
  /** As f32, which counts to 2^24; by then the corrections it serves are long 1. */
  readonly #count = new Variable(new Float32Array(1), []);
  readonly #betas: readonly [number, number];
  readonly #eps: number;

  /**
   * Starts with means of 0.
   *
   * @param parameters what is trained, by the names that {@linkcode state} uses.
   * @throws {RangeError} where a beta is not in [0, 1).
   */
  constructor(parameters: Readonly<Record<string, Variable>>, options: AdamOptions = {}) {
    const { lr = 1e-3, weightDecay = 0, betas = [0.9, 0.999], eps = 1e-8 } = options;
    super(parameters, { lr, weightDecay, slots: ["exp_avg", "exp_avg_sq"] });
    checkShares("Adam", { "beta 1": betas[0], "beta 2": betas[1] });
    this.#betas = betas;
    this.#eps = eps;
  }

  /** Algorithm 1 of the paper. */
  protected override rule(): UpdateRule<"exp_avg" | "exp_avg_sq"> {
    const [beta1, beta2] = this.#betas;
    const count = add(this.#count, 1);
    this.#count.assign(count);
    const length = div(this.lr, correction(beta1, count));
    const unbias = rsqrt(correction(beta2, count));
    return (gradient, { value, exp_avg, exp_avg_sq }) => {
      const first = runningMean(exp_avg, gradient, { share: beta1 });
      const second = runningMean(exp_avg_sq, square(gradient), { share: beta2 });
      const scale = add(mul(sqrt(second), unbias), this.#eps);
      return {
        value: sub(value, div(mul(first, length), scale)),
        exp_avg: first,
        exp_avg_sq: second,
      };
    };
  }

  /** The variables that a checkpoint must keep: `step`, and `exp_avg.*` and `exp_avg_sq.*` by parameter. */
  override state(): Record<string, Variable> {
    return { step: this.#count, ...super.state() };
  }
}

/**
 * 1 - beta^count, by way of expm1: the power would lose the first digits of what is left of 1, and
 * with them the digits of the first steps' length.
 */
function correction(beta: number, count: Tensor): Tensor {
  return beta === 0 ? add(mul(count, 0), 1) : neg(expm1(mul(count, Math.log(beta))));
}
