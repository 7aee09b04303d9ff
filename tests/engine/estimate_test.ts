import { assertEquals, assertLess } from "@std/assert";
import { add, compile, matmul, mul, relu, sum, tensor, Variable } from "../../engine/mod.ts";
import { device } from "./device.ts";

const { adapter: { cpu } } = await device();

Deno.test("what a call would take is what it takes", () => {
  const weight = new Variable(new Float32Array(64 * 64), [64, 64]);
  const step = compile((x) => {
    const y = relu(matmul(x, weight.value)), z = relu(matmul(y, weight.value));
    weight.assign(mul(weight, 0.5));
    return sum(add(matmul(z, y, { transposeB: true }), 1), { dim: 1 });
  });
  const x = tensor(new Float32Array(128 * 64), [128, 64]);
  const estimate = step.estimate([x], { cpu });
  assertEquals(estimate.variables, 4 * 64 * 64);
  assertEquals(estimate.inputs, 4 * (128 * 64 + 128));
  step(x);
  const { dispatches, bytes } = step.footprint(x);
  assertEquals(estimate.dispatches, dispatches);
  assertLess(Math.abs(estimate.bytes / bytes - 1), 0.1);
});

Deno.test("a batch of twice the size takes twice the memory, and no more variables", () => {
  const weight = new Variable(new Float32Array(64 * 64), [64, 64]);
  const square = compile((x) => matmul(relu(matmul(x, weight.value)), weight.value));
  const of = (batch: number) =>
    square.estimate([tensor(new Float32Array(batch * 64), [batch, 64])], { cpu: false });
  const [one, two] = [of(256), of(512)];
  assertEquals(two.variables, one.variables);
  assertEquals([two.inputs, two.bytes], [2 * one.inputs, 2 * one.bytes]);
});
