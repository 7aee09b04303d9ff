// Programs of random steps on tensors [2, 3, 4], for tests of what must hold for every program.

import * as kao from "../../engine/mod.ts";
import type { HostGenerator, Tensor } from "../../engine/mod.ts";

type Step = (a: Tensor, b: Tensor) => Tensor;

const STEPS: Readonly<Record<string, Step>> = {
  add: kao.add,
  mul: kao.mul,
  sub: (a, b) => kao.sub(b, a),
  div: (a, b) => kao.div(a, kao.add(kao.square(b), 1)),
  tanh: kao.tanh,
  sigmoid: kao.sigmoid,
  center: (a) => kao.sub(a, kao.mean(a, { dim: 1, keepdim: true })),
  scale: (a, b) => kao.mul(a, kao.norm(b, { dim: [0, 2], keepdim: true })),
  softmax: (a) => kao.softmax(a, { dim: -1 }),
  turn: (a) => kao.reshape(kao.permute(a, [2, 0, 1]), [2, 3, 4]),
  shift: (a) => kao.pad(kao.slice(a, [null, [1, 3]]), [[0, 0], [0, 1], [0, 0]], { value: 0.5 }),
  interleave: (a, b) =>
    kao.concat([kao.slice(a, [null, null, [0, 4, 2]]), kao.slice(b, [null, null, [1, 4, 2]])], {
      dim: 2,
    }),
  product: (a, b) => kao.matmul(kao.matmul(a, b, { transposeB: true }), b),
  flip: (a) => kao.flip(a, [1]),
  normalise: (a) => kao.batchNorm(a).output,
};

/** One step: an op on the latest value and on the value number `b`. */
export interface ProgramStep {
  readonly name: string;
  readonly b: number;
}

/** A chain of steps, each of which may also read any earlier value. */
export function randomProgram(
  generator: HostGenerator,
  options: { length: number; inputs: number },
): ProgramStep[] {
  const pick = (count: number): number => Math.floor(generator.uniform() * count);
  const names = Object.keys(STEPS);
  return Array.from({ length: options.length }, (_, at) => ({
    name: names[pick(names.length)],
    b: pick(options.inputs + at),
  }));
}

/** What a step gives; squashed, so that chains stay within bounds. */
export function apply(step: ProgramStep, values: readonly Tensor[]): Tensor {
  return kao.tanh(STEPS[step.name](values[values.length - 1], values[step.b]));
}

/** The last value of a program. */
export function run(steps: readonly ProgramStep[], inputs: readonly Tensor[]): Tensor {
  const values = [...inputs];
  for (const step of steps) values.push(apply(step, values));
  return values[values.length - 1];
}
