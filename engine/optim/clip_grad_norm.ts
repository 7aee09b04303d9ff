import { add, div, minimum, mul, sqrt, square } from "../ops/elementwise.ts";
import { sum } from "../ops/reduce.ts";
import { stack } from "../ops/views.ts";
import type { Tensor } from "../tensor.ts";

/** Gradients whose global norm is bounded. */
export interface ClippedGradients {
  /** In the order in which they were given. */
  readonly gradients: Tensor[];
  /** What the norm was before, a scalar. */
  readonly norm: Tensor;
}

/**
 * Scales gradients down together so that the norm of all of them as one vector is at most `maxNorm`
 * (Pascanu, Mikolov, Bengio 2013, algorithm 1; PyTorch's `clip_grad_norm_`). Shorter ones stay as they are.
 *
 * @throws {RangeError} where `maxNorm` is not above 0.
 *
 * @example
 * ```ts
 * import { assertAlmostEquals } from "@std/assert";
 * import { clipGradNorm, Device, read, tensor } from "../mod.ts";
 * await Device.open();
 * const { gradients, norm } = clipGradNorm([tensor([3]), tensor([4])], { maxNorm: 1 });
 * const [[a], [b], [n]] = await read([...gradients, norm]);
 * assertAlmostEquals(a, 0.6, 1e-5);
 * assertAlmostEquals(b, 0.8, 1e-5);
 * assertAlmostEquals(n, 5, 1e-5);
 * ```
 */
export function clipGradNorm(
  gradients: readonly Tensor[],
  options: { maxNorm: number },
): ClippedGradients {
  const { maxNorm } = options;
  if (!(maxNorm > 0)) {
    throw new RangeError(`Cannot clip gradients to a norm of ${maxNorm}: it must be above 0`);
  }
  const norm = sqrt(sum(stack(gradients.map((gradient) => sum(square(gradient))))));
  const scale = minimum(div(maxNorm, add(norm, 1e-6)), 1);
  return { gradients: gradients.map((gradient) => mul(gradient, scale)), norm };
}
