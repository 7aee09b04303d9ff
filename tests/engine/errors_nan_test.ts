// KAO_DEBUG=nan names the op, and the line, that made the first number that is none.

import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import {
  Adam,
  add,
  cast,
  compile,
  Device,
  div,
  exp,
  grad,
  HostGenerator,
  Linear,
  log,
  matmul,
  mean,
  mul,
  permute,
  pow,
  read,
  reshape,
  sigmoid,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  tensor,
  Variable,
} from "../../engine/mod.ts";
import { debugFlags } from "../../engine/debug.ts";

const HERE = import.meta.url;

/** Runs with the flag on and a device of its own: what is found lets the device fail. */
function audited(name: string, fn: (gpu: Device) => Promise<void>): void {
  Deno.test(name, async () => {
    debugFlags.add("nan");
    const gpu = await Device.open();
    try {
      await fn(gpu);
    } finally {
      debugFlags.delete("nan");
      gpu.destroy();
    }
  });
}

/** The number of the line that holds `text`, and nothing else of it. */
function lineOf(text: string): number {
  const lines = Deno.readTextFileSync(new URL(HERE)).split("\n");
  const found = lines.flatMap((line, at) => line.includes(`${text} // here`) ? [at + 1] : []);
  assertEquals(found.length, 1, `${text} stands once in this file`);
  return found[0];
}

audited("a logarithm of a negative number is named with its line and its input", async () => {
  const x = tensor([3, 2, 1, 0.5], [2, 2]);
  const y = sub(x, 0.75);
  const z = log(y); // here
  const { message } = await assertRejects(() => read([exp(sum(z))]), Error);
  const line = lineOf("const z = log(y);");
  assertEquals(message.split("\n").slice(0, 3), [
    "KAO_DEBUG=nan: log made NaN at [1, 1] of f32 [2, 2] in read",
    `  at ${HERE}:${line}:13`,
    "  input 0: sub f32 [2, 2] from -0.25 to 2.25",
  ]);
});

audited("a logarithm of a negative slope, in the middle of a gradient, is named", async () => {
  const x = new Variable([1, -2, 3], [3], { name: "x" });
  const penalty = compile(() => {
    const [slope] = grad(sum(square(x)), [x]);
    const loss = sum(log(slope)); // here
    const [steep] = grad(loss, [x]);
    return [loss, steep];
  }, { name: "penalty" });
  const { message } = await assertRejects(() => read(penalty()), Error);
  const line = lineOf("const loss = sum(log(slope));");
  assertEquals(message.split("\n"), [
    "KAO_DEBUG=nan: log made NaN at [1] of f32 [3] in penalty",
    `  at ${HERE}:${line}:22`,
    "  input 0: mul f32 [3] from -4 to 6",
  ]);
});

audited("a quotient that only a derivative takes is named with its op", async () => {
  const square = tensor([0, 4]);
  const side = sqrt(square); // here
  const [slope] = grad(sum(side), [square]);
  const { message } = await assertRejects(() => read([side, slope]), Error);
  const line = lineOf("const side = sqrt(square);");
  assertEquals(
    message.split("\n")[0],
    "KAO_DEBUG=nan: div made Infinity at [0] of f32 [2] in read",
  );
  assertEquals(
    message.includes(`, in the derivative of sqrt at ${HERE}:${line}:16`),
    true,
    message,
  );
});

audited("a division by zero in a training step stops the next read", async () => {
  const net = new Linear(2, 2, { generator: new HostGenerator(1) });
  const optimizer = new Adam(net.namedParameters(), { lr: 0.1 });
  const step = compile((x, count) => {
    const y = softmax(net.forward(x), { dim: 1 });
    const share = div(sum(y, { dim: 0 }), count); // here
    const loss = mean(share);
    optimizer.minimize(loss);
    return loss;
  }, { name: "train" });
  const x = tensor([1, 2, 3, 4], [2, 2]);
  await read([step(x, tensor([2, 1]))]);
  await read([step(x, tensor([2, 1]))]);
  const loss = step(x, tensor([2, 0]));
  const { message } = await assertRejects(() => read([loss]), Error);
  const line = lineOf("const share = div(sum(y, { dim: 0 }), count);");
  assertMatch(message, /^KAO_DEBUG=nan: div made Infinity at \[1\] of f32 \[2\] in train\n/);
  assertEquals(message.includes(`${HERE}:${line}:19`), true, message);
  assertMatch(message, /\n {2}input 0: reshape f32 \[2\] from [\d.]+ to [\d.]+\n/);
  assertMatch(message, /\n {2}input 1: argument f32 \[2\] from 0 to 2$/);
  await assertRejects(() => read([net.weight]), Error, message);
});

audited("what only the derivative makes is found there", async () => {
  const w = new Variable([0, 4], [2], { name: "w" });
  const step = compile(() => {
    const root = pow(w, 0.5); // here
    const [slope] = grad(sum(root), [w]);
    return slope;
  }, { name: "slope" });
  const { message } = await assertRejects(() => read([step()]), Error);
  assertMatch(message, /^KAO_DEBUG=nan: div made Infinity at \[0\] of f32 \[2\] in slope/);
  const line = lineOf("const root = pow(w, 0.5);");
  assertEquals(message.includes(`, in the derivative of sqrt at ${HERE}:${line}:`), true, message);
});

audited("numbers that come in bad are named as what was given", async () => {
  const weight = new Variable([1, NaN], [2], { name: "weight" });
  const { message } = await assertRejects(() => read([mul(weight, 2)]), Error);
  assertMatch(
    message,
    /^KAO_DEBUG=nan: read was given NaN at \[1\] of f32 \[2\], a variable "weight" made at /,
  );
});

audited("steps whose numbers are all finite run as without it", async (gpu) => {
  const w = new Variable([0.5, -1, 2, 0.25], [2, 2]);
  const bytes = tensor(new Uint8Array([0, 255, 128, 1]), [2, 2]);
  const step = compile((x, image) => {
    const pixels = div(cast(permute(image, [1, 0]), "f32"), 255);
    const y = sigmoid(add(matmul(pixels, w), reshape(x, [1, 2])));
    const loss = mean(y);
    const [gradient] = grad(loss, [w]);
    w.assign(sub(w, gradient));
    return { loss, y };
  });
  const run = async (device: Device): Promise<number[][]> => {
    w.set([0.5, -1, 2, 0.25]);
    const { loss, y } = step(tensor([0.1, -0.2]), bytes);
    const numbers = await read([loss, y, w]);
    device.destroy();
    return numbers.map((values) => [...values].map((value) => Number(value.toPrecision(5))));
  };
  const slow = await run(gpu);
  debugFlags.delete("nan");
  assertEquals(slow, await run(await Device.open()));
});
