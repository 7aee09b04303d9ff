import { formatShape, sameShape } from "../dtype.ts";
import type { Module } from "../nn/mod.ts";
import { cast } from "../ops/cast.ts";
import { add, mul, sub } from "../ops/elementwise.ts";
import type { TensorLike } from "../tensor.ts";
import type { Variable } from "../variable.ts";

/**
 * Keeps a second module at the moving average of another's parameters and buffers. Samples of averaged
 * generators are steadier than those of the weights of the moment (Yazıcı et al. 2019).
 *
 * @example
 * ```ts
 * import { ExponentialMovingAverage, HostGenerator, Linear } from "../mod.ts";
 * const build = () => new Linear(2, 1, { generator: new HostGenerator(7) });
 * const net = build(), average = build();
 * const ema = new ExponentialMovingAverage(net, { average });
 * // after each optimiser step, in the same compiled function: ema.update(0.999);
 * ```
 */
export class ExponentialMovingAverage {
  readonly #average: Module;
  readonly #pairs: readonly { average: Variable; source: Variable }[];

  /**
   * Ties an average to its source.
   *
   * @param options.average a module built like `source`, with the same initial weights: it holds the
   * average from then on.
   * @throws {Error} where the modules differ in names or shapes, or share a variable.
   */
  constructor(source: Module, options: { average: Module }) {
    this.#average = options.average;
    const from = source.stateDict(), to = options.average.stateDict();
    const surplus = Object.keys(to).find((name) => !Object.hasOwn(from, name));
    if (surplus !== undefined) throw new Error(`Cannot average: the source has no "${surplus}"`);
    this.#pairs = Object.entries(from).map(([name, variable]) => {
      if (!Object.hasOwn(to, name)) throw new Error(`Cannot average: the average has no "${name}"`);
      const average = to[name];
      if (average === variable || !sameShape(average.shape, variable.shape)) {
        throw new Error(
          `Cannot average "${name}" ${formatShape(variable.shape)} into ` +
            `${formatShape(average.shape)}: another variable of the same shape is needed`,
        );
      }
      return { average, source: variable };
    });
  }

  /**
   * Moves the average towards the source's values here and now. Only inside `compile`.
   *
   * @param decay the share of the old average in the new one, a number or a scalar.
   */
  update(decay: TensorLike): void {
    for (const { average, source } of this.#pairs) {
      const now = source.value;
      average.assign(cast(add(now, mul(sub(average, now), decay)), average.dtype));
    }
  }

  /** The averaged parameters and buffers under the source's names. */
  stateDict(): Record<string, Variable> {
    return this.#average.stateDict();
  }
}
