import { grad } from "../grad.ts";
import { add, detach, div, expm1, mul, neg, rsqrt, sqrt, square, sub } from "../ops/elementwise.ts";
import type { Tensor } from "../tensor.ts";
import { Variable } from "../variable.ts";

/** Settings of {@linkcode Adam}, with PyTorch's defaults. */
export interface AdamOptions {
  /** Step length, 1e-3; a variable can be changed while a compiled step runs. */
  readonly lr?: number | Variable;
  /** Decay of the two running means, [0.9, 0.999]. */
  readonly betas?: readonly [number, number];
  /** Added to the denominator, 1e-8. */
  readonly eps?: number;
  /** The share of the parameter that is added to its gradient, 0. */
  readonly weightDecay?: number;
}

interface Moments {
  readonly parameter: Variable;
  readonly first: Variable;
  readonly second: Variable;
}

/**
 * Adam (Kingma & Ba 2015, algorithm 1). Everything it remembers, the number of steps too, is in
 * variables, so a compiled step needs nothing from the host.
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
export class Adam {
  readonly #moments: Readonly<Record<string, Moments>>;
  /** As f32, which counts to 2^24; by then the corrections it serves are long 1. */
  readonly #count = new Variable(new Float32Array(1), []);
  readonly #options: Required<AdamOptions>;

  /**
   * @param parameters what is trained, by the names that {@linkcode state} uses.
   * @throws {RangeError} where a beta is not in [0, 1).
   */
  constructor(parameters: Readonly<Record<string, Variable>>, options: AdamOptions = {}) {
    this.#options = {
      lr: options.lr ?? 1e-3,
      betas: options.betas ?? [0.9, 0.999],
      eps: options.eps ?? 1e-8,
      weightDecay: options.weightDecay ?? 0,
    };
    for (const beta of this.#options.betas) {
      if (!(beta >= 0 && beta < 1)) {
        throw new RangeError(`Cannot run Adam with beta ${beta}: not in [0, 1)`);
      }
    }
    this.#moments = Object.fromEntries(
      Object.entries(parameters).map(([name, parameter]) => {
        const zeros = () => new Variable(new Float32Array(parameter.size), parameter.shape);
        return [name, { parameter, first: zeros(), second: zeros() }];
      }),
    );
  }

  /**
   * One step against the gradient of `loss`. Only inside `compile`.
   *
   * @throws {Error} where a parameter has no part in the loss.
   */
  minimize(loss: Tensor): void {
    this.step(grad(loss, Object.values(this.#moments).map(({ parameter }) => parameter)));
  }

  /**
   * One step against given gradients, one a parameter in the order of the constructor's record. Only
   * inside `compile`.
   *
   * @throws {RangeError} where there are more or fewer of them.
   */
  step(gradients: readonly Tensor[]): void {
    const moments = Object.values(this.#moments);
    if (gradients.length !== moments.length) {
      throw new RangeError(
        `Cannot step ${moments.length} parameters by ${gradients.length} gradients`,
      );
    }
    const { lr, betas: [beta1, beta2], eps, weightDecay } = this.#options;
    const count = add(this.#count, 1);
    this.#count.assign(count);
    const length = div(lr, correction(beta1, count));
    const unbias = rsqrt(correction(beta2, count));
    moments.forEach(({ parameter, first, second }, i) => {
      // Constants from here on: a later loss in the same function must not be differentiated through
      // this step, back into whatever its gradients were computed from.
      const gradient = detach(gradients[i]), value = detach(parameter);
      const g = weightDecay === 0 ? gradient : add(gradient, mul(value, weightDecay));
      const m = add(mul(first, beta1), mul(g, 1 - beta1));
      const v = add(mul(second, beta2), mul(square(g), 1 - beta2));
      first.assign(m);
      second.assign(v);
      parameter.assign(
        sub(value, div(mul(m, length), add(mul(sqrt(v), unbias), eps))),
      );
    });
  }

  /** The variables that a checkpoint must keep: `step`, and `exp_avg.*` and `exp_avg_sq.*` by parameter. */
  state(): Record<string, Variable> {
    const state: Record<string, Variable> = { step: this.#count };
    for (const [name, { first, second }] of Object.entries(this.#moments)) {
      state[`exp_avg.${name}`] = first;
      state[`exp_avg_sq.${name}`] = second;
    }
    return state;
  }
}

/**
 * 1 - beta^count, by way of expm1: the power would lose the first digits of what is left of 1, and
 * with them the digits of the first steps' length.
 */
function correction(beta: number, count: Tensor): Tensor {
  return beta === 0 ? add(mul(count, 0), 1) : neg(expm1(mul(count, Math.log(beta))));
}
