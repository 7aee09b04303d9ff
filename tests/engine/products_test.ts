// Products with a side or a depth of one, which are computed as arithmetic: the same numbers as the products', in
// fewer dispatches.

import { assert, assertEquals, assertLess } from "@std/assert";
import {
  add,
  grad,
  HostGenerator,
  matmul,
  type MatmulOptions,
  mul,
  sigmoid,
  square,
  sum,
  tanh,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";
import type { Target } from "../../engine/compile/lower.ts";
import type { Passes } from "../../engine/compile/passes.ts";
import { Plan, targetOf } from "../../engine/compile/plan.ts";
import { dispatchesOf } from "../../engine/compile/sites.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { device } from "./device.ts";

const gpu = await device();

const random = new HostGenerator(17);
const numbers = (shape: readonly number[]): Tensor => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length: size }, () => random.normal()), shape);
};

/** Operands of `[m, k] x [k, n]`, stored as `options` say. */
function operands(
  { m, n, k, a = [], b = [] }: Sides,
  { transposeA, transposeB }: MatmulOptions,
): [Tensor, Tensor] {
  return [
    numbers([...a, ...(transposeA ? [k, m] : [m, k])]),
    numbers([...b, ...(transposeB ? [n, k] : [k, n])]),
  ];
}

/** Sides of the matrices, and the axes before them. */
interface Sides {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly a?: readonly number[];
  readonly b?: readonly number[];
  /** Whether it is differentiated, too. */
  readonly twice?: boolean;
}

const sides: readonly Sides[] = [
  { m: 7, n: 13, k: 1, twice: true },
  { m: 1, n: 1, k: 1 },
  { m: 33, n: 1, k: 5, twice: true },
  { m: 33, n: 1, k: 131 },
  { m: 1, n: 29, k: 7 },
  { m: 1, n: 31, k: 259 },
  { m: 1, n: 1, k: 77 },
  // So few and long rows that they would be split in parts.
  { m: 2, n: 1, k: 40_001 },
  { m: 5, n: 7, k: 1, a: [3], b: [3] },
  { m: 1, n: 9, k: 11, a: [2, 3], b: [1, 3] },
  { m: 4, n: 1, k: 66, b: [3], twice: true },
  { m: 1, n: 6, k: 67, a: [3] },
  { m: 3, n: 4, k: 1, a: [1], b: [5] },
];

const transposes: readonly MatmulOptions[] = [false, true].flatMap((transposeA) =>
  [false, true].map((transposeB) => ({ transposeA, transposeB }))
);

/** As here, and as on a GPU. */
const targets: readonly Partial<Target>[] = [{}, { cpu: false, images: false }];

/** What outputs are, lowered for a target. */
async function run(
  outputs: readonly Tensor[],
  options: { target?: Partial<Target>; passes?: Partial<Passes> },
): Promise<Float32Array[]> {
  const plan = new Plan(gpu, { name: "products", outputs, assignments: new Map() }, options);
  plan.run();
  const bytes = await readBuffers(gpu, plan.outputs);
  plan.destroy();
  return bytes.map((each) => new Float32Array(each));
}

/** The largest distance, in what is usual of each result. */
function distance(got: readonly Float32Array[], want: readonly Float32Array[]): number {
  return Math.max(...got.map((own, at) => {
    const usual = Math.sqrt(want[at].reduce((sum, x) => sum + x * x, 0) / want[at].length);
    return Math.max(...own.map((value, i) => Math.abs(value - want[at][i]))) / (usual + 1e-6);
  }));
}

/** Each of the sides, stored in another way than the one before. */
const stored = (some: readonly Sides[]) =>
  some.map((each, at) => {
    const options = transposes[at % transposes.length];
    return { ...each, options, factors: operands(each, options) };
  });

Deno.test("products with a side of one are the products", async () => {
  const outputs = stored(sides).flatMap(({ factors: [a, b], options }) => [
    // Alone, and between others that it is computed with.
    matmul(a, b, options),
    square(add(matmul(tanh(a), sigmoid(b), options), 0.5)),
  ]);
  const want = await run(outputs, { passes: { algebra: false } });
  for (const target of targets) {
    const apart = distance(await run(outputs, { target }), want);
    assertLess(apart, 2e-5, `${JSON.stringify(target)}: ${apart}`);
  }
});

Deno.test("their first and second derivatives are the products'", async () => {
  const outputs = stored(sides.filter(({ twice }) => twice)).flatMap(
    ({ k, factors: [a, b], options }) => {
      const scaled = mul(matmul(a, b, options), 0.5 / Math.sqrt(k));
      const gradients = grad(sum(tanh(scaled)), [a, b]);
      const penalty = gradients.map((g) => sum(square(g))).reduce((x, y) => add(x, y));
      return [...gradients, ...grad(penalty, [a, b])];
    },
  );
  const want = await run(outputs, { passes: { algebra: false } });
  for (const target of targets) {
    const apart = distance(await run(outputs, { target }), want);
    assertLess(apart, 2e-5, `${JSON.stringify(target)}: ${apart}`);
  }
});

Deno.test("the same product has the same bits each time", async () => {
  const [a, b] = operands({ m: 33, n: 1, k: 131 }, {});
  const [first, second] = [await run([matmul(a, b)], {}), await run([matmul(a, b)], {})];
  assertEquals(first, second);
});

/** The kernels of a program on one of two kinds of machine. */
function kernels(outputs: readonly Tensor[], { cpu }: { cpu: boolean }): string[] {
  const target = { ...targetOf(gpu), cpu, images: cpu, subgroups: undefined, choose: undefined };
  const program = { name: "products", outputs, assignments: new Map() };
  return dispatchesOf(program, target, {}).map(({ kernel }) => kernel);
}

const machines = [{ cpu: true }, { cpu: false }];

Deno.test("an outer product takes no dispatch beside what reads it", () => {
  const [a, b] = operands({ m: 32, n: 512, k: 1 }, {}), rows = numbers([32, 512]);
  for (const machine of machines) {
    assertEquals(kernels([add(matmul(a, b), rows)], machine), ["pointwise"]);
    assertEquals(kernels([sum(mul(matmul(a, b), rows), { dim: 1 })], machine), ["reduce"]);
  }
});

Deno.test("a matrix with rows that lie together times a vector is one reduction", () => {
  const x = numbers([32, 4096]), w = numbers([1, 4096]);
  for (const machine of machines) {
    assertEquals(kernels([matmul(x, w, { transposeB: true })], machine), ["reduce"]);
    assertEquals(kernels([matmul(w, x, { transposeB: true })], machine), ["reduce"]);
  }
});

Deno.test("a sum over few rows is a reduction where a product has to pack its operands", () => {
  const x = numbers([32, 4096]), g = numbers([32, 1]);
  const product = matmul(g, x, { transposeA: true });
  assertEquals(kernels([product], { cpu: true }), ["reduce"]);
  assertEquals(kernels([product], { cpu: false }), ["matmul"]);
});

Deno.test("what reductions are slow at stays a product", () => {
  // Columns of many rows, and rows that have to be split.
  const tall = matmul(numbers([200, 1]), numbers([200, 512]), { transposeA: true });
  const long = matmul(numbers([1, 70_000]), numbers([1, 70_000]), { transposeB: true });
  const plain = matmul(numbers([9, 3]), numbers([3, 9]));
  for (const output of [tall, long, plain]) {
    for (const machine of machines) {
      assert(kernels([output], machine).every((kernel) => kernel === "matmul"), `${output}`);
    }
  }
});

Deno.test("a product of short rows stays one where it takes what follows into its kernel", () => {
  const product = matmul(numbers([500, 16]), numbers([16, 1]));
  assertEquals(kernels([tanh(product)], { cpu: false }), ["matmul"]);
  assertEquals(kernels([tanh(product)], { cpu: true }), ["reduce"]);
});
