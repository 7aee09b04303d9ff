// The same kernel on other memory in one dispatch: which may, when, and that nothing else changes.

import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import {
  add,
  conv2d,
  grad,
  leakyRelu,
  matmul,
  mean,
  moments,
  mul,
  reshape,
  sub,
  sum,
  tanh,
  type Tensor,
  tensor,
  Variable,
} from "../../engine/mod.ts";
import type { Launched } from "../../engine/compile/copies.ts";
import { shareInstances } from "../../engine/compile/instances.ts";
import { livenessBound, place, textureRows } from "../../engine/compile/memory.ts";
import { partnersOf } from "../../engine/compile/neighbours.ts";
import type { Passes } from "../../engine/compile/passes.ts";
import { Plan } from "../../engine/compile/plan.ts";
import type { Dispatch, Slot } from "../../engine/kernels/dispatch.ts";
import { IMAGE_WIDTH, ImageSlot } from "../../engine/kernels/image.ts";
import { TexelSlot } from "../../engine/kernels/texels.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { device } from "./device.ts";

const gpu = await device();

/** A launch of the kernel `code` that reads all but the last slot, and writes that. */
function launch(code: string, ...slots: Slot[]): Launched {
  const written = slots.slice(-1), writes = written.filter((slot) => slot instanceof ImageSlot);
  const names = { kernel: "k", variant: code, shape: "s", code };
  return { dispatch: { ...names, slots, writes, workgroups: [2, 1, 1], flops: 5 }, written };
}

const texels = (count = 4): TexelSlot => new TexelSlot(4 * count);
const image = (rows = 1): ImageSlot => new ImageSlot(rows * IMAGE_WIDTH);
const twins = (launched: readonly Launched[]): Dispatch[] =>
  shareInstances(launched).map(({ dispatch }) => dispatch);
const ran = (launched: readonly Launched[]): string[] =>
  twins(launched).map(({ variant }) => variant);

Deno.test("the same kernel on other texels runs in the first one's turn", () => {
  const [a, b, c, d, e] = Array.from({ length: 5 }, () => texels());
  const launched = [launch("k", a, b), launch("other", b, e), launch("k", c, d)];
  const [first, second, ...rest] = twins(launched);
  assertEquals([first.variant, second.variant, rest.length], ["2 x k", "other", 0]);
  assertEquals([first.slots, first.instances], [[a, b], [[c, d]]]);
  assertEquals([first.workgroups, first.flops], [[2, 1, 2], 10]);
});

Deno.test("no more than two run at once, and only on memory that is told by numbers", () => {
  const out = () => texels(), x = texels(), one = { bytes: 16 }, two = { bytes: 16 };
  assertEquals(ran([1, 2, 3].map(() => launch("k", x, out()))), ["2 x k", "k"]);
  assertEquals(ran([launch("k", one, out()), launch("k", one, out())]), ["2 x k"]);
  assertEquals(ran([launch("k", one, out()), launch("k", two, out())]), ["k", "k"]);
  assertEquals(ran([launch("k", one, { bytes: 16 }), launch("k", one, { bytes: 16 })]), ["k", "k"]);
});

Deno.test("who needs what the first writes, or writes what it reads, stays behind", () => {
  const [a, b, c, d] = Array.from({ length: 4 }, () => texels());
  assertEquals(ran([launch("k", a, b), launch("k", b, c)]), ["k", "k"]);
  assertEquals(ran([launch("k", a, b), launch("k", c, a)]), ["k", "k"]);
  assertEquals(ran([launch("k", a, b), launch("k", c, b)]), ["k", "k"]);
  // And who needs it by way of another.
  assertEquals(ran([launch("k", a, b), launch("m", b, c), launch("k", c, d)]), ["k", "m", "k"]);
  // Whoever still reads what it writes comes first, too.
  assertEquals(ran([launch("k", a, b), launch("m", b, c), launch("k", d, b)]), ["k", "m", "k"]);
});

Deno.test("one dispatch that is waited for comes along, two do not", () => {
  const [a, b, c, d, e, f] = Array.from({ length: 6 }, () => texels());
  assertEquals(ran([launch("k", a, b), launch("m", c, d), launch("k", d, e)]), ["m", "2 x k"]);
  const two = [launch("k", a, b), launch("m", c, d), launch("n", d, e), launch("k", e, f)];
  assertEquals(ran(two), ["k", "m", "n", "k"]);
});

Deno.test("everything stays as it was where too much memory would be kept for longer", () => {
  const run = (large: number): string[] => {
    const [a, b, c, d, x] = [texels(large), texels(), texels(large), texels(), texels()];
    // Alone, each of the large ones is needed no longer when the other comes; `n` cannot be passed by.
    return ran([
      launch("k", x, a),
      launch("m", a, b),
      launch("k", x, c),
      launch("n", c, b, d),
    ]);
  };
  assertEquals(run(2 ** 23), ["2 x k", "m", "n"]);
  assertEquals(run(2 ** 23 + 8), ["k", "m", "k", "n"]);
});

Deno.test("what would be kept for long keeps its turn, and others share theirs", () => {
  const kept = 2 ** 23 + 8, rest = Array.from({ length: 60 }, () => texels());
  const [a, b, c, d, x, y] = [texels(kept), texels(), texels(kept), texels(), texels(), texels()];
  const between = rest.slice(1).map((slot, at) => launch(`step ${at}`, rest[at], slot));
  const launched = [launch("k", x, a), launch("m", a, b), ...between];
  const pair = [launch("p", x, y), launch("p", b, d)];
  assertEquals(
    ran([...launched, ...pair, launch("k", x, c), launch("n", c, d)]).filter((name) =>
      !name.startsWith("step")
    ),
    ["k", "m", "2 x p", "k", "n"],
  );
});

Deno.test("what instances read lies in one texture, and what they write in another", () => {
  const [a, b, c, d, e] = [image(3), image(2), image(1), image(4), image(5)], x = texels();
  const dispatches = twins([
    launch("pack", x, a),
    launch("fill", x, e),
    launch("pack", x, c),
    launch("product", a, b),
    launch("product", c, d),
  ]);
  assertEquals(dispatches.map(({ variant }) => variant), ["2 x pack", "fill", "2 x product"]);
  assertEquals([...partnersOf(dispatches).get(a)!], [a, c]);
  const { of } = place(dispatches, { maxBytes: 2 ** 20, maxRows: 1000, reuse: true }).images;
  const [A, B, C, D] = [a, b, c, d].map((slot) => of.get(slot)!.arena);
  assertEquals([A, B], [C, D]);
  assert(A !== B);
  // Where a texture does not reach that far, the placement says so.
  const low = place(dispatches, { maxBytes: 2 ** 20, maxRows: 5, reuse: true });
  assertEquals(textureRows(low).images, 6);
});

Deno.test("kernels stay apart where what is read would have to lie where it is written", () => {
  const [a, b, c, d] = [image(), image(), image(), image()], x = texels();
  const packs = [launch("pack", x, a), launch("pack", x, b)];
  assertEquals(ran([...packs, launch("move", a, c)]), ["2 x pack", "move"]);
  assertEquals(ran([...packs, launch("move", a, b)]), ["pack", "pack", "move"]);
  // Nor where partners of theirs would.
  const moves = [launch("move", c, a), launch("move", d, b)];
  assertEquals(ran([...packs, launch("pack", x, c), launch("pack", x, d), ...moves]), [
    "2 x pack",
    "2 x pack",
    "2 x move",
  ]);
  const mixed = [launch("pack", x, a), launch("pack", x, c), launch("move", a, b)];
  assertEquals(ran([...mixed, launch("move", b, d), launch("move", d, c)]), [
    "2 x pack",
    "move",
    "move",
    "move",
  ]);
});

const numbers = (shape: readonly number[], seed: number): Float32Array<ArrayBuffer> =>
  Float32Array.from(
    { length: shape.reduce((a, b) => a * b, 1) },
    (_, i) => Math.sin(seed + 1.7 * i),
  );

/** A small net goes over two batches, and learns from both: the shapes are odd. */
function twoPasses(): { outputs: Tensor[]; assignments: Map<Variable, Tensor> } {
  const variable = (shape: readonly number[], seed: number): Variable =>
    new Variable(numbers(shape, seed).map((x) => x / 4), shape);
  const first = variable([36, 3, 3, 3], 1), second = variable([72, 36, 3, 3], 2);
  const features = 72 * 12 * 15, last = variable([5, features], 3);
  const weights = [first, second, last];
  const forward = (images: Tensor): Tensor => {
    const x = leakyRelu(conv2d(images, first.value, { padding: 1 }), { negativeSlope: 0.2 });
    const y = conv2d(x, second.value, { padding: 1 });
    const { mean: middle } = moments(y, { dim: [0, 2, 3] });
    const z = tanh(sub(y, reshape(middle, [1, 72, 1, 1])));
    return matmul(reshape(z, [5, features]), last.value, { transposeB: true });
  };
  const batch = (seed: number): Tensor => {
    const x = tensor(numbers([5, 3, 12, 15], seed), [5, 3, 12, 15]);
    return mul(x, 0.5);
  };
  const logits = [4, 5].map((seed) => forward(batch(seed)));
  const loss = add(mean(logits[0]), sum(mul(logits[1], logits[1])));
  const gradients = grad(loss, weights.map(({ value }) => value));
  return {
    outputs: [...logits, loss],
    assignments: new Map(weights.map((w, i) => [w, sub(w.value, mul(gradients[i], 0.01))])),
  };
}

Deno.test("two passes of a net, and their gradients, are the same to the bit in fewer dispatches", async () => {
  const run = async (passes: Partial<Passes>) => {
    const { outputs, assignments } = twoPasses(), variables = [...assignments.keys()];
    const plan = new Plan(gpu, { name: "two passes", outputs, assignments }, { passes });
    plan.run();
    plan.run();
    const bytes = await readBuffers(gpu, [
      ...plan.outputs,
      ...variables.map((variable) => variable.bufferOn(gpu)),
    ]);
    const { dispatches } = plan;
    plan.destroy();
    variables.forEach((variable) => variable.destroy());
    return { bits: bytes.map((b) => new Uint32Array(b)), dispatches };
  };
  const { memory } = gpu;
  const joined = await run({ join: false }), apart = await run({ join: false, instances: false });
  assertEquals(joined.bits, apart.bits);
  assertGreater(new Set(joined.bits[0]).size, 10);
  assertEquals(gpu.memory, memory);
  if (!gpu.adapter.cpu || !gpu.images) return;
  const instances = joined.dispatches.filter((dispatch) => dispatch.instances !== undefined);
  assertGreater(instances.length, 10);
  const kinds = ["pack", "image", "winograd 4 source", "winograd 4 result", "sum of"];
  for (const kind of kinds) {
    assert(instances.some(({ variant }) => variant.includes(kind)), `no two of "${kind}"`);
  }
  assert(instances.some(({ variant }) => variant.includes(" + ")), "no fused");
  assertEquals(joined.dispatches.length, apart.dispatches.length - instances.length);
  const grown = livenessBound(joined.dispatches) - livenessBound(apart.dispatches);
  assertLessOrEqual(grown, 2 ** 24);
});
