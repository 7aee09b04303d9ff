// f16 as a type of storage: what is stored is rounded, what is computed is f32.

import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  Adam,
  add,
  cast,
  compile,
  concat,
  conv2d,
  type Device,
  embedding,
  ExponentialMovingAverage,
  full,
  gather,
  grad,
  matmul,
  mean,
  Module,
  moments,
  mul,
  pad,
  Parameter,
  permute,
  type Precision,
  read,
  slice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  Variable,
  where,
} from "../../engine/mod.ts";
import { Plan } from "../../engine/compile/plan.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { device, withoutLeaks } from "./device.ts";

const gpu = await device();

/** A test for devices whose shaders know f16. */
const half = (name: string, fn: () => Promise<void>): void =>
  Deno.test({ name, fn, ignore: !gpu.features.has("shader-f16") });

/** Exact in f16, of an odd number, so that the last word is half full. */
const exact = [0, -1, 0.5, 1024, 65504, -0.125, 2 ** -14];

async function numbers(...tensors: (Tensor | Variable)[]): Promise<number[][]> {
  return (await read(tensors)).map((array) => [...array]);
}

half("f16 numbers go to the device and back unchanged, in half the memory", async () => {
  await withoutLeaks(async () => {
    const bytes = gpu.memory.bytes;
    const variable = new Variable(new Float16Array(exact), [7]);
    assertEquals(variable.dtype, "f16");
    const [same, doubled] = await read([variable, mul(variable, 2)]);
    assertEquals(same, new Float16Array(exact));
    assertEquals(doubled, new Float32Array(exact.map((x) => 2 * x)));
    assertEquals(gpu.memory.bytes - bytes, 16);
    variable.destroy();
  });
});

half(
  "a cast to f16 rounds to the nearest number, of two to the even one, stored or not",
  async () => {
    const spread = Array.from(
      { length: 999 },
      (_, i) => Math.exp((i - 500) / 60) * (i % 2 ? 1 : -1),
    );
    const ties = [1 + 2 ** -11, 1 + 3 * 2 ** -11, -2049, -2051, 65519, 2 ** -14 - 2 ** -25];
    const values = Float32Array.from([...spread, ...ties]);
    const rounded = cast(tensor(values), "f16");
    const [stored, fused] = await read([rounded, mul(sub(rounded, tensor(values)), 4096)]);
    assert(stored instanceof Float16Array && fused instanceof Float32Array);
    assertEquals([...stored], [...values].map(Math.f16round));
    values.forEach((x, i) => assertEquals(fused[i], Math.fround((stored[i] - x) * 4096)));
  },
);

half("elements of f16 move as f16, by themselves and across words", async () => {
  const x = tensor(new Float16Array([1, 2, 3, 4, 5, 6]), [2, 3]);
  const moved = [
    permute(x, [1, 0]),
    pad(x, [[0, 0], [1, 0]], { value: 0.5 }),
    pad(x, [[1, 0], [0, 0]], { mode: "reflect" }),
    concat([x, slice(x, [[1, null]])]),
    gather(x, tensor(new Int32Array([2, 0]), [2, 1]), { dim: 1 }),
    embedding(tensor(new Int32Array([1])), x),
    full([3], 65504, { dtype: "f16" }),
  ];
  assertEquals(moved.map(({ dtype }) => dtype), moved.map(() => "f16"));
  assertEquals(await numbers(...moved), [
    [1, 4, 2, 5, 3, 6],
    [0.5, 1, 2, 3, 0.5, 4, 5, 6],
    [4, 5, 6, 1, 2, 3, 4, 5, 6],
    [1, 2, 3, 4, 5, 6, 4, 5, 6],
    [3, 4],
    [4, 5, 6],
    [65504, 65504, 65504],
  ]);
});

half("everything else computes from f16 in f32, as if it had been cast before", async () => {
  const random = (length: number): Float16Array<ArrayBuffer> =>
    Float16Array.from({ length }, (_, i) => Math.sin(i * i + 1));
  const ops: Record<string, (x: Tensor, w: Tensor) => Tensor> = {
    conv2d: (x, w) => conv2d(x, w, { padding: 1 }),
    matmul: (x, w) => matmul(x, slice(w, [[0, 1]])),
    moments: (x) => moments(x, { dim: [0, 2] }).variance,
    softmax: (x) => softmax(x, { dim: 1 }),
    mean: (x) => mean(x),
    add: (x) => add(x, 0.1),
    where: (x) => where(cast(x, "bool"), x, 2),
  };
  const x = tensor(random(2 * 3 * 5 * 5), [2, 3, 5, 5]),
    w = tensor(random(4 * 3 * 25), [4, 3, 5, 5]);
  for (const [name, op] of Object.entries(ops)) {
    const [half, single] = [op(x, w), op(cast(x, "f32"), cast(w, "f32"))];
    assertEquals(half.dtype, "f32", name);
    const [a, b] = await numbers(half, single);
    assertEquals(a, b, name);
  }
});

half("gradients pass casts between f16 and f32 as f32, and stop at whole numbers", async () => {
  const x = tensor([1, 2, 3]), h = tensor(new Float16Array([1, 2, 3]));
  const through = cast(x, "f16");
  const [g] = grad(sum(square(through)), [x]);
  const [half] = grad(sum(square(pad(h, [[1, 1]]))), [h]);
  const [second] = grad(sum(mul(half, half)), [h]);
  assertEquals([g.dtype, half.dtype], ["f32", "f32"]);
  assertEquals(await numbers(g, half, second), [[2, 4, 6], [2, 4, 6], [8, 16, 24]]);
  const [unused] = grad(sum(x), [h], { unused: "zeros" });
  assertEquals([...(await read([unused]))[0]], [0, 0, 0]);
  assertThrows(() => grad(sum(cast(cast(h, "i32"), "f32")), [h]), Error, "does not depend on it");
});

half("f16 parameters are trained and averaged", async () => {
  class Single extends Module {
    readonly x = new Parameter(new Float16Array([4, -4]), [2]);
  }
  const net = new Single(), average = new Single();
  const adam = new Adam(net.namedParameters(), { lr: 0.25 });
  const ema = new ExponentialMovingAverage(net, { average });
  const step = compile(() => {
    adam.minimize(sum(square(net.x)));
    ema.update(0.5);
  });
  step();
  const [x, mean] = await read([net.x, average.x]);
  assertEquals([x, mean], [new Float16Array([3.75, -3.75]), new Float16Array([3.875, -3.875])]);
});

half("compile lets products round their operands only where it is told to", async () => {
  const x = tensor(Float32Array.from({ length: 12 * 20 }, (_, i) => Math.sin(i)), [12, 20]);
  const product = matmul(x, x, { transposeB: true });
  const outputs = [product], program = { name: "product", outputs, assignments: new Map() };
  const run = async (precision?: Precision): Promise<Float32Array> => {
    const plan = new Plan(gpu, program, { variant: "tiled 16x64", target: { precision } });
    plan.run();
    const [bytes] = await readBuffers(gpu, plan.outputs);
    plan.destroy();
    return new Float32Array(bytes);
  };
  const [plain, same, rounded] = [await run(), await run("f32"), await run("f16")];
  assertEquals(same, plain);
  const errors = rounded.map((value, i) => Math.abs(value - plain[i]));
  assert(Math.max(...errors) > 1e-5 && Math.max(...errors) < 1e-2, `${Math.max(...errors)}`);

  const without = new Proxy(gpu, {
    get(device, name) {
      const value = name === "features" ? new Set() : device[name as keyof Device];
      return typeof value === "function" ? value.bind(device) : value;
    },
  });
  const traced = compile(() => product, { device: without, precision: "f16" });
  assertThrows(() => traced(), TypeError, "operands in f16: ");
});

half("numbers that f16 lacks, and devices that lack f16, are named", async () => {
  assertThrows(() => full([2], 1e5, { dtype: "f16" }), RangeError, "f16 has no such number");
  const without = Object.create(gpu, { features: { value: new Set() } }) as Device;
  const outputs = [add(tensor(new Float16Array([1])), 1)];
  assertThrows(
    () => new Plan(without, { name: "sum", outputs, assignments: new Map() }),
    TypeError,
    "lacks shader-f16",
  );
  await gpu.idle();
});
