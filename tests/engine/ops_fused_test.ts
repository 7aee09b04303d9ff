import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  add,
  compile,
  Device,
  HostGenerator,
  mul,
  read,
  type Tensor,
  tensor,
  type TypedArray,
  Variable,
} from "../../engine/mod.ts";
import { breadth } from "../breadth.ts";
import { apply, type ProgramStep, randomProgram } from "../gradients/random_programs.ts";

await Device.open();

const SHAPE = [2, 3, 4], INPUTS = 3, LENGTH = 12;

/** Every third step, the latest value goes into one of the variables. */
const assigned = (at: number): number | undefined =>
  at % 3 === 2 ? (at / 3 | 0) % INPUTS : undefined;

/** The program as one compiled function of state: what is assigned is read by later steps and calls. */
function fused(steps: readonly ProgramStep[], variables: readonly Variable[]): () => Tensor {
  return compile(() => {
    const values: Tensor[] = variables.map((variable) => variable.value);
    steps.forEach((step, at) => {
      values.push(apply(step, values));
      const target = assigned(at);
      if (target !== undefined) {
        const variable = variables[target];
        variable.assign(mul(add(variable.value, values[values.length - 1]), 0.5));
        values[target] = variable.value;
      }
    });
    return values[values.length - 1];
  });
}

/** The same, every op read back before the next, so that nothing can be fused or overwritten. */
async function oneByOne(steps: readonly ProgramStep[], state: TypedArray[]): Promise<TypedArray> {
  const evaluate = async (x: Tensor): Promise<TypedArray> => (await read([x]))[0];
  const values = state.map((data) => tensor(data, SHAPE));
  for (const [at, step] of steps.entries()) {
    values.push(tensor(await evaluate(apply(step, values)), SHAPE));
    const target = assigned(at);
    if (target !== undefined) {
      const sum = add(values[target], values[values.length - 1]);
      state[target] = await evaluate(mul(sum, 0.5));
      values[target] = tensor(state[target], SHAPE);
    }
  }
  return await evaluate(values[values.length - 1]);
}

Deno.test("random programs on variables give, compiled, what their ops give one by one", async () => {
  const generator = new HostGenerator(11);
  for (let trial = 0; trial < breadth({ gate: 4, all: 12 }); trial++) {
    const steps = randomProgram(generator, { length: LENGTH, inputs: INPUTS });
    const state: TypedArray[] = Array.from(
      { length: INPUTS },
      () => Float32Array.from({ length: 24 }, () => generator.normal()),
    );
    const variables = state.map((data) => new Variable(data, SHAPE));
    const program = fused(steps, variables);
    for (let call = 0; call < 2; call++) {
      const [result, ...after] = await read([program(), ...variables]);
      const expected = [await oneByOne(steps, state), ...state];
      const name = `${steps.map(({ name, b }) => `${name}(${b})`).join(" ")}, call ${call}`;
      [result, ...after].forEach((numbers, k) => {
        assertEquals(numbers.length, expected[k].length);
        numbers.forEach((value, i) => assertAlmostEquals(value, expected[k][i], 2e-5, name));
      });
    }
  }
});
