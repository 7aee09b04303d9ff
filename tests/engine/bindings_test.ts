// What a plan's dispatches are bound to: groups that they share, and layouts that tell how much there is at least.

import { assert, assertAlmostEquals, assertEquals, assertNotStrictEquals } from "@std/assert";
import { matmul, reshape, tanh, type Tensor, tensor } from "../../engine/mod.ts";
import { Plan } from "../../engine/compile/plan.ts";
import { Device } from "../../engine/runtime/device.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { device } from "./device.ts";

const gpu = await device();

/** How often a device was asked to make something while `fn` ran. */
function countCalls(name: "createBindGroup" | "createPipelineLayout", fn: () => void): number {
  const { prototype } = GPUDevice, original = prototype[name] as (...args: unknown[]) => unknown;
  let calls = 0;
  const counting = function (this: GPUDevice, ...args: unknown[]): unknown {
    calls++;
    return original.apply(this, args);
  };
  Object.assign(prototype, { [name]: counting });
  try {
    fn();
  } finally {
    Object.assign(prototype, { [name]: original });
  }
  return calls;
}

const STEPS = 6, SIZE = 8;
const WEIGHT = Array.from({ length: SIZE * SIZE }, (_, at) => Math.cos(at * at) / 2);

/** Kernels that wait for each other: each step's are those of the step before, on what it left. */
function chain(x: Tensor): Tensor {
  const weight = reshape(tensor(WEIGHT), [SIZE, SIZE]);
  for (let step = 0; step < STEPS; step++) x = tanh(matmul(x, weight));
  return x;
}

/** The same in numbers. */
function expected(numbers: readonly number[]): number[] {
  let x = [...numbers];
  for (let step = 0; step < STEPS; step++) {
    x = x.map((_, at) => {
      const row = at - at % SIZE, column = at % SIZE;
      let total = 0;
      for (let k = 0; k < SIZE; k++) total += x[row + k] * WEIGHT[k * SIZE + column];
      return Math.tanh(total);
    });
  }
  return x;
}

Deno.test("dispatches that are bound to the same share a group, and each finds its own places", async () => {
  const numbers = Array.from({ length: SIZE * SIZE }, (_, at) => Math.sin(at));
  const x = reshape(tensor(numbers), [SIZE, SIZE]);
  const program = { name: "chain", outputs: [chain(x)], assignments: new Map() };
  // In memory that is used again, many dispatches would find things where others did.
  const passes = { inPlace: false, reuse: false };
  let plan: Plan | undefined;
  const groups = countCalls("createBindGroup", () => {
    plan = new Plan(gpu, program, { passes, target: { cpu: true, subgroups: undefined } });
  });
  try {
    plan!.run();
    const [bytes] = await readBuffers(gpu, [plan!.outputs[0]]);
    await gpu.settled();
    const wanted = expected(numbers);
    new Float32Array(bytes).forEach((value, at) => assertAlmostEquals(value, wanted[at], 1e-4));
    const count = plan!.dispatches.length;
    assert(count >= 2 * STEPS, `${count} dispatches`);
    // Those of the first and the last step are bound to buffers, too; where there are only buffers, all differ.
    if (gpu.images) assert(groups <= count / 2, `${groups} groups of ${count} dispatches`);
  } finally {
    plan!.destroy();
  }
});

Deno.test("kernels of the same bindings have one layout, and are bound to as much as each of them needs", async () => {
  const device = await Device.open();
  const code = (type: string, value: string) =>
    `@group(0) @binding(0) var<storage, read_write> x: array<${type}>;
    @compute @workgroup_size(1) fn main() { x[0] = ${value}; }`;
  const label = "a test",
    buffers = [16, 16, 4].map((bytes) => device.createBuffer(bytes, { purpose: label }));
  const writers = [
    { code: code("vec4f", "vec4f(1.0, 2.0, 3.0, 4.0)"), kinds: ["memory 16"], buffer: buffers[0] },
    { code: code("f32", "5.0"), kinds: ["memory 16"], buffer: buffers[1] },
    { code: code("f32", "6.0"), kinds: ["memory 4"], buffer: buffers[2] },
  ] as const;
  const encoder = device.encoder(), pass = encoder.beginComputePass();
  const layouts = countCalls(
    "createPipelineLayout",
    () =>
      writers.forEach(({ code, kinds, buffer }) => {
        pass.setPipeline(device.pipeline(code, { label, kinds }));
        pass.setBindGroup(0, device.bindGroup([{ buffer }], { label, kinds }));
        pass.dispatchWorkgroups(1);
      }),
  );
  pass.end();
  device.queue.submit([encoder.finish()]);
  const read = await readBuffers(device, buffers);
  await device.settled();
  assertEquals(read.map((bytes) => [...new Float32Array(bytes)]), [
    [1, 2, 3, 4],
    [5, 0, 0, 0],
    [6],
  ]);
  assertEquals(layouts, 2);
  // A shader that is bound to less is another pipeline: layouts that differ do not go together.
  const [small, large] = (["memory 4", "memory 16"] as const).map((kind) =>
    device.pipeline(code("f32", "5.0"), { label, kinds: [kind] })
  );
  assertNotStrictEquals(small, large);
  await device.idle();
  device.destroy();
});
