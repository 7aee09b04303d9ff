// Derivatives: each op's rule, from the result back to the inputs. What comes out is made of ops.

import { formatShape, sameShape } from "./dtype.ts";
import { asDerivative } from "./debug.ts";
import { add } from "./ops/elementwise.ts";
import { full } from "./ops/source.ts";
import { Tensor } from "./tensor.ts";
import type { Variable } from "./variable.ts";

/** Settings of {@linkcode grad}. */
export interface GradOptions {
  /** The gradient of the final scalar for `output`; ones where left out, which needs a scalar output. */
  readonly cotangent?: Tensor;
  /** What to do with inputs that `output` does not depend on: refuse (the default), or give zeros. */
  readonly unused?: "error" | "zeros";
}

/**
 * Gradients of `output` for each of `inputs`, as tensors that can be differentiated again.
 *
 * Variables stand for their value here and now: take gradients before assigning.
 *
 * @throws {RangeError} where `output` is not a scalar and no cotangent is given.
 * @throws {Error} where an input does not contribute, unless `unused` is `"zeros"`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { Device, grad, mul, read, tensor } from "./mod.ts";
 * await Device.open();
 * const x = tensor(3);
 * const [slope] = grad(mul(x, mul(x, x)), [x]);
 * const [curvature] = grad(slope, [x]);
 * assertEquals((await read([slope, curvature])).map(([value]) => value), [27, 18]);
 * ```
 */
export function grad(
  output: Tensor,
  inputs: readonly (Tensor | Variable)[],
  options: GradOptions = {},
): Tensor[] {
  const targets = inputs.map((input) => input instanceof Tensor ? input : input.value);
  const path = dependents(output, targets);
  const gradients = new Map<Tensor, Tensor>([[output, seed(output, options.cotangent)]]);
  // Consumers have larger ids than what they read, so descending ids visit each node complete.
  for (const node of [...path].sort((a, b) => b.id - a.id)) {
    const gradient = gradients.get(node);
    if (gradient === undefined || node.op.derivative === undefined) continue;
    const { derivative, name } = node.op;
    const partials = asDerivative(name, node.origin, () => derivative(gradient, node));
    node.inputs.forEach((input, i) => {
      const partial = partials[i];
      if (partial === null || !path.has(input)) return;
      const sum = gradients.get(input);
      gradients.set(input, sum === undefined ? partial : add(sum, partial));
    });
  }
  return targets.map((target, i) => {
    const found = gradients.get(target);
    if (found !== undefined) return found;
    if (options.unused === "zeros") return full(target.shape, 0);
    throw new Error(
      `Cannot differentiate ${output} for input ${i} (${target}): it does not depend on it. ` +
        `Pass unused: "zeros" where that is meant`,
    );
  });
}

/** Whether a tensor is computed from another, or from a variable as it is here and now, by differentiable ops. */
export function dependsOn(output: Tensor, input: Tensor | Variable): boolean {
  const target = input instanceof Tensor ? input : input.value;
  return dependents(output, [target]).has(output);
}

function seed(output: Tensor, cotangent: Tensor | undefined): Tensor {
  if (output.dtype !== "f32") {
    throw new TypeError(`Cannot differentiate ${output}: only f32 has derivatives`);
  }
  if (cotangent === undefined) {
    if (output.size !== 1) {
      throw new RangeError(
        `Cannot differentiate ${output} without a cotangent: only a scalar has a gradient`,
      );
    }
    return full(output.shape, 1);
  }
  if (!sameShape(cotangent.shape, output.shape) || cotangent.dtype !== "f32") {
    throw new RangeError(
      `Cannot differentiate ${output} with a cotangent ${cotangent.dtype} ` +
        `${formatShape(cotangent.shape)}: f32 of the same shape is needed`,
    );
  }
  return cotangent;
}

/** The nodes between `targets` and `output`: only they get gradients, so nothing unneeded is built. */
function dependents(output: Tensor, targets: readonly Tensor[]): Set<Tensor> {
  const first = Math.min(...targets.map((target) => target.id));
  const wanted = new Set(targets);
  const decided = new Map<Tensor, boolean>();
  const stack: Tensor[] = [output];
  while (stack.length > 0) {
    const node = stack[stack.length - 1];
    if (decided.has(node)) {
      stack.pop();
      continue;
    }
    if (node.id < first) {
      decided.set(node, false);
      continue;
    }
    const open = node.inputs.filter((input) => !decided.has(input));
    if (open.length > 0) {
      stack.push(...open);
      continue;
    }
    const leads = node.op.derivative !== undefined && node.inputs.some((x) => decided.get(x));
    decided.set(node, wanted.has(node) || leads);
  }
  return new Set([...decided].flatMap(([node, leads]) => leads ? [node] : []));
}
