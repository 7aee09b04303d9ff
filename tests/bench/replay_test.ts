import { assert, assertEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { summarize, timeReplay } from "../../bench/replay.ts";
import { compile, Device, read, sum, tensor } from "../../engine/mod.ts";

const { finish } = GPUCommandEncoder.prototype, { submit } = GPUQueue.prototype;

/** Whether WebGPU is as it was before it was timed. */
function assertRestored(): void {
  assertStrictEquals(GPUCommandEncoder.prototype.finish, finish);
  assertStrictEquals(GPUQueue.prototype.submit, submit);
}

Deno.test("A replay is told in parts, and gives what it gives untimed", async () => {
  await Device.open();
  const total = compile((x) => sum(x)), x = tensor([1, 2, 3]);
  total(x);
  const { result, time } = timeReplay(() => total(x));
  assertRestored();
  assertEquals([...(await read([result]))[0]], [6]);
  for (const part of Object.values(time)) assert(part > 0, JSON.stringify(time));
});

Deno.test("What is not called takes no time, and what fails leaves nothing behind", () => {
  const { result, time: { finish, submit } } = timeReplay(() => 7);
  assertEquals([result, finish, submit], [7, 0, 0]);
  const failing = () => {
    throw new Error("no device");
  };
  assertThrows(() => timeReplay(failing), Error, "no device");
  assertRestored();
});

Deno.test("Replays are summarized by the middle of each part, and of their sums", () => {
  const times = [
    { record: 1, finish: 9, submit: 1 },
    { record: 2, finish: 2, submit: 2 },
    { record: 3, finish: 1, submit: 3 },
  ];
  assertEquals(summarize(times), { total: 7, parts: { record: 2, finish: 2, submit: 2 } });
});
