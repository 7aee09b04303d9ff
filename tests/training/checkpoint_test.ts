import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import { decodeSafetensors, Device, read, Variable } from "../../engine/mod.ts";
import {
  type Checkpoint,
  loadCheckpoint,
  NEWEST,
  Plugins,
  PREVIOUS,
  restore,
  saveCheckpoint,
} from "../../training/mod.ts";
import { describeRun } from "../../training/run.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyConditions, tinySettings } from "./tiny.ts";

await Device.open();

const run = describeRun(tinySettings, {
  data: "tiny",
  conditions: tinyConditions(),
  plugins: new Plugins(),
});

function variables() {
  return {
    "G.fc.weight": new Variable([1, 2, 3, 4, 5, 6], [2, 3]),
    random: new Variable(new Uint32Array([1, 2 ** 32 - 1]), [2]),
    step: new Variable(new Int32Array([7]), []),
  };
}

/** Checkpoints of steps 1 and 2 in a folder, and what loading them tells. */
async function twoCheckpoints() {
  const folder = temporaryFolder();
  await saveCheckpoint(folder.path, variables(), { step: 1, run });
  await saveCheckpoint(folder.path, variables(), { step: 2, run });
  const messages: string[] = [];
  const load = () => loadCheckpoint(folder.path, (message) => messages.push(message));
  return { folder, messages, load };
}

Deno.test("What is saved is loaded: every variable, the step and the run", async () => {
  const { folder, messages, load } = await twoCheckpoints();
  using _ = folder;
  const checkpoint = await load() as Checkpoint;
  assertEquals([checkpoint.step, checkpoint.run, messages], [2, run, []]);
  const { "G.fc.weight": weight, random, step } = variables();
  weight.set(new Float32Array(6));
  random.set(new Uint32Array(2));
  restore({ "G.fc.weight": weight, random, step }, checkpoint.tensors);
  const [weights, words] = await read([weight, random]);
  assertEquals([[...weights], [...words]], [[1, 2, 3, 4, 5, 6], [1, 2 ** 32 - 1]]);
});

Deno.test("The file is a safetensors file as others read it", async () => {
  const { folder } = await twoCheckpoints();
  using _ = folder;
  const { tensors, metadata } = decodeSafetensors(await Deno.readFile(`${folder.path}/${NEWEST}`));
  assertEquals(metadata.format, "pt");
  assertEquals(tensors["G.fc.weight"].shape, [2, 3]);
});

Deno.test("The same state gives the same bytes", async () => {
  const first = await twoCheckpoints();
  const second = await twoCheckpoints();
  using _first = first.folder;
  using _second = second.folder;
  const bytes = ({ path }: { path: string }) => Deno.readFile(`${path}/${NEWEST}`);
  assertEquals(await bytes(first.folder), await bytes(second.folder));
});

Deno.test("A newest checkpoint that is cut short at any length is passed over, and left", async () => {
  const { folder, messages, load } = await twoCheckpoints();
  using _ = folder;
  const path = `${folder.path}/${NEWEST}`;
  const { size } = await Deno.stat(path);
  for (const length of [0, 7, 100, size - 1]) {
    await Deno.truncate(path, length);
    assertEquals((await load())?.step, 1);
    assertEquals((await Deno.stat(path)).size, Math.min(length, size));
    if (length === 0) await Deno.writeFile(path, await Deno.readFile(`${folder.path}/${PREVIOUS}`));
  }
  assertEquals(messages.length, 4);
  assertEquals(messages[0].startsWith(`${path} is damaged: `), true);
  assertEquals(messages[0].endsWith(`Going on from ${folder.path}/${PREVIOUS} (step 1)`), true);
});

Deno.test("A byte that changed anywhere is noticed", async () => {
  const { folder, load } = await twoCheckpoints();
  using _ = folder;
  const path = `${folder.path}/${NEWEST}`;
  const whole = await Deno.readFile(path);
  for (let at = 0; at < whole.length; at += 13) {
    const bytes = whole.slice();
    bytes[at] ^= 1;
    await Deno.writeFile(path, bytes);
    assertEquals((await load())?.step, 1, `byte ${at}`);
  }
});

Deno.test("Where every checkpoint is damaged, that is an error, not a new start", async () => {
  const { folder, load } = await twoCheckpoints();
  using _ = folder;
  await Deno.truncate(`${folder.path}/${NEWEST}`, 50);
  await Deno.truncate(`${folder.path}/${PREVIOUS}`, 50);
  await assertRejects(load, UserError, `No whole checkpoint is left in ${folder.path}`);
});

Deno.test("A folder without checkpoints has none", async () => {
  using folder = temporaryFolder();
  assertEquals(await loadCheckpoint(folder.path, () => {}), undefined);
});

Deno.test("Weights that are not finite never replace good ones", async () => {
  const { folder, load } = await twoCheckpoints();
  using _ = folder;
  const broken = { ...variables(), "G.fc.weight": new Variable([1, NaN], [2]) };
  await assertRejects(
    () => saveCheckpoint(folder.path, broken, { step: 3, run }),
    UserError,
    "After step 3, G.fc.weight is no longer finite",
  );
  assertEquals((await load())?.step, 2);
});

Deno.test("Restoring into other variables is an error that names the first", async () => {
  const { folder, load } = await twoCheckpoints();
  using _ = folder;
  const { tensors } = await load() as Checkpoint;
  const other = (shape: number[]) => new Variable(new Float32Array(shape[0] * shape[1]), shape);
  assertThrows(
    () => restore({ "G.fc.weight": other([3, 2]) }, tensors),
    UserError,
    "The checkpoint has G.fc.weight as f32 [2,3], not as f32 [3,2]",
  );
  assertThrows(
    () => restore({ "G.fc.bias": other([1, 2]) }, tensors),
    UserError,
    "The checkpoint has no G.fc.bias",
  );
});
