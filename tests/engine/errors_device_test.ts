// What goes wrong on the device is said in the engine's words: which kernel, what for, what to do.

import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  Adam,
  add,
  compile,
  Device,
  expand,
  grad,
  HostGenerator,
  Linear,
  mean,
  mul,
  read,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  Variable,
} from "../../engine/mod.ts";

const messageOf = async (run: () => unknown): Promise<string> => {
  try {
    await run();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("Nothing was thrown");
};

Deno.test("a shader that is invalid is named, with its variant, from then on", async () => {
  const gpu = await Device.open();
  const label = "step#3 conv2d [image 8x8] 1x3x8x8";
  gpu.pipeline("@compute @workgroup_size(1) fn main() { let x: f32 = 1u; }", { label, kinds: [] });
  const message = await messageOf(() => gpu.idle());
  assertEquals(message.startsWith(`Kernel ${label} is invalid: `), true, message);
  assertEquals(message.includes("`f32`"), true, message);
  assertEquals(await messageOf(() => gpu.check()), message);
  gpu.destroy();
  assertEquals(await messageOf(() => gpu.check()), message);
});

Deno.test("bindings that are invalid are named by their kernel", async () => {
  const gpu = await Device.open();
  const buffer = gpu.createBuffer(512, { purpose: "a test" });
  gpu.bindGroup([{ buffer, offset: 4 }], {
    label: "step#4 reduce [sum, a thread each] 64 -> 1",
    kinds: ["memory 4"],
  });
  const message = await messageOf(() => gpu.idle());
  const start = "Kernel step#4 reduce [sum, a thread each] 64 -> 1 is invalid: ";
  assertEquals(message.startsWith(start), true, message);
  gpu.destroy();
});

Deno.test("a dispatch that is invalid is named by its pipeline's label", async () => {
  const gpu = await Device.open();
  const code = `@group(0) @binding(0) var<storage, read_write> b: array<f32>;
    @compute @workgroup_size(1) fn main() { b[0] = 1.0; }`;
  const pipeline = gpu.pipeline(code, { label: "step#5 pointwise [add] 8", kinds: ["memory 4"] });
  const encoder = gpu.encoder(), pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.dispatchWorkgroups(1);
  pass.end();
  gpu.queue.submit([encoder.finish()]);
  const message = await messageOf(() => gpu.idle());
  assertEquals(message.includes("step#5 pointwise [add] 8"), true, message);
  gpu.destroy();
});

Deno.test("too large a buffer is refused with its size, its purpose, and what to lower", async () => {
  const gpu = await Device.open();
  assertThrows(
    () => gpu.createBuffer(2 ** 50, { purpose: "intermediate values of plan step" }),
    RangeError,
    "Cannot allocate 1073741824.0 MiB for intermediate values of plan step: a buffer of ",
  );
  const before = gpu.memory;
  // A result of 2^41 bytes: no adapter has that.
  const shape = [...new Array<number>(19).fill(2), 2 ** 20];
  const repeated = expand(tensor(new Float32Array(2 ** 20)), shape);
  const error = await assertRejects(
    () => read([add(repeated, 1)], { device: gpu }),
    RangeError,
  );
  assertEquals(error.message.startsWith("Cannot allocate 2097152.0 MiB for result [2, 2,"), true);
  assertEquals(error.message.includes("Lower the batch"), true);
  gpu.check();
  assertEquals(gpu.memory, before, "what was refused leaves nothing behind");
  gpu.destroy();
});

Deno.test("after a device is gone every call says so, in the same words", async () => {
  const gpu = await Device.open();
  const variable = new Variable([1, 2], [2]);
  const step = compile((x) => {
    variable.assign(add(variable, x));
    return sum(variable);
  });
  const result = step(tensor([1, 1]));
  await read([result, variable]);
  gpu.destroy();
  const expected = "The device was destroyed: open one with Device.open()";
  const calls: (() => unknown)[] = [
    () => step(tensor([1, 1])),
    () => step(tensor([1, 1, 1])),
    () => read([result]),
    () => read([variable]),
    () => read([add(tensor([1]), 1)]),
    () => new Variable([1], [1]).bufferOn(gpu),
    () => gpu.createBuffer(4, { purpose: "a test" }),
    () => gpu.idle(),
    () => gpu.encoder(),
    () => gpu.pipeline("", { label: "", kinds: [] }),
  ];
  for (const call of calls) assertEquals(await messageOf(call), expected, String(call));
});

/** A small regression, as a training program has it: model, optimiser, compiled step, checkpoint. */
function training() {
  const net = new Linear(2, 1, { generator: new HostGenerator(3) });
  const optimizer = new Adam(net.namedParameters(), { lr: 0.05 });
  const state = { ...net.stateDict(), ...optimizer.state() };
  const step = compile((x, y) => {
    const loss = mean(square(sub(net.forward(x), y)));
    optimizer.minimize(loss);
    return loss;
  });
  const batch = [tensor([1, 2, 3, 4, 5, 6], [3, 2]), tensor([1, 0, -1], [3, 1])] as const;
  return {
    state,
    step: async (): Promise<number> => (await read([step(...batch)]))[0][0],
    save: async () => Object.fromEntries((await read(Object.values(state))).entries()),
  };
}

Deno.test("training goes on from its checkpoint on a new device, with the same losses", async () => {
  const first = await Device.open();
  assertEquals(Device.default, first);
  const run = training();
  for (let i = 0; i < 3; i++) await run.step();
  const checkpoint = await run.save();
  const expected = [await run.step(), await run.step()];
  first.destroy();
  await assertRejects(run.step, Error, "The device was destroyed");

  const second = await Device.open();
  assertEquals(Device.default, second);
  await assertRejects(run.step, Error, "its numbers went with its own; set(array) them again");
  Object.values(run.state).forEach((variable, at) => variable.set(checkpoint[at]));
  assertEquals([await run.step(), await run.step()], expected);
  second.destroy();
});

Deno.test("what lies on one device is not used on another", async () => {
  const one = await Device.open(), two = await Device.open();
  const variable = new Variable([1, 2], [2], { name: "gain" });
  const onOne = compile((x) => mul(x, variable), { device: one });
  const result: Tensor = onOne(tensor([1, 2]));
  assertThrows(
    () => compile((x) => add(x, 1), { device: two, name: "other" })(result),
    TypeError,
    "Cannot use Tensor(result, [2], f32) on this device: it lies on another one",
  );
  await assertRejects(
    () => read([variable], { device: two }),
    Error,
    'Cannot use variable "gain" of f32 [2] on this device: it lies on another one',
  );
  assertEquals([...(await read([result], { device: one }))[0]], [1, 4]);
  assertEquals([...(await read(grad(sum(mul(result, 3)), [result]), { device: one }))[0]], [3, 3]);
  one.destroy();
  two.destroy();
});
