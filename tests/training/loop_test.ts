import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodePicture, UserError } from "../../data/mod.ts";
import { Device, DeviceLostError } from "../../engine/mod.ts";
import {
  DAMAGED,
  NEWEST,
  PREVIOUS,
  type Progress,
  type Schedule,
  train,
  type TrainSettings,
} from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyDataset, tinySettings } from "./tiny.ts";

await Device.open();

const schedule: Schedule = { steps: 12, logEvery: 4, gridEvery: 6, checkpointEvery: 6 };

/** Trains in `folder`, stopping after the report of step `stopAt` where that is given. */
async function start(
  folder: string,
  options: { settings?: TrainSettings; schedule?: Schedule; stopAt?: number; count?: number } = {},
) {
  const controller = new AbortController();
  const reports: Progress[] = [];
  const messages: string[] = [];
  const step = await train(tinyDataset(options.count), {
    folder,
    settings: options.settings ?? tinySettings,
    schedule: options.schedule ?? schedule,
    signal: controller.signal,
    onProgress(progress) {
      reports.push(progress);
      if (progress.step === options.stopAt) controller.abort();
    },
    onMessage: (message) => messages.push(message),
  });
  return { step, reports, messages };
}

const newest = (folder: string) => Deno.readFile(`${folder}/${NEWEST}`);
const metricsLines = async (folder: string) =>
  (await Deno.readTextFile(`${folder}/metrics.jsonl`)).trim().split("\n").map((line) =>
    JSON.parse(line)
  );

Deno.test("A run that was stopped twice ends with the bytes of one that was not", async () => {
  using whole = temporaryFolder();
  using stopped = temporaryFolder();
  await start(whole.path);
  assertEquals((await start(stopped.path, { stopAt: 4 })).step, 4);
  assertEquals((await start(stopped.path, { stopAt: 8 })).step, 8);
  const { step, messages } = await start(stopped.path);
  assertEquals([step, messages[0]], [12, "Going on from step 8"]);
  assertEquals(await newest(stopped.path), await newest(whole.path));
  assertEquals(await metricsLines(stopped.path), await metricsLines(whole.path));
});

Deno.test("Progress and metrics are reported at every log step and checkpoint", async () => {
  using folder = temporaryFolder();
  const { reports } = await start(folder.path);
  assertEquals(reports.map(({ step }) => step), [4, 6, 8, 12]);
  const lines = await metricsLines(folder.path);
  assertEquals(lines.map(({ step }) => step), [4, 6, 8, 12]);
  assertEquals(lines.map((line) => "holdout.hair" in line), [false, true, false, true]);
  for (const { metrics, imagesPerSecond, secondsLeft } of reports) {
    assert(imagesPerSecond > 0 && secondsLeft >= 0);
    assert(metrics["d.adv_real"] > 0 && metrics["accuracy.hair.real"] <= 1);
  }
});

Deno.test("Pictures are measured every so many steps and after the last, and the figures are logged", async () => {
  using folder = temporaryFolder();
  const measured: number[] = [];
  await train(tinyDataset(), {
    folder: folder.path,
    settings: tinySettings,
    schedule: { ...schedule, steps: 7 },
    evaluate: {
      every: 3,
      async run(pictures, step) {
        measured.push(step);
        const drawn = await pictures.draw(await pictures.requests([1, 2]));
        return { bytes: drawn.length };
      },
    },
  });
  assertEquals(measured, [3, 6, 7]);
  const lines = await metricsLines(folder.path);
  assertEquals(lines.map((line) => [line.step, line["eval.bytes"]]), [
    [3, 384],
    [4, undefined],
    [6, 384],
    [7, 384],
  ]);
});

Deno.test("A damaged newest checkpoint is set aside, and the run goes on from the one before", async () => {
  using whole = temporaryFolder();
  using damaged = temporaryFolder();
  await start(whole.path);
  await start(damaged.path);
  await Deno.truncate(`${damaged.path}/${NEWEST}`, 999);
  const { messages } = await start(damaged.path);
  assert(messages[0].includes(`${NEWEST} is damaged`), messages[0]);
  assertEquals(messages[1], "Going on from step 6");
  assertEquals(await newest(damaged.path), await newest(whole.path));
  assertEquals((await Deno.stat(`${damaged.path}/${DAMAGED}`)).size, 999);
  assertEquals((await Deno.stat(`${damaged.path}/${PREVIOUS}`)).size > 999, true);
});

Deno.test("Steps that are done again are logged once", async () => {
  using folder = temporaryFolder();
  await start(folder.path, { schedule: { ...schedule, steps: 6 } });
  const log = `${folder.path}/metrics.jsonl`;
  await Deno.writeTextFile(log, '{"step":8,"d.adv_real":1}\n{"step":9,"d.ad', { append: true });
  await start(folder.path);
  assertEquals((await metricsLines(folder.path)).map(({ step }) => step), [4, 6, 8, 12]);
});

Deno.test("A run that is done stays as it is; with more steps it goes on", async () => {
  using folder = temporaryFolder();
  await start(folder.path);
  const bytes = await newest(folder.path);
  assertEquals(await start(folder.path), {
    step: 12,
    reports: [],
    messages: ["Going on from step 12"],
  });
  assertEquals(await newest(folder.path), bytes);
  assertEquals((await start(folder.path, { schedule: { ...schedule, steps: 14 } })).step, 14);
});

Deno.test("Grids have a row a seed and a column a class", async () => {
  using folder = temporaryFolder();
  await start(folder.path);
  const names = [...Deno.readDirSync(`${folder.path}/grids`)].map(({ name }) => name).sort();
  assertEquals(names, ["000006.eyes.png", "000006.hair.png", "000012.eyes.png", "000012.hair.png"]);
  const sizes = await Promise.all(["eyes", "hair"].map(async (name) => {
    const bytes = await Deno.readFile(`${folder.path}/grids/000012.${name}.png`);
    const { width, height } = await decodePicture(bytes);
    return { width, height };
  }));
  assertEquals(sizes[1].width - sizes[0].width, 10); // One class more: 8 pixels and a gap of 2.
  assertEquals(sizes[0].height, sizes[1].height);
});

Deno.test("Too few pictures for a batch are an error", async () => {
  using folder = temporaryFolder();
  await assertRejects(
    () => start(`${folder.path}/run`, { count: 4 }),
    UserError,
    "Only 3 pictures are left to train on, fewer than a batch of 4",
  );
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("Settings that do not fit each other are errors that name them", async () => {
  using folder = temporaryFolder();
  const fails = (settings: Partial<TrainSettings>, message: string) =>
    assertRejects(
      () => start(folder.path, { settings: { ...tinySettings, ...settings } }),
      UserError,
      message,
    );
  await fails({ size: 16 }, "The generator draws 8x8 pictures, not 16x16");
  await fails({ discriminator: { channels: [4, 4, 4, 4] } }, "8 cannot be halved that often");
  await fails({ batch: 1 }, "batch must be 2 or more for batch norm, not 1");
});

Deno.test("Reports of every step keep one step", async () => {
  using folder = temporaryFolder();
  const { reports } = await start(folder.path, {
    schedule: { ...schedule, logEvery: 1, steps: 3 },
  });
  assertEquals(reports.map(({ step }) => step), [1, 2, 3]);
});

Deno.test("Reports far apart keep no more steps than there are", async () => {
  using folder = temporaryFolder();
  const { reports } = await start(folder.path, { schedule: { ...schedule, logEvery: 1e9 } });
  assertEquals(reports.map(({ step }) => step), [6, 12]);
});

Deno.test("A GPU that is lost is one line that says how to go on, and the run goes on", async () => {
  using whole = temporaryFolder();
  using lost = temporaryFolder();
  await start(whole.path);
  await assertRejects(
    () =>
      train(tinyDataset(), {
        folder: lost.path,
        settings: tinySettings,
        schedule,
        onProgress({ step }) {
          if (step === 8) Device.default.watch(Promise.reject(new DeviceLostError("it hung")));
        },
      }),
    UserError,
    "The GPU was lost (it hung). The last checkpoint is kept: run the same command again",
  );
  await Device.open();
  assertEquals((await start(lost.path)).messages[0], "Going on from step 6");
  assertEquals(await newest(lost.path), await newest(whole.path));
});
