import { assertEquals, assertNotEquals } from "@std/assert";
import { decodePicture } from "../../data/mod.ts";
import { Device } from "../../engine/mod.ts";
import { drawAugmented } from "../../examples/augmented.ts";
import { SIZE, tinyDataset } from "../training/tiny.ts";

await Device.open();

Deno.test("the example shows real pictures as they are, and changed in each way", async () => {
  const dataset = tinyDataset();
  const { width, height, rgba } = await decodePicture(await drawAugmented(dataset));
  const cell = 2 * SIZE + 2, top = 7 + 3;
  assertEquals([width, height], [5 * cell + 2, top + 4 * cell + 2]);
  const at = (column: number, x: number) => {
    const start = 4 * ((top + 2 + 5) * width + 2 + column * cell + x);
    return [...rgba.subarray(start, start + 3)];
  };
  const real = [0, 1, 2].map((channel) => dataset.images[channel * SIZE ** 2 + 2 * SIZE + 3]);
  assertEquals(at(0, 6), real);
  assertNotEquals(at(1, 6), real);
});
