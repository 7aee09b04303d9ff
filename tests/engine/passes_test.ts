// The compiler's improvements must not change what is computed: random graphs, with gradients and
// variables, are run with each of them turned off and compared.

import { assertEquals } from "@std/assert";
import type { TypedArray } from "../../engine/mod.ts";
import { Plan } from "../../engine/compile/plan.ts";
import { allPasses, type Passes } from "../../engine/compile/passes.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { breadth } from "../breadth.ts";
import { device } from "./device.ts";
import { sample } from "./random_graphs.ts";

const gpu = await device();

async function run(
  seed: number,
  options: { passes?: Partial<Passes> },
): Promise<TypedArray[]> {
  const { outputs, assignments, variables } = sample(seed, 12);
  const plan = new Plan(gpu, { name: "sample", outputs, assignments }, options);
  plan.run();
  const bytes = await readBuffers(gpu, [
    ...plan.outputs,
    ...variables.map((variable) => variable.bufferOn(gpu)),
  ]);
  plan.destroy();
  variables.forEach((variable) => variable.destroy());
  return bytes.map((b) => new Float32Array(b));
}

/** The largest distance, relative to the largest number. */
function distance(a: TypedArray, b: TypedArray): number {
  let largest = 1e-6, apart = 0;
  a.forEach((value, i) => {
    largest = Math.max(largest, Math.abs(value));
    apart = Math.max(apart, Math.abs(value - b[i]));
  });
  return apart / largest;
}

const GRAPHS = breadth({ gate: 5, all: 15 });

for (const name of Object.keys(allPasses) as (keyof Passes)[]) {
  Deno.test(`${GRAPHS} random graphs give the same with and without "${name}"`, async () => {
    const wrong: string[] = [];
    for (let seed = 1; seed <= GRAPHS; seed++) {
      const on = await run(seed, {});
      const off = await run(seed, { passes: { [name]: false } });
      on.forEach((numbers, k) => {
        const apart = distance(off[k], numbers);
        if (!(apart < 2e-5)) wrong.push(`graph ${seed}, result ${k}: ${apart.toExponential(1)}`);
      });
    }
    assertEquals(wrong, []);
  });
}
