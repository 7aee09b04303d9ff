// Trains for so many steps, and prints what memory it took: in a process of its own, for what a process takes is all
// its threads', and tests that run at the same time are threads of one.

import { Device } from "../../engine/mod.ts";
import { train } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyDataset, tinySettings } from "../training/tiny.ts";

/** What there is after some steps: bytes of the process, buffers of the device, and their bytes. */
export interface MemorySeen {
  readonly step: number;
  readonly rss: number;
  readonly buffers: number;
  readonly bytes: number;
}

if (import.meta.main) {
  const device = await Device.open();
  using folder = temporaryFolder();
  const seen: MemorySeen[] = [];
  await train(tinyDataset(), {
    folder: folder.path,
    settings: tinySettings,
    schedule: { steps: Number(Deno.args[0]), logEvery: 50, gridEvery: 100, checkpointEvery: 100 },
    onProgress: ({ step }) => seen.push({ step, rss: Deno.memoryUsage().rss, ...device.memory }),
  });
  console.log(JSON.stringify(seen));
}
