import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { NEWEST, PREVIOUS } from "../../training/mod.ts";
import { faceJpeg, plainPng, temporaryFolder } from "../data/temporary.ts";
import { drawData, Process, trainArguments } from "./process.ts";

/** Runs a command that must fail with one last line that holds `message`, and no stack trace. */
async function assertFails(args: readonly string[], message: string): Promise<string> {
  const { code, stdout, stderr } = await new Process(args).end();
  assertEquals(code, 1, stdout + stderr);
  const lines = stderr.trim().split("\n");
  assert(lines.at(-1)!.startsWith("kao: "), stderr);
  assertStringIncludes(lines.at(-1)!, message);
  assertEquals(stderr.includes("unexpected") || /^ +at /m.test(stderr), false, stderr);
  return stderr;
}

/** Trains on a data folder of the given files, which must fail. */
async function assertNoTraining(
  files: Readonly<Record<string, string | Uint8Array>>,
  message: string,
): Promise<string> {
  using folder = temporaryFolder(files);
  await Deno.mkdir(`${folder.path}/data`, { recursive: true });
  return await assertFails(trainArguments(folder.path, `${folder.path}/run`), message);
}

Deno.test("An empty data folder is one line", async () => {
  await assertNoTraining({}, "holds no PNG or JPEG pictures");
});

Deno.test("A labels.csv without a column that is asked for is one line", async () => {
  await assertNoTraining({
    "data/labels.csv": "file,hair\na.png,red\n",
    "data/a.png": plainPng(1),
  }, "eyes");
});

Deno.test("A label column that would be an option of sample is one line", async () => {
  using folder = temporaryFolder({
    "data/labels.csv": "file,hair,seed\na.png,red,1\n",
    "data/a.png": plainPng(1),
  });
  await assertFails(
    ["train", `${folder.path}/data`, "--out", `${folder.path}/run`],
    'a label column "seed", whose name is taken: rename it, or leave it out with --columns',
  );
});

Deno.test("Text named .png and a JPEG that is cut short are listed, and left out", async () => {
  const stderr = await assertNoTraining({
    "data/labels.csv": "file,hair,eyes\na.png,red,blue\nb.jpg,red,blue\nc.png,pink,blue\n",
    "data/a.png": "not a picture",
    "data/b.jpg": faceJpeg().slice(0, 400),
    "data/c.png": plainPng(1),
  }, "1 ");
  assertStringIncludes(stderr, "a.png");
  assertStringIncludes(stderr, "b.jpg");
});

Deno.test("An output folder that cannot be written is one line", async () => {
  using folder = temporaryFolder({ file: "" });
  await assertFails(
    trainArguments(folder.path, `${folder.path}/file/run`),
    `Cannot write to ${folder.path}/file/run`,
  );
});

Deno.test("An output folder that holds something else is left alone", async () => {
  using folder = temporaryFolder({ "run/thesis.txt": "chapter 1" });
  const args = trainArguments(folder.path, `${folder.path}/run`);
  await assertFails(args, 'holds "thesis.txt" and is not a run');
  assertEquals(Deno.readTextFileSync(`${folder.path}/run/thesis.txt`), "chapter 1");
});

Deno.test("What sample and train say of a run: unknown classes, other settings, damage", async () => {
  using folder = temporaryFolder();
  await drawData(folder.path);
  const run = `${folder.path}/run`;
  const schedule = ["--steps", "4", "--checkpoint-every", "2", "--log-every", "2"];
  const args = trainArguments(folder.path, run, schedule);
  assertEquals((await new Process(args).end()).code, 0);

  await assertFails(["sample", run, "--hair", "mauve"], 'Unknown hair "mauve": this model knows');
  await assertFails(["sample", run, "--nose", "long"], "Unknown option --nose");
  await assertFails(["sample", `${run}/grids`], "is not a run");
  await assertFails(["sample", run, "-n", "9999", "--scale", "64"], "more than 100 million pixels");
  await assertFails(["sample", run, "--sweep", "hair", "--interpolate", "1,2"], "Choose one of");
  await assertFails(["sample", run, "--sweep", "hair", "--hair", "red"], "shows every hair");
  await assertFails(["sample", run, "--seed", String(2 ** 32 - 1)], "The last seed would be above");
  await assertFails([...args, "--batch", "8"], `${run} is a run with batch 4, not 8`);

  const draw = () => new Process(["sample", run, "-n", "1", "--out", `${run}/one.png`]).end();
  await Deno.truncate(`${run}/${NEWEST}`, 1000);
  const { code, stderr } = await draw();
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, `${NEWEST} is damaged`);
  assertStringIncludes(stderr, `Going on from ${run}/${PREVIOUS} (step 2)`);

  await Deno.truncate(`${run}/${PREVIOUS}`, 1000);
  await assertFails(["sample", run], `No whole checkpoint is left in ${run}`);
  await assertFails(args, `No whole checkpoint is left in ${run}`);
  assertEquals((await Deno.stat(`${run}/${NEWEST}`)).size, 1000);
});
