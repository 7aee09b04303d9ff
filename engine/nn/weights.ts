// Weights and biases as PyTorch's layers have them when new.

import { checkShape, type Shape, sizeOf } from "../dtype.ts";
import type { HostGenerator } from "./host_generator.ts";
import * as init from "./init.ts";
import { Parameter } from "./module.ts";

/** What every layer with weights takes. */
export interface WeightOptions {
  /** Whether results are shifted by a learned vector; yes where left out. */
  readonly bias?: boolean;
  /** Where initial weights are drawn from. */
  readonly generator?: HostGenerator;
}

/** A parameter with the same number everywhere. @throws {RangeError} where a length is not whole. */
export function filled(shape: Shape, value: number): Parameter {
  checkShape("make a weight", shape);
  return new Parameter(new Float32Array(sizeOf(shape)).fill(value), shape);
}

/** A weight and, unless switched off, a bias, both uniform within 1 / sqrt(fan in). */
export function weightAndBias(
  shape: Shape,
  outputs: number,
  options: WeightOptions,
): { weight: Parameter; bias: Parameter | undefined } {
  const weight = filled(shape, 0);
  init.kaimingUniform(weight, { a: Math.sqrt(5), generator: options.generator });
  if (options.bias === false) return { weight, bias: undefined };
  const bias = filled([outputs], 0), bound = 1 / Math.sqrt(init.fanIn(shape));
  init.uniform(bias, { low: -bound, high: bound, generator: options.generator });
  return { weight, bias };
}
