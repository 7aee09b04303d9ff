import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import { Device } from "../../engine/mod.ts";
import {
  NEWEST,
  PREVIOUS,
  readCheckpoint,
  readRun,
  train,
  type TrainSettings,
} from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyDataset, tinySettings } from "./tiny.ts";

await Device.open();

/** Trains in `folder`. Returns what was said. */
async function start(
  folder: string,
  options: { steps: number; from?: string; settings?: Partial<TrainSettings>; classes?: number },
): Promise<string[]> {
  const messages: string[] = [], { steps, from, settings, classes = 3 } = options;
  const data = tinyDataset(), [hair, eyes] = data.columns;
  const columns = [{ ...hair, classes: [...hair.classes, "white"].slice(0, classes) }, eyes];
  await train({ ...data, columns }, {
    folder,
    from,
    settings: { ...tinySettings, ...settings },
    schedule: { steps, logEvery: 4, gridEvery: 100, checkpointEvery: 100 },
    onMessage: (message) => messages.push(message),
  });
  return messages;
}

const newest = (folder: string) => readCheckpoint(`${folder}/${NEWEST}`);

/** Whether two checkpoints agree in each tensor whose name begins so. */
async function agree(a: string, b: string, prefix: string): Promise<boolean> {
  const [one, other] = [(await newest(a)).tensors, (await newest(b)).tensors];
  const names = Object.keys(one).filter((name) => name.startsWith(prefix));
  return names.length > 0 &&
    names.every((name) => String(one[name].data) === String(other[name].data));
}

Deno.test("A run begins with the weights of another, and with nothing else of it", async () => {
  using old = temporaryFolder(), next = temporaryFolder();
  await start(old.path, { steps: 5 });
  // With steps of next to nothing, what the networks have after a step is what they began with.
  const [said] = await start(next.path, {
    steps: 1,
    from: old.path,
    settings: { lr: 1e-30, seed: 9 },
  });
  const { length } = Object.keys((await newest(next.path)).tensors).filter((name) =>
    /^(G|D|ema\.G)\./.test(name)
  );
  assertEquals(said, `Beginning with ${length} of ${length} tensors of step 5`);
  assertEquals((await newest(next.path)).step, 1);
  assertEquals(await agree(old.path, next.path, "G.fc.weight"), true);
  assertEquals(await agree(old.path, next.path, "optim.D"), false);
  const { step, sha256 } = await newest(old.path);
  assertEquals((await readRun(next.path))?.from, { step, sha256 });
});

Deno.test("It goes on with the same bytes, and needs the other run no more", async () => {
  using old = temporaryFolder(), whole = temporaryFolder(), stopped = temporaryFolder();
  await start(old.path, { steps: 3 });
  await start(whole.path, { steps: 6, from: old.path });
  await start(stopped.path, { steps: 4, from: `${old.path}/${NEWEST}` });
  await Deno.remove(`${old.path}/${NEWEST}`);
  // As a crash while saving leaves it.
  await Deno.rename(`${stopped.path}/${NEWEST}`, `${stopped.path}/${PREVIOUS}`);
  await start(stopped.path, { steps: 6 });
  assertEquals((await newest(stopped.path)).sha256, (await newest(whole.path)).sha256);
});

Deno.test("What has another shape begins anew, and that is told", async () => {
  using old = temporaryFolder(), next = temporaryFolder();
  await start(old.path, { steps: 2 });
  const [said] = await start(next.path, { steps: 1, from: old.path, classes: 4 });
  assertStringIncludes(said, "Anew begin G.fc.weight [128,12] (there [128,11])");
  assertStringIncludes(said, "D.cls.hair.weight [4,32] (there [3,32])");
});

Deno.test("Where nothing fits, where there is nothing, and where a run has begun, --from is refused", async () => {
  using old = temporaryFolder(), next = temporaryFolder();
  await start(old.path, { steps: 2 });
  const refused = async (options: Parameters<typeof start>[1], told: string) => {
    await assertRejects(() => start(next.path, options), UserError, told);
  };
  const other = {
    generator: { latent: 5, base: 2, channels: [6, 5, 3] },
    discriminator: { channels: [3, 7] },
  };
  await refused({ steps: 3, from: `${old.path}/none` }, "has no checkpoint to begin with");
  await refused(
    { steps: 3, from: old.path, settings: other },
    "Nothing in the checkpoint of --from",
  );
  await Deno.remove(next.path, { recursive: true });
  await start(next.path, { steps: 2 });
  await refused({ steps: 3, from: old.path }, "was begun with other weights");
});
