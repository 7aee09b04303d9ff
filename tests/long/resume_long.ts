import { assertEquals } from "@std/assert";
import { NEWEST } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { drawData, Process, trainArguments, untilSaving } from "../end_to_end/process.ts";

const KILLS = 10;

Deno.test(`200 steps killed ${KILLS} times, also while saving, end as 200 steps in one go`, async () => {
  using folder = temporaryFolder();
  await drawData(folder.path);
  const schedule = ["--steps", "200", "--log-every", "5", "--checkpoint-every", "5"];
  const start = (run: string) => new Process(trainArguments(folder.path, run, schedule));
  const whole = `${folder.path}/whole`, killed = `${folder.path}/killed`;
  assertEquals((await start(whole).end()).code, 0);

  for (let kill = 1; kill <= KILLS; kill++) {
    const process = start(killed);
    await untilSaving(process, killed);
    // Every other kill while it saves; the others soon after, whatever it does then.
    if (kill % 2 === 0) await new Promise((resolve) => setTimeout(resolve, 400 * Math.random()));
    process.kill("SIGKILL");
    const { signal, stderr } = await process.end();
    assertEquals(signal, "SIGKILL", "it must not have ended before it was killed");
    console.log(`kill ${kill}: ${stderr.match(/Going on from step \d+/)?.[0] ?? "A new run"}`);
  }
  assertEquals((await start(killed).end()).code, 0);
  const newest = (run: string) => Deno.readFile(`${run}/${NEWEST}`);
  assertEquals(await newest(killed), await newest(whole));
});
