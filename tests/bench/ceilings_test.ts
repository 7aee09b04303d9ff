import { assertEquals } from "@std/assert";
import { copies, copyOf } from "../../bench/ceilings.ts";
import { Device, read, tensor } from "../../engine/mod.ts";

await Device.open();

Deno.test("The copies that set the roof copy", async () => {
  const numbers = Float32Array.from({ length: 16 * 77 }, (_, i) => Math.sin(i));
  const results = await read(copies.map((way) => copyOf(tensor(numbers), way)));
  for (const result of results) assertEquals(result, numbers);
});
