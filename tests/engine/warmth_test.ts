// What keeps a GPU at the clock that it works at while measurements are prepared.

import { assert, assertEquals } from "@std/assert";
import { Warmth } from "../../engine/tuning/warmth.ts";
import { device } from "./device.ts";

const adapter = await device();

/** How often work was submitted meanwhile. */
function submits(work: () => void): number {
  const { queue } = adapter, { submit } = queue;
  let count = 0;
  queue.submit = (buffers) => {
    count++;
    submit.call(queue, buffers);
  };
  try {
    work();
  } finally {
    queue.submit = submit;
  }
  return count;
}

Deno.test("a GPU that is kept warm works until its speed is steady, and then for as long as it is told to", async () => {
  const { memory } = adapter;
  const warmth = new Warmth(adapter, { needed: true, side: 256 });
  try {
    await warmth.reach();
    const short = submits(() => warmth.fill(0.03)), long = submits(() => warmth.fill(0.3));
    assert(short > 0 && long <= 10 * short && long > 10 * (short - 1), `${short} and ${long} runs`);
    await adapter.idle();
  } finally {
    warmth.close();
  }
  assertEquals(adapter.memory, memory);
});

Deno.test("a CPU adapter is not warmed: nothing is allocated, nothing run", async () => {
  const { memory } = adapter;
  const warmth = new Warmth(adapter, { needed: false });
  await warmth.reach();
  assertEquals(submits(() => warmth.fill(10)), 0);
  assertEquals(adapter.memory, memory);
  warmth.close();
});
