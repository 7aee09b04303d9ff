import { assert, assertEquals, assertMatch, assertNotMatch } from "@std/assert";
import { NEWEST } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { drawData, isThere, Process, trainArguments } from "./process.ts";

Deno.test("a run measures kernels once: it goes on with them however it is tuned, and sample does", async () => {
  using folder = temporaryFolder();
  await drawData(folder.path);
  const run = `${folder.path}/run`, copy = `${folder.path}/copy`;
  const finish = async (args: string[]): Promise<string> => {
    const { code, stderr } = await new Process(args).end();
    assertEquals(code, 0, stderr);
    return stderr;
  };
  const train = (out: string, steps: number, tune: string) =>
    finish(trainArguments(folder.path, out, [
      ...["--steps", String(steps), "--log-every", "2"],
      ...["--tune", tune, "--tune-cache", `${folder.path}/cache/tuning.json`],
    ]));

  assertMatch(await train(run, 2, "fast"), /^Measured \d+ kernels in /m);
  assert(isThere(`${folder.path}/cache/tuning.json`));
  const kernels = Deno.readTextFileSync(`${run}/kernels.json`);
  Deno.mkdirSync(copy);
  for (const { name, isFile } of Deno.readDirSync(run)) {
    if (isFile) Deno.copyFileSync(`${run}/${name}`, `${copy}/${name}`);
  }

  for (const [out, tune] of [[run, "off"], [copy, "full"]]) {
    assertNotMatch(await train(out, 4, tune), /Measured/);
    assertEquals(Deno.readTextFileSync(`${out}/kernels.json`), kernels);
  }
  assertEquals(await Deno.readFile(`${run}/${NEWEST}`), await Deno.readFile(`${copy}/${NEWEST}`));
  assertNotMatch(await finish(["sample", run, "-n", "2"]), /Measured/);
});
