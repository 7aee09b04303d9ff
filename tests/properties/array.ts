// Plain arrays of float64 numbers with a shape, on which references are written as loops over coordinates.

import { sizeOf } from "../../engine/mod.ts";

/** Numbers in row-major order. */
export interface Reference {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number>;
}

/** An array whose element at each place is what `element` says. */
export function build(
  shape: readonly number[],
  element: (at: readonly number[]) => number,
): Reference {
  const data = new Float64Array(sizeOf(shape)), at = shape.map(() => 0);
  for (let i = 0; i < data.length; i++) {
    data[i] = element(at);
    for (let axis = shape.length - 1; axis >= 0 && ++at[axis] === shape[axis]; axis--) at[axis] = 0;
  }
  return { shape, data };
}

/** The element at a place of a shape that `x` is broadcast to. */
export function at({ shape, data }: Reference, place: readonly number[]): number {
  const skipped = place.length - shape.length;
  return data[
    shape.reduce((offset, n, axis) => offset * n + (n === 1 ? 0 : place[axis + skipped]), 0)
  ];
}

/** Folds axes, which stay with length 1. */
export function fold(
  x: Reference,
  dims: readonly number[],
  options: { initial: number; combine: (total: number, value: number) => number },
): Reference {
  const shape = x.shape.map((n, axis) => dims.includes(axis) ? 1 : n);
  const totals = new Float64Array(sizeOf(shape)).fill(options.initial);
  build(x.shape, (place) => {
    const target = shape.reduce((offset, n, axis) => offset * n + (n === 1 ? 0 : place[axis]), 0);
    totals[target] = options.combine(totals[target], at(x, place));
    return 0;
  });
  return { shape, data: totals };
}

/** The length of all numbers as one vector. */
export function lengthOf(numbers: ArrayLike<number>): number {
  let squares = 0;
  for (let i = 0; i < numbers.length; i++) squares += numbers[i] ** 2;
  return Math.sqrt(squares);
}

/**
 * The length of the difference over that of the reference, or over `least` where that is longer: what a sum
 * cancels to says little of how exact it can be.
 */
export function errorOf(
  got: ArrayLike<number>,
  want: ArrayLike<number>,
  options: { least?: number } = {},
): number {
  if (got.length !== want.length) return Infinity;
  const difference = lengthOf(Float64Array.from(want, (value, i) => got[i] - value));
  const error = difference / Math.max(lengthOf(want), options.least ?? 0, Number.MIN_VALUE);
  return Number.isNaN(error) ? Infinity : error;
}
