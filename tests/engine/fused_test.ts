// Kernels that the compiler writes: four neighbours a thread, several passes over a row, several kernels in
// one dispatch. Each against the plain form, on shapes that fit it and shapes that do not.

import { assertAlmostEquals, assertEquals, assertLessOrEqual } from "@std/assert";
import {
  Adam,
  add,
  batchNorm,
  cast,
  concat,
  conv2d,
  exp,
  expand,
  flip,
  gather,
  grad,
  gt,
  leakyRelu,
  moments,
  mul,
  pad,
  permute,
  pixelShuffle,
  relu,
  reshape,
  slice,
  softmax,
  square,
  sub,
  sum,
  tanh,
  type Tensor,
  tensor,
  type TypedArray,
  Variable,
  where,
} from "../../engine/mod.ts";
import { Plan } from "../../engine/compile/plan.ts";
import type { Passes } from "../../engine/compile/passes.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { withBindings } from "../../engine/variable.ts";
import { typedArray } from "../../engine/dtype.ts";
import { device } from "./device.ts";

const gpu = await device();

const sizeOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
const wave = (...shape: number[]): Tensor =>
  tensor(Float32Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 12.9898) * 2), shape);
const bytes = (...shape: number[]): Tensor =>
  tensor(Uint8Array.from({ length: sizeOf(shape) }, (_, i) => i * 37 % 251), shape);
const whole = (most: number, ...shape: number[]): Tensor =>
  tensor(Int32Array.from({ length: sizeOf(shape) }, (_, i) => i * 7 % most), shape);

async function run(
  outputs: readonly Tensor[],
  passes: Partial<Passes> = {},
): Promise<{ numbers: TypedArray[]; plan: Plan }> {
  const plan = new Plan(gpu, { name: "test", outputs, assignments: new Map() }, { passes });
  plan.run();
  const buffers = await readBuffers(gpu, plan.outputs);
  plan.destroy();
  return { numbers: buffers.map((b, k) => typedArray(b, outputs[k].size, outputs[k].dtype)), plan };
}

function assertClose(actual: TypedArray, wanted: TypedArray, what: string): void {
  const scale = Math.max(1, ...Array.from(wanted, Math.abs));
  wanted.forEach((value, i) =>
    assertAlmostEquals(actual[i], value, 2e-5 * scale, `${what} at ${i}`)
  );
}

/** Pictures whose rows, planes or sizes are multiples of four, and such where none is. */
const PICTURES = [[2, 3, 4, 8], [1, 4, 6, 6], [3, 4, 2, 5], [1, 1, 1, 4], [2, 4, 3, 3], [
  1,
  3,
  5,
  7,
]];

const pointwise: Record<string, (x: Tensor, shape: readonly number[]) => Tensor> = {
  "a chain": (x) => tanh(add(mul(x, x), 0.5)),
  "one number a channel": (x, [, c]) => mul(x, wave(1, c, 1, 1)),
  "one number a row": (x, [n, c, h]) => add(x, wave(n, c, h, 1)),
  "one number a column": (x, [, , , w]) => sub(x, wave(1, 1, 1, w)),
  "axes in another order": (x) => add(permute(x, [0, 2, 3, 1]), 1),
  "a frame": (x) => pad(x, [[0, 0], [0, 0], [1, 2], [0, 0]]),
  "a frame at the sides": (x) => pad(x, [[0, 0], [0, 0], [0, 0], [3, 1]]),
  "the other way round": (x) => flip(x, [3]),
  "two of them side by side": (x) => concat([x, mul(x, 2)], { dim: 3 }),
  "two of them in a row": (x) => concat([x, mul(x, 2)], { dim: 1 }),
  "chosen elements": (x, shape) => gather(x, whole(shape[2], ...shape), { dim: 2 }),
  "every other": (x) => slice(x, [null, null, [0, null, 2], null]),
  comparisons: (x) => gt(x, 0.25),
  choices: (x) => where(gt(x, 0), exp(x), mul(x, -1)),
  bytes: (x, shape) => mul(x, cast(bytes(...shape), "f32")),
  "whole numbers": (_, shape) => add(whole(9, ...shape), 3),
};

for (const [name, op] of Object.entries(pointwise)) {
  Deno.test(`four neighbours a thread give the bits of one: ${name}`, async () => {
    for (const shape of PICTURES) {
      const outputs = [op(wave(...shape), shape)];
      const quads = await run(outputs), plain = await run(outputs, { quads: false });
      assertEquals(quads.numbers, plain.numbers, `[${shape}]`);
    }
  });
}

Deno.test({
  name: "four neighbours a thread give the bits of one: half the bytes",
  ignore: !gpu.features.has("shader-f16"),
  fn: async () => {
    for (const shape of PICTURES) {
      const half = cast(wave(...shape), "f16"), outputs = [half, mul(cast(half, "f32"), 2)];
      const quads = await run(outputs), plain = await run(outputs, { quads: false });
      assertEquals(quads.numbers, plain.numbers, `[${shape}]`);
    }
  },
});

Deno.test("only vectors of four are loaded and stored where neighbours lie together", async () => {
  const { plan } = await run([mul(add(wave(2, 3, 4, 8), wave(1, 3, 1, 1)), 2)]);
  const [{ code }] = plan.dispatches;
  // One vector of x, one number of the channel's, one vector of the result.
  assertEquals(code.match(/b\d\[[^\]]*\]/g)?.length, 3, code);
});

const rows: Record<string, (x: Tensor, shape: readonly number[]) => Tensor[]> = {
  "batch norm and an activation": (x, [, c]) => [
    relu(batchNorm(x, { weight: wave(c), bias: wave(c) }).output),
  ],
  softmax: (x, shape) => [softmax(reshape(x, [shape[0] * shape[1], -1]), { dim: 1 })],
  "a sum of what is stored too": (x) => {
    const y = tanh(x);
    return [y, sum(y, { dim: [0, 2, 3] })];
  },
  "sums along other axes": (x) => [sum(x, { dim: 0 }), sum(square(x), { dim: [1, 2] })],
};

for (const [name, op] of Object.entries(rows)) {
  Deno.test(`several passes over a row give what kernels of their own give: ${name}`, async () => {
    for (const shape of [...PICTURES, [4, 3, 16, 16], [2, 2, 9, 31], [2, 20, 8, 12]]) {
      const outputs = op(wave(...shape), shape);
      const { numbers } = await run(outputs);
      const plain = await run(outputs, { rows: false, quads: false, join: false });
      numbers.forEach((got, k) => assertClose(got, plain.numbers[k], `[${shape}] ${k}`));
    }
  });
}

const kernels = (plan: Plan): string[] => plan.dispatches.map(({ kernel }) => kernel);

Deno.test("batch norm is one kernel forward, and one backward", async () => {
  const x = wave(4, 6, 8, 8), weight = wave(6), bias = wave(6);
  const y = leakyRelu(batchNorm(x, { weight, bias }).output, { negativeSlope: 0.2 });
  assertEquals(kernels((await run([y])).plan), ["reduce"]);
  const gradients = grad(sum(mul(y, wave(4, 6, 8, 8))), [x, weight, bias]);
  assertLessOrEqual(kernels((await run([y, ...gradients])).plan).length, 3);
});

Deno.test("the moments of shuffled pixels are read where they lie", async () => {
  const x = wave(3, 8, 5, 4), { mean, variance } = moments(pixelShuffle(x, 2), { dim: [0, 2, 3] });
  const { numbers, plan } = await run([mean, variance]);
  assertEquals(kernels(plan), ["reduce"]);
  const copy = expand(pixelShuffle(x, 2), [3, 2, 10, 8]);
  const plain = moments(mul(copy, 1), { dim: [0, 2, 3] });
  const { numbers: wanted } = await run([plain.mean, plain.variance], { fuse: false });
  numbers.forEach((got, k) => assertClose(got, wanted[k], `moment ${k}`));
});

Deno.test("mean and variance take one pass over the elements", async () => {
  const { mean, variance } = moments(wave(3, 5, 7, 4), { dim: [0, 2, 3] });
  const { plan } = await run([mean, variance]);
  assertEquals(kernels(plan), ["reduce"]);
  assertEquals(plan.dispatches[0].code.match(/for \(var r\d/g)?.length, 1);
});

Deno.test("moments keep their digits wherever the first element of a row lies", async () => {
  const length = 1000,
    rows: Record<string, (i: number) => number> = {
      "far from 0": (i) => 30_000 + Math.sin(i * 12.9898),
      "all alike": () => 0.1,
      "alike but for the first": (i) => i === 0 ? 50 : -1.5,
      "with a first one 30 deviations away": (i) => i === 0 ? 21 : Math.sin(i * 12.9898),
      "small": (i) => 1e-12 * Math.sin(i * 12.9898),
      "large": (i) => 1e15 * (2 + Math.sin(i * 12.9898)),
    };
  const numbers = Object.values(rows).map((row) => Float32Array.from({ length }, (_, i) => row(i)));
  const x = tensor(Float32Array.from(numbers.flatMap((row) => [...row])), [numbers.length, length]);
  const { mean, variance } = moments(x, { dim: 1 });
  const got = (await run([mean, variance])).numbers;
  Object.keys(rows).forEach((name, k) => {
    const wantedMean = numbers[k].reduce((a, b) => a + b, 0) / length;
    const wanted = numbers[k].reduce((a, b) => a + (b - wantedMean) ** 2, 0) / length;
    const largest = Math.max(...numbers[k].map(Math.abs));
    assertAlmostEquals(got[0][k], wantedMean, 1e-6 * largest, `mean of those ${name}`);
    assertAlmostEquals(got[1][k], wanted, 2e-4 * wanted, `variance of those ${name}`);
  });
});

/** A step of Adam on parameters of several shapes. */
function adamStep(): { assignments: Map<Variable, Tensor>; variables: Variable[] } {
  const shapes = [[3], [4], [2, 3, 2, 2], [16, 8], [1], [5, 7], [64]];
  const parameters = Object.fromEntries(shapes.map((shape, i) => {
    const data = Float32Array.from({ length: sizeOf(shape) }, (_, at) => Math.cos(at + i));
    return [`p${i}`, new Variable(data, shape)];
  }));
  const optimizer = new Adam(parameters, { lr: 0.1 });
  const assignments = new Map<Variable, Tensor>();
  withBindings({ get: (v) => assignments.get(v), set: (v, x) => assignments.set(v, x) }, () => {
    const terms = Object.values(parameters).map((p) => sum(square(sub(p, 0.5))));
    optimizer.minimize(terms.reduce((a, b) => add(a, b)));
  });
  return {
    assignments,
    variables: [...Object.values(parameters), ...Object.values(optimizer.state())],
  };
}

async function adamNumbers(
  passes: Partial<Passes>,
): Promise<{ numbers: TypedArray[]; count: number }> {
  const { assignments, variables } = adamStep();
  const plan = new Plan(gpu, { name: "adam", outputs: [], assignments }, { passes });
  for (let i = 0; i < 3; i++) plan.run();
  const buffers = await readBuffers(gpu, variables.map((variable) => variable.bufferOn(gpu)));
  plan.destroy();
  variables.forEach((variable) => variable.destroy());
  return { numbers: buffers.map((b) => new Float32Array(b)), count: plan.dispatches.length };
}

Deno.test("Adam moves all parameters in a few dispatches, to the bits that one each gives", async () => {
  const shared = await adamNumbers({}), apart = await adamNumbers({ join: false });
  assertEquals(shared.numbers, apart.numbers);
  // Two values of the step, then three buffers a parameter and its gradient's own.
  const most = Math.ceil(7 * 4 / (gpu.limits.maxStorageBuffersPerShaderStage - 2)) + 1;
  assertLessOrEqual(shared.count, most);
  assertEquals(apart.count >= 8, true);
});

Deno.test("an update waits for all that read the old value, in whatever dispatch they are", async () => {
  const w = new Variable([1, 2, 3, 4], [4]), v = new Variable([10, 20, 30, 40], [4]);
  const assignments = new Map([[w, add(w.value, v.value)], [v, mul(flip(w.value, [0]), 2)]]);
  const outputs = [
    sum(mul(w.value, v.value)),
    conv2d(reshape(w.value, [1, 1, 2, 2]), reshape(v.value, [1, 1, 2, 2])),
  ];
  const plan = new Plan(gpu, { name: "swap", outputs, assignments });
  plan.run();
  const buffers = await readBuffers(gpu, [...plan.outputs, w.bufferOn(gpu), v.bufferOn(gpu)]);
  assertEquals(buffers.map((b) => [...new Float32Array(b)]), [[300], [300], [11, 22, 33, 44], [
    8,
    6,
    4,
    2,
  ]]);
  plan.destroy();
  [w, v].forEach((variable) => variable.destroy());
});
