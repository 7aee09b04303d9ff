// Cases for tests of the compiler's improvements: what a plan computes must not depend on them.

import { assert, assertEquals } from "@std/assert";
import { grad, HostGenerator, square, sum, type Tensor, Variable } from "../../engine/mod.ts";
import type { Program } from "../../engine/compile/lower.ts";
import type { Passes } from "../../engine/compile/passes.ts";
import { Plan } from "../../engine/compile/plan.ts";
import { type TypedArray, typedArray } from "../../engine/dtype.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { withBindings } from "../../engine/variable.ts";
import { randomProgram, run as runProgram } from "../gradients/random_programs.ts";
import { device } from "./device.ts";

const gpu = await device();

/** Makes variables with the same numbers each time. */
export class Source {
  readonly variables: Variable[] = [];
  readonly #generator = new HostGenerator(5);

  variable(...shape: number[]): Variable {
    const size = shape.reduce((a, b) => a * b, 1);
    const numbers = Float32Array.from({ length: size }, () => this.#generator.normal());
    const variable = new Variable(numbers, shape);
    this.variables.push(variable);
    return variable;
  }

  tensor(...shape: number[]): Tensor {
    return this.variable(...shape).value;
  }
}

/** What a case computes, besides the variables that it assigns. */
export type Case = (source: Source) => readonly Tensor[];

/** Random programs with their gradients. */
export function randomCases(seed: number, { count }: { count: number }): Case[] {
  const generator = new HostGenerator(seed);
  return Array.from({ length: count }, (): Case => {
    const steps = randomProgram(generator, { length: 10, inputs: 2 });
    return (s) => {
      const inputs = [s.tensor(2, 3, 4), s.tensor(2, 3, 4)], y = runProgram(steps, inputs);
      return [y, ...grad(sum(square(y)), inputs, { unused: "zeros" })];
    };
  });
}

export function trace(make: Case): Program & { variables: readonly Variable[] } {
  const source = new Source(), assignments = new Map<Variable, Tensor>();
  const outputs = withBindings(assignments, () => make(source));
  const variables = [...new Set([...source.variables, ...assignments.keys()])];
  return { name: "case", outputs, assignments, variables };
}

/** Runs a case; gives the numbers of all results and variables, and the kernels that made them. */
async function run(
  make: Case,
  options: { variant?: string; passes?: Partial<Passes> },
): Promise<{ numbers: TypedArray[]; kernels: string[] }> {
  const { variables, ...program } = trace(make);
  const plan = new Plan(gpu, program, options);
  plan.run();
  const buffers = [...plan.outputs, ...variables.map((v) => v.bufferOn(gpu))];
  const made = [...program.outputs, ...variables];
  const numbers = (await readBuffers(gpu, buffers))
    .map((bytes, k) => typedArray(bytes, made[k].size, made[k].dtype));
  const kernels = plan.dispatches.map(({ kernel, variant }) => `${kernel} ${variant}`);
  plan.destroy();
  variables.forEach((variable) => variable.destroy());
  return { numbers, kernels };
}

/** Runs a case with and without an improvement, whose results must be the same; gives both lists of kernels. */
export async function compareWithout(
  pass: keyof Passes,
  make: Case,
  { variant, passes = {} }: { variant?: string; passes?: Partial<Passes> } = {},
): Promise<{ on: string[]; off: string[] }> {
  const on = await run(make, { variant, passes });
  const off = await run(make, { variant, passes: { ...passes, [pass]: false } });
  const what = `${variant}: ${on.kernels} instead of ${off.kernels}`;
  // Compilers of GPUs may join multiplications and additions, and not the same in both.
  if (gpu.adapter.cpu) assertEquals(on.numbers, off.numbers, what);
  else assert(distance(on.numbers, off.numbers) < 1e-5, what);
  return { on: on.kernels, off: off.kernels };
}

/** The largest distance, relative to each result's largest number. */
function distance(got: readonly TypedArray[], want: readonly TypedArray[]): number {
  return Math.max(...got.map((numbers, k) => {
    let largest = 1e-6, apart = 0;
    want[k].forEach((value, i) => {
      largest = Math.max(largest, Math.abs(value));
      apart = Math.max(apart, Math.abs(value - numbers[i]));
    });
    return apart / largest;
  }));
}
