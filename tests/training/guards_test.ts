import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import { compile, Device, read, sqrt, sub, sum, type Tensor, tensor } from "../../engine/mod.ts";
import { definePlugin, type Plugin } from "../../plugin/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import {
  BEST,
  type ChosenPlugin,
  type Evaluation,
  type KeepBest,
  NEWEST,
  PREVIOUS,
  readCheckpoint,
  train,
} from "../../training/mod.ts";
import { CollapseAlarm } from "../../training/alarm.ts";
import { UNFINISHED } from "../../training/files.ts";
import { health } from "../../training/health.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyDataset, tinySettings } from "./tiny.ts";

await Device.open();

const classifier: ChosenPlugin = { plugin: builtIn.classifier, source: "classifier", options: {} };

/** A plugin with a term that is not a number in a step in which a draw is below `share`. */
function unlucky(share: number): ChosenPlugin {
  const plugin: Plugin = definePlugin({
    name: "unlucky",
    version: "1.0.0",
    help: "For a test",
    setup: (_, { random }) => ({
      discriminatorTerms: { draw: { value: () => sqrt(sub(sum(random.uniform([1])), share)) } },
    }),
  });
  return { plugin, source: "./unlucky.ts", options: {} };
}

interface StartOptions {
  readonly steps?: number;
  readonly stopAt?: number;
  readonly plugins?: readonly ChosenPlugin[];
  readonly keepBest?: KeepBest;
  readonly evaluate?: Evaluation;
}

async function start(folder: string, options: StartOptions = {}) {
  const { steps = 12, stopAt, ...others } = options;
  const controller = new AbortController(), messages: string[] = [];
  const step = await train(tinyDataset(), {
    folder,
    settings: tinySettings,
    schedule: { steps, logEvery: 1, gridEvery: 100, checkpointEvery: 4 },
    signal: controller.signal,
    onProgress: ({ step }) => step === stopAt && controller.abort(),
    onMessage: (message) => messages.push(message),
    ...others,
  });
  return { step, messages: messages.filter((message) => !message.startsWith("Compiling")) };
}

const newest = (folder: string) => Deno.readFile(`${folder}/${NEWEST}`);
const log = async (folder: string) =>
  (await Deno.readTextFile(`${folder}/metrics.jsonl`)).trim().split("\n").map((line) =>
    JSON.parse(line)
  );

Deno.test("A number that is not finite sends a run back to its checkpoint, and on with other random numbers", async () => {
  using folder = temporaryFolder();
  using stopped = temporaryFolder();
  const plugins = [classifier, unlucky(0.1)];
  const { step, messages } = await start(folder.path, { plugins });
  assertEquals([step, messages], [12, [
    "d.unlucky.draw (of plugin unlucky) became NaN at step 5. Going back to step 4, with other " +
    "random numbers (1 of 3 tries from there)",
  ]]);
  assertEquals(
    (await log(folder.path)).map(({ step }) => step),
    Array.from({ length: 12 }, (_, i) => i + 1),
  );
  const notes = (await Deno.readTextFile(`${folder.path}/messages.jsonl`)).trim().split("\n");
  assert(notes.map((line) => JSON.parse(line)).some((said) => said.message === messages[0]));

  // It is all the same where it is stopped: before it went wrong, right after it went back, and later.
  await start(stopped.path, { plugins, stopAt: 3 });
  await start(stopped.path, { plugins, stopAt: 5 });
  await start(stopped.path, { plugins, stopAt: 9 });
  await start(stopped.path, { plugins });
  assertEquals(await newest(stopped.path), await newest(folder.path));
});

Deno.test("Without a checkpoint it goes back to the start, and after three tries it stops", async () => {
  using folder = temporaryFolder();
  const messages: string[] = [];
  const { message } = await assertRejects(
    () =>
      train(tinyDataset(), {
        folder: folder.path,
        settings: { ...tinySettings, lr: 1e30 },
        schedule: { steps: 12, logEvery: 4, gridEvery: 6, checkpointEvery: 6 },
        onMessage: (message) => messages.push(message),
      }),
    UserError,
  );
  assert(
    /^[dg]\.[\w.]+ became (NaN|-?Infinity) at step \d\. So it went with 3 other draws of random numbers from the start/
      .test(message),
    message,
  );
  assertEquals(messages.filter((said) => said.includes("Going back to step 0")).length, 3);
  await assertRejects(() => newest(folder.path), Deno.errors.NotFound);
});

Deno.test("After three tries from a checkpoint that is whole, it is kept", async () => {
  using folder = temporaryFolder();
  const plugins = [classifier, unlucky(0.185)];
  await assertRejects(
    () => start(folder.path, { plugins }),
    UserError,
    "with 3 other draws of random numbers from step 8, whose checkpoint is kept",
  );
  await newest(folder.path);
});

Deno.test("The checkpoint whose metric is the best is kept beside the last ones, however often the run is stopped", async () => {
  using folder = temporaryFolder();
  using stopped = temporaryFolder();
  const figures = [5, 3, 4, 2.5, 7, 8];
  const options: StartOptions = {
    steps: 11,
    keepBest: { metric: "eval.figure", goal: "min" },
    evaluate: {
      every: 2,
      run: (_, step) => Promise.resolve({ figure: figures[Math.ceil(step / 2) - 1] }),
    },
  };
  await start(folder.path, options);
  const best = await readCheckpoint(`${folder.path}/${BEST}`);
  assertEquals([best.step, best.best], [8, { metric: "eval.figure", value: 2.5 }]);
  for (const stopAt of [5, 9]) await start(stopped.path, { ...options, stopAt });
  await start(stopped.path, options);
  const kept = ({ path }: { path: string }) => Deno.readFile(`${path}/${BEST}`);
  assertEquals(await kept(stopped), await kept(folder));
});

Deno.test("A metric that is never there, or that nobody can tell the goal of, is refused before the run begins", async () => {
  using folder = temporaryFolder();
  const fails = (keepBest: KeepBest, message: string) =>
    assertRejects(() => start(`${folder.path}/run`, { keepBest }), UserError, message);
  await fails(
    { metric: "holdout.hear" },
    'There is no metric "holdout.hear" to keep the best checkpoint by (did you mean holdout.hair?)',
  );
  await fails({ metric: "eval.fid" }, 'There is no metric "eval.fid"');
  await fails({ metric: "d.auc" }, "Nothing tells whether a smaller or a larger d.auc is better");
  assertEquals([...Deno.readDirSync(folder.path)], []);
});

Deno.test("Health is what its definitions say, on batches of any size", async () => {
  for (const [batch, size] of [[5, 8], [3, 16], [34, 4]]) {
    const pictures = (seed: number) =>
      Float32Array.from(
        { length: batch * 3 * size * size },
        (_, at) => Math.sin(at * at * 0.37 + seed),
      );
    const logits = (seed: number) =>
      Float32Array.from({ length: batch }, (_, i) => Math.cos(i * 2.3 + seed));
    const real = pictures(1), fake = pictures(2).map((x) => 0.5 * x), a = logits(1), b = logits(3);
    const look = compile((x: Tensor, y: Tensor, p: Tensor, q: Tensor) =>
      health({ real: { images: x, source: p }, fake: { images: y, source: q } })
    );
    const shape = [batch, 3, size, size];
    const found = look(tensor(real, shape), tensor(fake, shape), tensor(a), tensor(b));
    const [[auc], [diversity]] = await read([found["d.auc"], found.diversity]);
    const right = [...a].flatMap((x) => [...b].map((y) => Number(x > y)));
    assertAlmostEquals(auc, right.reduce((x, y) => x + y) / right.length, 1e-6);
    const expected = nearest(fake, batch, size) / nearest(real, batch, size);
    assertAlmostEquals(diversity, expected, 1e-5);
  }
});

/** The mean distance to the nearest neighbour among the first 32, of pictures averaged down to a side of 8. */
function nearest(images: Float32Array, batch: number, size: number): number {
  const window = Math.max(1, size / 8), side = size / window, count = Math.min(batch, 32);
  const small = Array.from({ length: count }, (_, n) => {
    const means = new Float64Array(3 * side * side);
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) {
          const to = (c * side + Math.floor(y / window)) * side + Math.floor(x / window);
          means[to] += images[((n * 3 + c) * size + y) * size + x] / window ** 2;
        }
      }
    }
    return means;
  });
  const distances = small.map((one, i) =>
    Math.min(
      ...small.filter((_, j) => j !== i).map((other) =>
        Math.sqrt(one.reduce((sum, x, k) => sum + (x - other[k]) ** 2, 0) / one.length)
      ),
    )
  );
  return distances.reduce((a, b) => a + b) / count;
}

Deno.test("Pictures that are all the same have no diversity, even real ones", async () => {
  const look = compile((same: Tensor, logits: Tensor) =>
    health({ real: { images: same, source: logits }, fake: { images: same, source: logits } })
  );
  const found = look(tensor(new Float32Array(2 * 3 * 64), [2, 3, 8, 8]), tensor([1, 2]));
  assertEquals(await read([found.diversity]), [Float32Array.of(0)]);
});

Deno.test("The alarm sounds once for each sign that lasts, and not while a run is young", () => {
  const alarm = new CollapseAlarm();
  const said: string[] = [];
  const run = (from: number, to: number, row: { diversity: number; "d.auc": number }) => {
    for (let step = from; step <= to; step++) said.push(...alarm.watch(row, { step }));
  };
  run(1, 500, { diversity: 0, "d.auc": 1 });
  run(501, 900, { diversity: 0.9, "d.auc": 0.97 });
  assertEquals(said, []);
  run(901, 1050, { diversity: 0, "d.auc": 0.97 });
  run(1051, 1100, { diversity: 1.2, "d.auc": 0.97 });
  assertEquals(said, []); // Once in a while is no sign.
  run(1101, 2500, { diversity: 0.1, "d.auc": 1 });
  assertEquals(said.map((message) => message.slice(0, 70)), [
    "Warning: in the 200 steps to 1300, the generator draws much the same p",
    "Warning: in the 200 steps to 1300, the discriminator tells every fake ",
  ]);
});

/** Runs `action` on a disk that has no more space than some bytes. */
async function withSpace<T>(bytes: number, action: () => Promise<T>): Promise<T> {
  const { write } = Deno.FsFile.prototype;
  Deno.FsFile.prototype.write = async function (data: Uint8Array): Promise<number> {
    const fits = Math.min(bytes, data.length);
    if (fits === 0) throw new Error("No space left on device (os error 28)");
    bytes -= fits;
    return await write.call(this, data.subarray(0, fits));
  };
  try {
    return await action();
  } finally {
    Deno.FsFile.prototype.write = write;
  }
}

Deno.test("Where the disk is full, a run stops with one line, its files are as they were, and with space it goes on", async () => {
  using folder = temporaryFolder();
  using whole = temporaryFolder();
  await start(folder.path, { steps: 8 });
  const files = [NEWEST, PREVIOUS, "run.json", "kernels.json"];
  const bytes = () => Promise.all(files.map((name) => Deno.readFile(`${folder.path}/${name}`)));
  const before = await bytes();
  // Full in a line of the log, and in the next checkpoint.
  for (const [space, file] of [[100, "metrics.jsonl"], [30_000, NEWEST]] as const) {
    const { message } = await assertRejects(
      () => withSpace(space, () => start(folder.path)),
      UserError,
    );
    assertEquals(
      message,
      `Cannot write ${folder.path}/${file}: the disk is full: free some space, then run the same ` +
        `command again`,
    );
    assertEquals(await bytes(), before);
  }
  assertEquals(
    [...Deno.readDirSync(folder.path)].filter(({ name }) => name.endsWith(UNFINISHED)),
    [],
  );
  assertEquals((await start(folder.path)).step, 12);
  await start(whole.path);
  assertEquals(await newest(folder.path), await newest(whole.path));
  assertEquals(await log(folder.path), await log(whole.path));
});
