import { assertEquals } from "@std/assert";
import { Device, read, tensor } from "kao/engine";
import type { Setup } from "kao/plugin";
import plugin, { warmth } from "./slider.ts";

await Device.open();

Deno.test("Red is warm, blue is cold, and grey is neither", async () => {
  const red = [1, -1, -1], blue = [-1, -1, 1], grey = [0, 0, 0];
  const [numbers] = await read([warmth(tensor([...red, ...blue, ...grey], [3, 3, 1, 1]))]);
  assertEquals([...numbers], [2, -2, 0]);
});

Deno.test("The slider goes from the coldest picture to the warmest", async () => {
  const measure = () => Promise.resolve(Float32Array.of(0.25, -0.5, 0.75));
  const { conditions } = await plugin.setup({ weight: 1 }, { measure } as unknown as Setup);
  assertEquals(conditions![0].help, "warmth of the colours, a number from -0.5 to 0.75");
  assertEquals(conditions![0].parse("-0.5"), [-1]);
});
