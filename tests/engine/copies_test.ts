// Operands that were packed or transformed are shared by products, until what they were made from changes, and as
// far as there is memory to keep them.

import { assertEquals } from "@std/assert";
import {
  add,
  compile,
  conv2d,
  grad,
  matmul,
  mul,
  read,
  sub,
  sum,
  tanh,
  type Tensor,
  tensor,
  Variable,
} from "../../engine/mod.ts";
import { type Launched, shareCopies } from "../../engine/compile/copies.ts";
import { planOf } from "../../engine/compile/compile.ts";
import { livenessBound, ScratchSlot } from "../../engine/compile/memory.ts";
import { Plan } from "../../engine/compile/plan.ts";
import type { Dispatch, Slot } from "../../engine/kernels/dispatch.ts";
import { ImageSlot } from "../../engine/kernels/image.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { noise } from "../kernels/harness.ts";
import { device } from "./device.ts";

const gpu = await device();

const slot = (): Slot => ({ bytes: 16 });
const launch = (
  code: string,
  slots: Slot[],
  options: { flops?: number; written: Slot[] },
): Launched => {
  const dispatch: Dispatch = {
    ...{ kernel: "k", variant: "v", shape: "s", code, slots },
    workgroups: [1, 1, 1],
    flops: options.flops ?? 0,
  };
  return { dispatch, written: options.written };
};

Deno.test("a copy that is there already is left out, and its readers read the first", () => {
  const source = slot(), out = slot(), [a, b] = [new ImageSlot(4), new ImageSlot(4)];
  const kept = shareCopies([
    launch("pack", [source, a], { written: [a] }),
    launch("pack", [source, b], { written: [b] }),
    launch("product", [a, b, out], { flops: 1, written: [out] }),
  ], { cpu: true });
  assertEquals(kept.map(({ dispatch }) => dispatch.code), ["pack", "product"]);
  assertEquals(kept[1].dispatch.slots.map((slot) => slot === a), [true, true, false]);
});

Deno.test("a copy is made again in another layout, of other memory, or of what was written since", () => {
  const source = slot(), other = slot();
  const image = () => new ImageSlot(4);
  const copies = [image(), image(), image(), image()];
  const pack = (code: string, from: Slot, to: Slot) => launch(code, [from, to], { written: [to] });
  const kept = shareCopies([
    pack("pack", source, copies[0]),
    pack("pack turned", source, copies[1]),
    pack("pack", other, copies[2]),
    launch("update", [source], { written: [source] }),
    pack("pack", source, copies[3]),
  ], { cpu: true });
  assertEquals(kept.length, 5);
});

Deno.test("copies of a copy are shared, too", () => {
  const source = slot(), [a, b, c, d] = [1, 2, 3, 4].map(() => new ScratchSlot(16));
  const copy = (code: string, from: Slot, to: Slot) => launch(code, [from, to], { written: [to] });
  const product = (of: Slot) => launch("product", [of, slot()], { flops: 1, written: [] });
  const first = [copy("pack", source, a), copy("transform", a, c), product(c)];
  const second = [copy("pack", source, b), copy("transform", b, d), product(d)];
  const kept = shareCopies([...first, ...second], { cpu: false }).map(({ dispatch }) => dispatch);
  assertEquals(kept.map(({ code }) => code), ["pack", "transform", "product", "product"]);
  assertEquals(kept[3].slots[0], c);
});

/** A weight, transformed for two products; another between them needs memory of its own. */
function twice(weight: number, between: number): Launched[] {
  const source = slot(), [a, b] = [new ScratchSlot(weight), new ScratchSlot(weight)];
  const transform = (to: Slot) => launch("transform", [source, to], { written: [to] });
  const product = (operand: Slot) =>
    launch("product", [operand, slot()], { flops: 1, written: [] });
  return [transform(a), product(a), product(new ScratchSlot(between)), transform(b), product(b)];
}

const transformsIn = (launched: readonly Launched[], { cpu }: { cpu: boolean }): number =>
  shareCopies(launched, { cpu }).filter(({ dispatch }) => dispatch.code === "transform").length;

Deno.test("a GPU keeps a copy where there is memory that nothing else needs, or some to spare", () => {
  const some = 2 ** 27;
  // Beside what needs 8 times as much, or little altogether.
  assertEquals(transformsIn(twice(some, 8 * some), { cpu: false }), 1);
  assertEquals(transformsIn(twice(2 * some, 16 * some), { cpu: false }), 1);
  assertEquals(transformsIn(twice(some, some), { cpu: false }), 1);
  assertEquals(transformsIn(twice(2 * some, 4 * some), { cpu: false }), 2);
  assertEquals(transformsIn(twice(2 * some, 4 * some), { cpu: true }), 1);
  // Not more than is needed anyway.
  assertEquals(transformsIn(twice(2 * some, some), { cpu: false }), 1);
});

Deno.test("where there is not memory for all copies, those that are kept the shortest are", () => {
  const bytes = 3 * 2 ** 26, [x, y] = [slot(), slot()];
  const transform = (from: Slot) => {
    const to = new ScratchSlot(bytes);
    return [
      launch("transform", [from, to], { written: [to] }),
      launch("product", [to, slot()], { flops: 1, written: [] }),
    ];
  };
  const large = launch("large", [new ScratchSlot(8 * bytes)], { flops: 1, written: [] });
  const kept = shareCopies(
    [...transform(x), ...transform(y), large, ...transform(y), ...transform(x)],
    { cpu: false },
  ).map(({ dispatch }) => dispatch);
  const sources = kept.filter(({ code }) => code === "transform").map(({ slots }) => slots[0]);
  assertEquals(sources.map((slot) => [x, y].indexOf(slot)), [0, 1, 0]);
  assertEquals(livenessBound(kept), 9 * bytes);
});

Deno.test("a weight is packed once for two products, and again after it was updated", async () => {
  const weight = new Variable([1, 2, 3, 4], [2, 2]);
  const step = compile((x, y) => {
    const before = matmul(x, weight.value), beside = matmul(y, weight.value);
    weight.assign(mul(weight.value, 2));
    return { before, beside, after: matmul(x, weight.value) };
  });
  const x = tensor([1, 0, 0, 1], [2, 2]), y = tensor([2, 0, 0, 2], [2, 2]);
  const [before, beside, after] = await read(Object.values(step(x, y)));
  assertEquals([...before], [1, 2, 3, 4]);
  assertEquals([...beside], [2, 4, 6, 8]);
  assertEquals([...after], [2, 4, 6, 8]);
  if (!gpu.adapter.cpu || !gpu.images) return;
  const { dispatches } = planOf(step, [x, y]);
  // Of five different operands: x, y and the weight, and the weight again.
  const packs = dispatches.flatMap(({ variant }) => [...variant.matchAll(/(?:(\d) x )?pack/g)]);
  assertEquals(packs.reduce((sum, [, count = "1"]) => sum + Number(count), 0), 4);
});

const SIDE = 10;

/** A convolution goes over two batches, learns from both, and goes over one again. */
function threePasses(kernel: 3 | 4): { outputs: Tensor[]; assignments: Map<Variable, Tensor> } {
  const stride = kernel === 3 ? 1 : 2, [from, to] = [6, 9], shape = [to, from, kernel, kernel];
  const weight = new Variable(noise(to * from * kernel ** 2, 1), shape);
  const forward = (x: Tensor, by: Tensor): Tensor => conv2d(x, by, { stride, padding: 1 });
  const batches = [2, 3].map((seed) =>
    tensor(noise(4 * from * SIDE ** 2, seed), [4, from, SIDE, SIDE])
  );
  const outputs = batches.map((x) => tanh(forward(x, weight.value)));
  const loss = outputs.map((y) => sum(mul(y, y))).reduce((a, b) => add(a, b));
  const [gradient, ...others] = grad(loss, [weight.value, ...batches]);
  const next = sub(weight.value, mul(gradient, 0.1));
  return {
    outputs: [...outputs, ...others, forward(batches[0], next)],
    assignments: new Map([[weight, next]]),
  };
}

Deno.test("on GPUs a weight is transformed once for all that multiply by it, and again after an update", async () => {
  for (const kernel of [3, 4] as const) {
    for (const variant of ["winograd 2 tiled", "winograd 4 tiled"]) {
      const run = async (copies: boolean) => {
        const { outputs, assignments } = threePasses(kernel), [weight] = assignments.keys();
        const plan = new Plan(gpu, { name: "three passes", outputs, assignments }, {
          ...{ variant, passes: { copies, join: false }, target: { cpu: false } },
        });
        plan.run();
        plan.run();
        const bytes = await readBuffers(gpu, [...plan.outputs, weight.bufferOn(gpu)]);
        const count = (what: string) =>
          plan.dispatches.filter((each) => each.variant.split(" + ")[0] === `${variant} ${what}`)
            .length;
        plan.destroy();
        weight.destroy();
        return {
          bits: bytes.map((each) => new Uint32Array(each)),
          counts: ["weight", "source", "x", "grad", "result"].map(count),
        };
      };
      const shared = await run(true), apart = await run(false);
      assertEquals(apart.counts, [5, 5, 2, 2, 7]);
      const [weights, ...others] = shared.counts;
      assertEquals(weights, 2);
      assertEquals(others.slice(2), [2, 7]);
      assertEquals(shared.bits, apart.bits);
    }
  }
});
