import { assertEquals } from "@std/assert";
import { NEWEST } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { drawData, isSaving, Process, trainArguments } from "../end_to_end/process.ts";

const KILLS = 10;

Deno.test(`200 steps killed ${KILLS} times, also while saving, end as 200 steps in one go`, async () => {
  using folder = temporaryFolder();
  await drawData(folder.path);
  const schedule = ["--steps", "200", "--log-every", "10", "--checkpoint-every", "10"];
  const start = (run: string) => new Process(trainArguments(folder.path, run, schedule));
  const whole = `${folder.path}/whole`, killed = `${folder.path}/killed`;
  const begun = performance.now();
  assertEquals((await start(whole).end()).code, 0);
  const duration = performance.now() - begun;

  let whileSaving = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const process = start(killed);
    if (kill % 2 === 0) {
      await process.until(() => isSaving(killed));
      if (process.kill("SIGKILL")) whileSaving++;
    } else {
      await new Promise((resolve) => setTimeout(resolve, Math.random() * duration));
      process.kill("SIGKILL");
    }
    const { signal, stderr } = await process.end();
    console.log(`kill ${kill + 1}: ${signal ?? "had ended"}; ${stderr.trim().split("\n").at(-1)}`);
  }
  console.log(`${whileSaving} of ${KILLS} kills while saving`);
  assertEquals((await start(killed).end()).code, 0);
  const newest = (run: string) => Deno.readFile(`${run}/${NEWEST}`);
  assertEquals(await newest(killed), await newest(whole));
});
