// What all optimisers share: parameters, what is remembered for each of them, and the round of a step.

import { grad } from "../grad.ts";
import { cast } from "../ops/cast.ts";
import { add, mul } from "../ops/elementwise.ts";
import type { Tensor } from "../tensor.ts";
import { Variable } from "../variable.ts";

/** Settings of every optimiser. */
export interface OptimizerOptions {
  /** Step length; a variable can be changed while a compiled step runs. */
  readonly lr?: number | Variable;
  /** The share of the parameter that is added to its gradient, 0. */
  readonly weightDecay?: number;
}

/** A parameter and what is remembered of it, as they are or as they shall be. */
export type ParameterState<Slot extends string> = Record<Slot | "value", Tensor>;

/** How one parameter and its slots change by its gradient. */
export type UpdateRule<Slot extends string> = (
  gradient: Tensor,
  state: ParameterState<Slot>,
) => ParameterState<Slot>;

interface Entry<Slot extends string> {
  readonly parameter: Variable;
  readonly slots: Readonly<Record<Slot, Variable>>;
}

/**
 * Moves parameters against the gradients of a loss. Everything it remembers is in variables, so a compiled
 * step needs nothing from the host.
 */
export abstract class Optimizer<Slot extends string = string> {
  /** Step length. */
  protected readonly lr: number | Variable;
  readonly #weightDecay: number;
  readonly #entries: Readonly<Record<string, Entry<Slot>>>;

  /**
   * Starts with everything that is remembered at 0.
   *
   * @param parameters what is trained, by the names that {@linkcode state} uses.
   * @param options.slots what is remembered for each parameter, by PyTorch's names.
   */
  protected constructor(
    parameters: Readonly<Record<string, Variable>>,
    options: Required<OptimizerOptions> & { readonly slots: readonly Slot[] },
  ) {
    this.lr = options.lr;
    this.#weightDecay = options.weightDecay;
    this.#entries = Object.fromEntries(
      Object.entries(parameters).map(([name, parameter]) => {
        const zeros = (): Variable =>
          new Variable(new Float32Array(parameter.size), parameter.shape);
        const slots = Object.fromEntries(options.slots.map((slot) => [slot, zeros()]));
        return [name, { parameter, slots: slots as Record<Slot, Variable> }];
      }),
    );
  }

  /** Called once a step, before any parameter moves: the rule by which all of them will. */
  protected abstract rule(): UpdateRule<Slot>;

  /** What it moves, in the order in which {@linkcode step} wants the gradients. */
  get parameters(): readonly Variable[] {
    return Object.values(this.#entries).map(({ parameter }) => parameter);
  }

  /**
   * One step against the gradient of `loss`. Only inside `compile`.
   *
   * @throws {Error} where a parameter has no part in the loss.
   */
  minimize(loss: Tensor): void {
    this.step(grad(loss, this.parameters));
  }

  /**
   * One step against given gradients, one a parameter in the order of the constructor's record. Only
   * inside `compile`.
   *
   * @throws {RangeError} where there are more or fewer of them.
   */
  step(gradients: readonly Tensor[]): void {
    const entries = Object.values(this.#entries);
    if (gradients.length !== entries.length) {
      throw new RangeError(
        `Cannot step ${entries.length} parameters by ${gradients.length} gradients`,
      );
    }
    const update = this.rule();
    entries.forEach(({ parameter, slots }, i) => {
      const variables: Record<string, Variable> = { ...slots, value: parameter };
      const now = Object.fromEntries(Object.entries(variables).map(([k, v]) => [k, v.value]));
      const gradient = this.#weightDecay === 0
        ? gradients[i]
        : add(gradients[i], mul(parameter, this.#weightDecay));
      const next: Record<string, Tensor> = update(gradient, now as ParameterState<Slot>);
      for (const [name, variable] of Object.entries(variables)) {
        variable.assign(cast(next[name], variable.dtype));
      }
    });
  }

  /** The variables that a checkpoint must keep, named by slot and parameter: `exp_avg.fc.bias`. */
  state(): Record<string, Variable> {
    return Object.fromEntries(
      Object.entries(this.#entries).flatMap(([name, { slots }]) =>
        Object.entries<Variable>(slots).map(([slot, variable]) => [`${slot}.${name}`, variable])
      ),
    );
  }
}

/**
 * Checks settings that are shares.
 *
 * @throws {RangeError} where one is not in [0, 1).
 */
export function checkShares(optimizer: string, shares: Readonly<Record<string, number>>): void {
  for (const [name, share] of Object.entries(shares)) {
    if (!(share >= 0 && share < 1)) {
      throw new RangeError(`Cannot run ${optimizer} with ${name} = ${share}: not in [0, 1)`);
    }
  }
}

/** The running mean `old`, with `share` of it kept, after another value. */
export function runningMean(old: Tensor, value: Tensor, { share }: { share: number }): Tensor {
  return add(mul(old, share), mul(value, 1 - share));
}
