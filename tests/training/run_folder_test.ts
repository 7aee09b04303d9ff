import { assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import { Plugins, prepareRunFolder, readRun } from "../../training/mod.ts";
import { describeRun } from "../../training/run.ts";
import { claimRunFolder } from "../../training/run_folder.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { tinyConditions, tinySettings } from "./tiny.ts";

const run = describeRun(tinySettings, {
  data: "tiny",
  conditions: tinyConditions(),
  plugins: new Plugins(),
});

Deno.test("A folder is made, and found again as the run that it is", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/some/run`;
  assertEquals(await prepareRunFolder(path), undefined);
  (await claimRunFolder(path, run))[Symbol.dispose]();
  (await claimRunFolder(path, run))[Symbol.dispose]();
  assertEquals(await readRun(path), run);
});

Deno.test("Another configuration is an error that names the key, and changes nothing", async () => {
  using folder = temporaryFolder();
  (await claimRunFolder(folder.path, run))[Symbol.dispose]();
  const others: [string, Partial<typeof run>][] = [
    ["batch 4, not 8", { batch: 8 }],
    ["generator.channels.1 4, not 6", { generator: { latent: 6, base: 4, channels: [8, 6] } }],
    ["weights.g.adv undefined, not 2", { weights: { "g.adv": 2 } }],
  ];
  for (const [message, change] of others) {
    await assertRejects(
      () => claimRunFolder(folder.path, { ...run, ...change }),
      UserError,
      `${folder.path} is a run with ${message}`,
    );
  }
  const withPlugin = (lambda: number): typeof run => ({
    ...run,
    plugins: [{
      name: "dragan",
      version: "1.0.0",
      source: "dragan",
      options: { lambda },
      conditions: [],
      draws: false,
    }],
  });
  using other = temporaryFolder();
  (await claimRunFolder(other.path, withPlugin(10)))[Symbol.dispose]();
  await assertRejects(
    () => claimRunFolder(other.path, withPlugin(5)),
    UserError,
    "is a run with dragan.lambda 10, not 5. Go on with the same dragan.lambda",
  );
  await assertRejects(
    () => claimRunFolder(folder.path, { ...run, data: "other" }),
    UserError,
    `${folder.path} is a run on other pictures, labels or --columns`,
  );
  assertEquals(await readRun(folder.path), run);
});

Deno.test("A run.json of something else, or cut short, is one line, and stays as it is", async () => {
  for (const text of ["{}", "null", '{"conditions":', '{"conditions":[]}']) {
    using folder = temporaryFolder({ "run.json": text });
    const path = `${folder.path}/run.json`;
    const error = await assertRejects(() => prepareRunFolder(folder.path), UserError, path);
    assertEquals(error.message.includes("\n"), false);
    assertEquals(Deno.readTextFileSync(path), text);
  }
});

Deno.test("A folder that holds something else is left alone", async () => {
  using folder = temporaryFolder({ "thesis.txt": "chapter 1" });
  await assertRejects(
    () => claimRunFolder(folder.path, run),
    UserError,
    `${folder.path} holds "thesis.txt" and is not a run`,
  );
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["thesis.txt"]);
});

Deno.test("A folder that cannot be made is one line", async () => {
  using folder = temporaryFolder({ file: "" });
  await assertRejects(
    () => prepareRunFolder(`${folder.path}/file/run`),
    UserError,
    `Cannot write to ${folder.path}/file/run: `,
  );
});

Deno.test("Two trainings cannot have the same folder at once", async () => {
  using folder = temporaryFolder();
  const first = await claimRunFolder(folder.path, run);
  await assertRejects(
    () => claimRunFolder(folder.path, run),
    UserError,
    "is being trained by another process",
  );
  first[Symbol.dispose]();
  (await claimRunFolder(folder.path, run))[Symbol.dispose]();
});
