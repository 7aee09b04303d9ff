import { assertEquals } from "@std/assert";
import { livenessBound, place } from "../../engine/compile/memory.ts";
import { ArenaSlot } from "../../engine/compile/memory.ts";
import type { Dispatch, Slot } from "../../engine/kernels/dispatch.ts";
import { groupKernels } from "../../bench/roofline.ts";

function dispatch(kernel: string, slots: Slot[], flops = 0): Dispatch {
  return { kernel, variant: "v", shape: "s", code: "", slots, workgroups: [1, 1, 1], flops };
}

Deno.test("Dispatches that do the same are one row, the longest first, with its rates", () => {
  const slots = [{ bytes: 30 }, { bytes: 10 }];
  const dispatches = [dispatch("a", slots), dispatch("b", slots, 500), dispatch("b", slots, 500)];
  // Nanoseconds: operations a nanosecond are 10^9 a second.
  assertEquals(groupKernels(dispatches, [100, 200, 100]), [
    {
      ...{ kernel: "b", variant: "v", shape: "s", count: 2 },
      ...{ ms: 300e-6, share: 0.75, gflops: 1000 / 300, gigabytes: 80 / 300 },
    },
    {
      ...{ kernel: "a", variant: "v", shape: "s", count: 1 },
      ...{ ms: 100e-6, share: 0.25, gflops: 0, gigabytes: 0.4 },
    },
  ]);
});

Deno.test("The liveness bound is what is alive at the worst moment, and placements keep to it", () => {
  const [a, b, c] = [256, 512, 1024].map((bytes) => new ArenaSlot(bytes));
  const outside = { bytes: 4096 };
  const dispatches = [dispatch("x", [outside, a]), dispatch("y", [a, b]), dispatch("z", [b, c])];
  assertEquals(livenessBound(dispatches), 512 + 1024);
  const { buffers } = place(dispatches, { maxBytes: 2 ** 20, maxRows: 2 ** 14, reuse: true });
  assertEquals(buffers.lengths, [512 + 1024]);
  assertEquals(livenessBound([]), 0);
});
