import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { NEWEST } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { drawData, isThere, Process, trainArguments, untilSaving } from "./process.ts";

const ENDLESS = ["--steps", "1000000", "--log-every", "5", "--checkpoint-every", "1000000"];

Deno.test("A run killed while it saves and while it trains ends as one that was left alone", async () => {
  using folder = temporaryFolder();
  await drawData(folder.path);
  const schedule = ["--steps", "40", "--log-every", "5", "--checkpoint-every", "5"];
  const whole = `${folder.path}/whole`, killed = `${folder.path}/killed`;
  const start = (run: string) => new Process(trainArguments(folder.path, run, schedule));
  assertEquals((await start(whole).end()).code, 0);

  const first = start(killed);
  await untilSaving(first, killed);
  assert(first.kill("SIGKILL"), "it must not have ended yet");
  assertEquals((await first.end()).signal, "SIGKILL");

  const second = start(killed);
  await second.until(() => isThere(`${killed}/${NEWEST}`));
  second.kill("SIGKILL");
  await second.end();

  const { code, stderr } = await start(killed).end();
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "Going on from step");
  const newest = (run: string) => Deno.readFile(`${run}/${NEWEST}`);
  assertEquals(await newest(killed), await newest(whole));
});

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  Deno.test(`${signal} finishes the step, saves, and exits with 0`, async () => {
    using folder = temporaryFolder();
    await drawData(folder.path);
    const run = `${folder.path}/run`;
    const process = new Process(trainArguments(folder.path, run, ENDLESS));
    const hasSteps = () =>
      isThere(`${run}/metrics.jsonl`) && Deno.statSync(`${run}/metrics.jsonl`).size > 0;
    await process.until(hasSteps);
    process.kill(signal);
    const { code, stdout } = await process.end();
    assertEquals(code, 0);
    assert(/Stopped and saved at step \d+; the same command goes on\n$/.test(stdout), stdout);
    assert(isThere(`${run}/${NEWEST}`));
  });
}
