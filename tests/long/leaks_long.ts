import { assertEquals, assertLess } from "@std/assert";
import { Device } from "../../engine/mod.ts";
import { train } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyDataset, tinySettings } from "../training/tiny.ts";

const STEPS = 2000;
const WARM = 400;
const MEBIBYTE = 2 ** 20;

Deno.test(`${STEPS} steps with grids and checkpoints keep memory where it was`, async () => {
  const device = await Device.open();
  using folder = temporaryFolder();
  const seen: { step: number; rss: number; buffers: number; bytes: number }[] = [];
  await train(tinyDataset(), {
    folder: folder.path,
    settings: tinySettings,
    schedule: { steps: STEPS, logEvery: 50, gridEvery: 100, checkpointEvery: 100 },
    onProgress: ({ step }) => seen.push({ step, rss: Deno.memoryUsage().rss, ...device.memory }),
  });
  const warm = seen.filter(({ step }) => step > WARM);
  assertEquals(new Set(warm.map(({ buffers, bytes }) => `${buffers} ${bytes}`)).size, 1);
  const growth = (warm.at(-1)!.rss - warm[0].rss) / MEBIBYTE;
  console.log(`${device.memory.buffers} buffers; the process grew by ${growth.toFixed(1)} MiB`);
  assertLess(growth, 20);
});
