// Packed operands are shared by products, until what they were packed from changes.

import { assertEquals } from "@std/assert";
import { compile, matmul, mul, read, tensor, Variable } from "../../engine/mod.ts";
import { shareCopies } from "../../engine/compile/copies.ts";
import { planOf } from "../../engine/compile/compile.ts";
import type { Dispatch, Slot } from "../../engine/kernels/dispatch.ts";
import { ImageSlot } from "../../engine/kernels/image.ts";
import { device } from "./device.ts";

const gpu = await device();

const slot = (): Slot => ({ bytes: 16 });
const launch = (code: string, slots: Slot[], options: { flops?: number; written: Slot[] }) => {
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
  ]);
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
  ]);
  assertEquals(kept.length, 5);
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
  assertEquals(dispatches.filter(({ variant }) => variant.startsWith("pack")).length, 4);
});
