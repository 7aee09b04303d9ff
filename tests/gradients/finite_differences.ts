// Derivatives by finite differences: what the engine's own are measured against.

import {
  add,
  grad,
  type HostGenerator,
  mul,
  read,
  sum,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";

/** A function of tensors, and how its inputs are drawn. */
export interface Subject {
  readonly name: string;
  readonly fn: (...inputs: Tensor[]) => Tensor;
  readonly inputs: readonly InputSpec[];
  /** Whether the first derivative varies, so that there is a second one to check. Yes where left out. */
  readonly curved?: boolean;
}

/** Random numbers of a shape. */
export interface InputSpec {
  readonly shape: readonly number[];
  readonly draw: (size: number, generator: HostGenerator) => number[];
}

/** Between two bounds. */
export function between(shape: readonly number[], low: number, high: number): InputSpec {
  return {
    shape,
    draw: (size, generator) =>
      Array.from({ length: size }, () => low + (high - low) * generator.uniform()),
  };
}

/** All at least 0.2 from each other and 0.1 from 0, for functions with kinks. */
export function apart(shape: readonly number[]): InputSpec {
  return {
    shape,
    draw(size, generator) {
      const places = Array.from({ length: size }, (_, i) => ({
        value: (i - size / 2 + 0.5 + (size % 2) / 2) * 0.2,
        order: generator.uniform(),
      }));
      return places.sort((a, b) => a.order - b.order).map(({ value }) => value);
    },
  };
}

/** The step of the differences: rounding adds some 1e-7 / STEP, leaving out terms some STEP^4. */
const STEP = 0.01;

/** Places along the direction and their weights: the fourth-order central difference. */
const STENCIL = [[-2, 1], [-1, -8], [1, 8], [2, -1]] as const;

/** A directional derivative by the engine and by differences, and the size errors are relative to. */
export interface Comparison {
  readonly order: 1 | 2;
  readonly computed: number;
  readonly differences: number;
  readonly scale: number;
}

/**
 * Compares, along a random direction of all inputs at once, the first derivative of a random weighting
 * of the results, and the second: the first derivative of a random weighting of the gradients.
 */
export async function compareDerivatives(
  subject: Subject,
  generator: HostGenerator,
): Promise<Comparison[]> {
  const { fn, inputs } = subject;
  const sizes = inputs.map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const values = inputs.map(({ draw }, i) => draw(sizes[i], generator));
  const signs = (size: number): number[] =>
    Array.from({ length: size }, () => 2 * generator.uniform() - 1);
  const direction = sizes.map(signs), weights = sizes.map(signs);
  const at = (distance: number): Tensor[] =>
    values.map((numbers, i) =>
      tensor(numbers.map((x, j) => x + distance * STEP * direction[i][j]), inputs[i].shape)
    );

  const points = [[0, 0] as const, ...STENCIL].map(([place]) => at(place));
  const results = points.map((point) => fn(...point));
  const cotangent = signs(results[0].size), cotangentTensor = tensor(cotangent, results[0].shape);
  const gradients = points.map((point, k) =>
    grad(results[k], point, { cotangent: cotangentTensor, unused: "zeros" })
  );
  const wanted = [...results, ...gradients.flat()];
  if (subject.curved !== false) {
    const weighted = gradients[0].map((g, i) => sum(mul(g, tensor(weights[i], inputs[i].shape))));
    wanted.push(...grad(weighted.reduce((a, b) => add(a, b)), points[0], { unused: "zeros" }));
  }
  const numbers = await read(wanted);
  const take = (count: number): ArrayLike<number>[] => numbers.splice(0, count);

  const heights = take(points.length).map((y) => dot(y, cotangent));
  const slopes = points.map(() => take(inputs.length));
  const second = numbers.length > 0 ? take(inputs.length) : undefined;
  const derivative = (f: readonly number[]): number =>
    STENCIL.reduce((total, [, weight], k) => total + weight * f[k + 1], 0) / (12 * STEP);
  const along = (parts: readonly ArrayLike<number>[], other: readonly number[][]): number =>
    parts.reduce((total, part, i) => total + dot(part, other[i]), 0);
  const length = (parts: readonly ArrayLike<number>[]): number =>
    Math.sqrt(parts.reduce((total, part) => total + dot(part, part), 0));

  const first: Comparison = {
    order: 1,
    computed: along(slopes[0], direction),
    differences: derivative(heights),
    scale: Math.max(length(slopes[0]), Math.abs(heights[0]), 0.1),
  };
  if (second === undefined) return [first];
  return [first, {
    order: 2,
    computed: along(second, direction),
    differences: derivative(slopes.map((slope) => along(slope, weights))),
    scale: Math.max(length(second), length(slopes[0]), 0.1),
  }];
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += a[i] * b[i];
  return total;
}
