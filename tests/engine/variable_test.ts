import { assertEquals, assertThrows } from "@std/assert";
import {
  add,
  compile,
  concat,
  dependsOn,
  flip,
  grad,
  gt,
  matmul,
  mul,
  read,
  slice,
  sub,
  sum,
  tensor,
  Variable,
} from "../../engine/mod.ts";
import { device } from "./device.ts";

await device();

const numbers = async (...variables: Variable[]): Promise<number[][]> =>
  (await read(variables)).map((x) => [...x]);

Deno.test("an assignment is seen by what is written after it, and by the next call", async () => {
  const x = new Variable([1, 2], [2]);
  const step = compile(() => {
    const before = add(x, 0.5);
    x.assign(mul(x, 10));
    return { before, after: add(x, 0.5) };
  });
  const { before, after } = step();
  assertEquals((await read([before, after])).map((v) => [...v]), [[1.5, 2.5], [10.5, 20.5]]);
  step();
  assertEquals(await numbers(x), [[100, 200]]);
});

Deno.test("two variables can exchange their values", async () => {
  const a = new Variable([1, 2, 3], [3]), b = new Variable([4, 5, 6], [3]);
  const step = compile(() => {
    const [x, y] = [a.value, b.value];
    a.assign(y);
    b.assign(x);
  });
  step();
  assertEquals(await numbers(a, b), [[4, 5, 6], [1, 2, 3]]);
  step();
  assertEquals(await numbers(a, b), [[1, 2, 3], [4, 5, 6]]);
});

Deno.test("a variable can be assigned its own elements from other places", async () => {
  const x = new Variable([1, 2, 3, 4, 5], [5]);
  const turn = compile(() => x.assign(flip(x, [0])));
  turn();
  assertEquals(await numbers(x), [[5, 4, 3, 2, 1]]);
  const rotate = compile(() =>
    x.assign(concat([slice(x, [[1, null]]), slice(x, [[0, 1]])], { dim: 0 }))
  );
  rotate();
  assertEquals(await numbers(x), [[4, 3, 2, 1, 5]]);
});

Deno.test("a variable can be assigned a product of itself", async () => {
  const x = new Variable([1, 1, 1, 0], [2, 2]);
  const fibonacci = compile(() => x.assign(matmul(x, tensor([1, 1, 1, 0], [2, 2]))));
  for (let i = 0; i < 8; i++) fibonacci();
  assertEquals(await numbers(x), [[55, 34, 34, 21]]);
});

Deno.test("who needs the old value gets it, though the new one is also needed", async () => {
  const x = new Variable([1, 2], [2]), total = new Variable([0], [1]);
  const step = compile(() => {
    const old = x.value;
    x.assign(mul(old, 3));
    // Reads the new value through a reduction, and the old one after it.
    total.assign(sum(mul(old, sum(x.value, { keepdim: true })), { keepdim: true }));
  });
  step();
  assertEquals(await numbers(x, total), [[3, 6], [27]]);
});

Deno.test("two variables can be assigned the same value", async () => {
  const a = new Variable([0, 0], [2]), b = new Variable([0, 0], [2]);
  const step = compile((x) => {
    const y = add(x, 1);
    a.assign(y);
    b.assign(y);
    return y;
  });
  const [y] = await read([step(tensor([1, 2]))]);
  assertEquals([[...y], ...await numbers(a, b)], [[2, 3], [2, 3], [2, 3]]);
});

Deno.test("no gradient flows through an assignment", async () => {
  // x is updated by a loss of w; a later loss of x must not lead back to w, as in PyTorch.
  const w = new Variable([2], []), x = new Variable([5], []);
  const step = compile(() => {
    const [slope] = grad(mul(mul(x, w), x), [x]);
    x.assign(sub(x, mul(slope, 0.1)));
    const [g] = grad(add(mul(x, w), w), [w]);
    return g;
  });
  const [g] = await read([step()]);
  assertEquals(g[0], 5 - 0.1 * 20 + 1);
});

Deno.test("what happens to an array after it was given to a variable does not reach it", async () => {
  const data = new Float32Array([1, 2]), x = new Variable(data, [2]), y = new Variable(data, [2]);
  data.fill(0);
  y.set(data);
  data.fill(3);
  assertEquals(await numbers(x, y), [[1, 2], [0, 0]]);
});

Deno.test("set replaces a value before and after it is on the device", async () => {
  const x = new Variable([1, 2], [2]);
  x.set([3, 4]);
  assertEquals(await numbers(x), [[3, 4]]);
  x.set([5, 6]);
  assertEquals(await numbers(x), [[5, 6]]);
});

Deno.test("mistakes with variables are named with both shapes", () => {
  const x = new Variable([1, 2], [2], { name: "gain" });
  assertThrows(
    () => x.assign(tensor([1, 2])),
    Error,
    'Cannot assign to variable "gain" of f32 [2] outside a compiled function: use set(array)',
  );
  assertThrows(
    () => compile(() => x.assign(tensor([1, 2, 3])))(),
    TypeError,
    'Cannot assign f32 [3] to variable "gain" of f32 [2]',
  );
  assertThrows(
    () => x.set([1, 2, 3]),
    RangeError,
    'Cannot set variable "gain" of f32 [2] from 3 elements',
  );
  assertThrows(
    () => new Variable([1, 2], [3]),
    RangeError,
    "Cannot make a variable of shape [3] from 2 elements: it holds 3",
  );
});

Deno.test("dependsOn() follows differentiable ops alone, to a variable as it is here and now", async () => {
  const v = new Variable([1, 2], [2]);
  const seen: boolean[] = [];
  const trace = compile(() => {
    const before = mul(v, 2);
    v.assign(add(v, 1));
    seen.push(dependsOn(before, v), dependsOn(mul(v, 2), v), dependsOn(gt(v, 0), v));
    return before;
  });
  await read([trace()]);
  assertEquals(seen, [false, true, false]);
});
