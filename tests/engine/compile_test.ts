import { assertAlmostEquals, assertEquals, assertLess, assertThrows } from "@std/assert";
import {
  add,
  amax,
  cast,
  compile,
  concat,
  conv2d,
  exp,
  grad,
  matmul,
  maxPool2d,
  mul,
  pad,
  permute,
  read,
  relu,
  reshape,
  sub,
  sum,
  tanh,
  type Tensor,
  tensor,
  upsampleNearest,
  Variable,
} from "../../engine/mod.ts";
import { planOf } from "../../engine/compile/compile.ts";
import { Plan } from "../../engine/compile/plan.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { device, withoutLeaks } from "./device.ts";

const gpu = await device();

function kernels(...outputs: Tensor[]): string[] {
  const plan = new Plan(gpu, { name: "test", outputs, assignments: new Map() });
  plan.destroy();
  return plan.dispatches.map((dispatch) => dispatch.kernel);
}

const random = (shape: number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: size }, (_, i) => Math.sin(i * 12.9898) * 2), shape);
};

Deno.test("a chain of element-wise ops and moves is one kernel", () => {
  const x = random([4, 6]);
  assertEquals(kernels(relu(add(mul(permute(x, [1, 0]), 2), reshape(x, [6, 4])))), ["pointwise"]);
});

Deno.test("a chain of element-wise ops is computed inside the sum that reads it", () => {
  const x = random([64, 64]);
  assertEquals(kernels(sum(exp(mul(x, x)), { dim: 1 })), ["reduce"]);
});

Deno.test("equal expressions are computed once", () => {
  const x = random([512, 300]);
  assertEquals(kernels(sum(tanh(x)), sum(tanh(x))).length, kernels(sum(tanh(x))).length + 1);
});

Deno.test("sums over the same elements share one kernel", () => {
  const x = random([8, 16, 64]), y = random([8, 16, 64]);
  assertEquals(
    kernels(sum(x, { dim: [0, 2] }), sum(mul(x, y), { dim: [0, 2] })),
    ["reduce"],
  );
});

Deno.test("a chain of thousands of ops is computed", async () => {
  let x = tensor([1, 2]);
  for (let i = 0; i < 2000; i++) x = mul(add(x, 1), i % 2 === 0 ? 2 : 0.5);
  // Two rounds take x to x + 1.5.
  assertEquals([...(await read([x]))[0]], [1501, 1502]);
});

Deno.test("windows of windows are not computed again at each of their places", async () => {
  const x = random([1, 1, 24, 24]), window = { kernelSize: 3, stride: 1, padding: 1 };
  const smeared = [1, 2, 3, 4].reduce((y) => maxPool2d(y, window), x);
  const plan = new Plan(gpu, { name: "test", outputs: [smeared], assignments: new Map() });
  plan.destroy();
  // Fused into one kernel, it would have 9^4 loads.
  assertLess(plan.dispatches.reduce((sum, { code }) => sum + code.length, 0), 50_000);
  const [once, fourTimes] = await read([
    maxPool2d(x, { ...window, kernelSize: 9, padding: 4 }),
    smeared,
  ]);
  assertEquals(fourTimes, once);
});

Deno.test("bytes that are repeated or read often are computed where they are read, never stored", async () => {
  const bytes = tensor(Uint8Array.from({ length: 64 * 64 }, (_, i) => i % 251), [1, 1, 64, 64]);
  const framed = pad(bytes, [[0, 0], [0, 0], [1, 1], [1, 1]]);
  const large = cast(upsampleNearest(framed, 4), "f32");
  const rows = Array.from(
    { length: 40 },
    (_, at) => sum(cast(framed, "f32"), { dim: [2, 3, 1].slice(at % 3) }),
  );
  const [most, total] = await read([amax(large), sum(large), ...rows]);
  const exact = Array.from({ length: 64 * 64 }, (_, i) => i % 251).reduce((a, b) => a + b, 0);
  assertEquals([most[0], total[0]], [250, 16 * exact]);
});

Deno.test("what nobody asks for is not computed", () => {
  const x = random([1, 3, 8, 8]), w = random([4, 3, 3, 3]);
  const [gradient] = grad(sum(conv2d(x, w)), [x]);
  assertEquals(kernels(gradient).some((kernel) => kernel === "conv2dWeightGrad"), false);
});

Deno.test("memory is used again as soon as it is free", () => {
  let x = random([256, 256]);
  for (let i = 0; i < 10; i++) x = matmul(tanh(x), random([256, 256]));
  const plan = new Plan(gpu, { name: "test", outputs: [x], assignments: new Map() });
  plan.destroy();
  // A value in, a value out, and the kernel's own scratch: not one for each of twenty ops.
  assertEquals(plan.arenaBytes <= 5 * 4 * 256 ** 2, true, `arena of ${plan.arenaBytes} bytes`);
});

Deno.test("a compiled function gives what reading at once gives, on a graph of many consumers", async () => {
  const program = (x: Tensor, y: Tensor): Tensor[] => {
    const a = exp(mul(x, 0.3)), b = tanh(add(a, y)), c = mul(sub(b, a), permute(y, [1, 0]));
    const s = sum(c, { dim: 1, keepdim: true });
    const d = add(mul(c, s), reshape(sum(mul(a, b), { dim: 0 }), [1, 16]));
    const [gx, gy] = grad(sum(mul(d, relu(d))), [x, y]);
    return [d, gx, gy, s];
  };
  const x = random([16, 16]), y = mul(random([16, 16]), 0.5);
  const [host] = await read([y]);
  const outputs = compile(program as (...args: Tensor[]) => Tensor[])(
    x,
    tensor(host as Float32Array<ArrayBuffer>, [16, 16]),
  );
  const compiled = await read(outputs);
  for (
    const [k, output] of program(x, tensor(host as Float32Array<ArrayBuffer>, [16, 16])).entries()
  ) {
    // One by one: other groups form, the values must not change beyond rounding.
    const [alone] = await read([output]);
    alone.forEach((value, i) =>
      assertAlmostEquals(compiled[k][i], value, 1e-3 + Math.abs(value) * 1e-5)
    );
  }
});

Deno.test("a function is traced again for other shapes, and keeps both plans", async () => {
  let traces = 0;
  const double = compile((x) => {
    traces++;
    return add(x, x);
  });
  for (const length of [3, 5, 3, 5]) {
    const [y] = await read([double(tensor(new Float32Array(length).fill(2)))]);
    assertEquals([...y], new Array(length).fill(4));
  }
  assertEquals(traces, 2);
});

Deno.test("results of one compiled function are arguments of another", async () => {
  const first = compile((x) => mul(x, 2)), second = compile((x) => add(x, 1));
  const [y] = await read([second(first(tensor([1, 2])))]);
  assertEquals([...y], [3, 5]);
});

Deno.test("calls after the first leave the memory of the device as it is", async () => {
  const w = new Variable([1, 2], [2]);
  const step = compile((x) => {
    w.assign(add(w, x));
    return sum(w);
  });
  await read([step(tensor([1, 1]))]);
  await withoutLeaks(async () => {
    for (let i = 0; i < 20; i++) await read([step(tensor([1, 1])), w]);
  });
});

Deno.test("reading leaves nothing behind", async () => {
  await withoutLeaks(async () => {
    await read([matmul(random([3, 4]), random([4, 5])), sum(random([1000]))]);
  });
});

Deno.test("more elements than one row of workgroups holds", async () => {
  const n = 5_000_011;
  const x = tensor(Float32Array.from({ length: n }, (_, i) => i % 7));
  const [y, total] = await read([add(x, 1), sum(x)]);
  assertEquals([y[0], y[4_194_304], y[n - 1]], [1, 4_194_304 % 7 + 1, (n - 1) % 7 + 1]);
  let expected = 0;
  for (let i = 0; i < n; i++) expected += i % 7;
  assertAlmostEquals(total[0], expected, expected * 1e-6);
});

Deno.test("more tensors than a kernel can be bound to are joined", async () => {
  const parts = Array.from({ length: 100 }, (_, i) => sum(tensor([i, i]), { keepdim: true }));
  const [joined] = await read([concat(parts)]);
  assertEquals([...joined], parts.map((_, i) => 2 * i));
});

Deno.test("an argument without numbers is refused", () => {
  const step = compile((x) => add(x, 1), { name: "step" });
  assertThrows(
    () => step(add(tensor([1, 2]), 1)),
    TypeError,
    "Cannot call step: argument 0 is Tensor(add, [2], f32), which has no numbers yet",
  );
});

Deno.test("a compiled function's plan is found by the shapes of its arguments, once it has one", () => {
  const step = compile((x) => mul(x, 2));
  const x = random([3]), y = random([4]);
  assertThrows(() => planOf(step, [x]), Error, "call the compiled function first");
  step(x);
  step(y);
  const plan = planOf(step, [x]);
  assertEquals(planOf(step, [random([3])]), plan);
  assertEquals(plan.dispatches.map(({ kernel }) => kernel), ["pointwise"]);
  assertEquals(planOf(step, [y]) === plan, false);
});

Deno.test("the footprint of a call is its plan's, once there is one", async () => {
  const step = compile((x) => sum(matmul(x, x)), { name: "products" });
  const x = random([5, 5]);
  assertThrows(() => step.footprint(x), Error, "There is no plan yet");
  const { dispatches, arenaBytes } = (await read([step(x)]), planOf(step, [x]));
  assertEquals(step.footprint(x), { dispatches: dispatches.length, bytes: arenaBytes, kept: 0 });
});

Deno.test("a forced variant is taken, and computes the same", async () => {
  const product = matmul(random([5, 7]), random([7, 3]));
  const plan = new Plan(gpu, { name: "test", outputs: [product], assignments: new Map() }, {
    variant: "direct",
  });
  assertEquals(plan.dispatches.map(({ variant }) => variant), ["direct"]);
  plan.run();
  const [bytes] = await readBuffers(gpu, plan.outputs);
  plan.destroy();
  const [expected] = await read([product]);
  new Float32Array(bytes).forEach((x, i) => assertAlmostEquals(x, expected[i], 1e-5));
});

Deno.test("a product of a tensor with itself binds no memory twice", async () => {
  for (const variant of ["direct", "tiled"]) {
    const x = tanh(matmul(random([3, 4]), random([4, 4])));
    const square = matmul(x, x, { transposeB: true }), trace = sum(mul(x, x));
    const outputs = [square, trace];
    const plan = new Plan(gpu, { name: "square", outputs, assignments: new Map() }, { variant });
    plan.run();
    const [got, [total]] = (await readBuffers(gpu, plan.outputs)).map((b) => new Float32Array(b));
    assertAlmostEquals(got[0] + got[4] + got[8], total, 1e-5);
    for (const { slots } of plan.dispatches) assertEquals(new Set(slots).size, slots.length);
    plan.destroy();
  }
});

Deno.test("pipelines are counted once for each shader", () => {
  const step = compile((x) => sub(mul(x, 1.2345), 6.789));
  const before = gpu.compiled;
  step(random([11]));
  const { pipelines, ms } = gpu.compiled;
  assertEquals(pipelines, before.pipelines + 1);
  assertEquals(ms >= before.ms, true); // Browsers' clocks are coarse.
  step(random([11]));
  assertEquals(gpu.compiled, { pipelines, ms });
});
