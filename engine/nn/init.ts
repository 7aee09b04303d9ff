// Initial weights, drawn on the host: the same seed gives the same weights on every machine.

import type { Shape } from "../dtype.ts";
import type { Variable } from "../variable.ts";
import { HostGenerator } from "./host_generator.ts";

/** Where random initial weights are drawn from. */
export interface InitOptions {
  /** Left out, one stream shared by the whole program, of seed 0. */
  readonly generator?: HostGenerator;
}

const shared = new HostGenerator(0);

function fill(variable: Variable, next: () => number): void {
  const data = new Float32Array(variable.size);
  for (let at = 0; at < data.length; at++) data[at] = next();
  variable.set(data);
}

/** Sets every element to 0. */
export function zeros(variable: Variable): void {
  fill(variable, () => 0);
}

/** Sets every element to 1. */
export function ones(variable: Variable): void {
  fill(variable, () => 1);
}

/** Draws every element from a normal distribution, of mean 0 and standard deviation 1. */
export function normal(
  variable: Variable,
  options: InitOptions & { mean?: number; std?: number } = {},
): void {
  const { mean = 0, std = 1, generator = shared } = options;
  fill(variable, () => mean + std * generator.normal());
}

/** Draws every element evenly between two bounds, 0 and 1. */
export function uniform(
  variable: Variable,
  options: InitOptions & { low?: number; high?: number } = {},
): void {
  const { low = 0, high = 1, generator = shared } = options;
  fill(variable, () => low + (high - low) * generator.uniform());
}

/**
 * Draws a weight evenly from -b to b with b = sqrt(6 / ((1 + a^2) * fan in)), which keeps the
 * variance of signals through leaky ReLUs of slope `a` (0) (He et al. 2015, equation 15).
 */
export function kaimingUniform(
  variable: Variable,
  options: InitOptions & { a?: number } = {},
): void {
  const { a = 0, generator } = options;
  const bound = Math.sqrt(6 / ((1 + a * a) * fanIn(variable.shape)));
  uniform(variable, { low: -bound, high: bound, generator });
}

/** The number of inputs that reach an output through a weight [out, in, ...]. */
export function fanIn(shape: Shape): number {
  return shape.slice(1).reduce((product, length) => product * length, 1);
}
