import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { decodePicture } from "../../data/mod.ts";
import { NEWEST, readRun } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { drawData, Process, trainArguments } from "./process.ts";

/** Runs a command that must succeed. */
async function finish(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Process(args).end();
  assertEquals(code, 0, stdout + stderr);
  return { stdout, stderr };
}

Deno.test("A new plugin is tested, checked, bundled, trained with from elsewhere, and asked for", async (t) => {
  using work = temporaryFolder();
  using elsewhere = temporaryFolder();
  await drawData(elsewhere.path);
  const plugin = `${work.path}/warm-tone.ts`;
  const bundle = `${elsewhere.path}/warm.js`;
  const run = (name: string) => `${elsewhere.path}/${name}`;
  const train = (out: string, steps: number, more: readonly string[] = []) =>
    finish(
      trainArguments(elsewhere.path, out, ["--steps", `${steps}`, "--log-every", "1", ...more]),
    );

  await t.step("new writes a plugin whose test passes", async () => {
    const { stdout } = await finish(["plugin", "new", "warm-tone", "--out", work.path]);
    const command = stdout.match(/^ {2}deno (test .*)$/m)![1].split(" ");
    const { success, stdout: said } = await new Deno.Command("deno", { args: command }).output();
    assertEquals(success, true, new TextDecoder().decode(said));
  });
  await t.step("check passes it", async () => {
    const { stdout } = await finish(["plugin", "check", plugin, "--warm-tone.weight", "0.5"]);
    const lines = stdout.trim().split("\n").map((line) => line.split(/ +/).slice(0, 2).join(" "));
    const names = [
      "types",
      "options",
      "setup",
      "step",
      "gradients",
      "training",
      "resume",
      "sample",
    ];
    assertEquals(lines, [...names, "cost"].map((name) => `${name} ok`));
    assertMatch(stdout, /^types +ok {2}deno check$/m);
    assertMatch(stdout, /^options +ok {2}weight 0\.5$/m);
  });
  await t.step("build bundles it", async () => {
    await finish(["plugin", "build", plugin, "--out", bundle]);
    Deno.removeSync(plugin);
  });
  await t.step(
    "the bundle trains, by a file of options, and goes on with the same bytes",
    async () => {
      const config = `${elsewhere.path}/kao.yaml`;
      Deno.writeTextFileSync(config, `plugins:\n  - ${bundle}: { weight: 0.25 }\n`);
      const { stdout, stderr } = await train(run("whole"), 3, ["--config", config]);
      assertMatch(stdout, /^step 3\/3 .* g\.warm-tone\.measured \d/m);
      assertStringIncludes(stderr, `Loading plugin ${bundle}: its code may do what`);
      await train(run("stopped"), 2, ["--config", config]);
      await train(run("stopped"), 3); // The run knows its plugins.
      const newest = (name: string) => Deno.readFileSync(`${run(name)}/${NEWEST}`);
      assertEquals(newest("stopped"), newest("whole"));
      const described = (await readRun(run("whole")))!.plugins.find(({ name }) =>
        name === "warm-tone"
      );
      assertEquals(described?.source, bundle);
      assertEquals(described?.options, { weight: 0.25 });
      assertEquals(described?.conditions, ["warm-tone"]);
    },
  );
  await t.step("sample draws by its slider", async () => {
    const out = `${elsewhere.path}/warm.png`;
    await finish(["sample", run("whole"), "--warm-tone", "0.1", "-n", "4", "--out", out]);
    const { width, height } = await decodePicture(Deno.readFileSync(out));
    assertEquals([width, height], [22, 22]);
  });
  await t.step("an option of the file that the plugin does not have is one line", async () => {
    const config = `${elsewhere.path}/kao.yaml`;
    Deno.writeTextFileSync(config, `plugins:\n  - ${bundle}: { wieght: 1 }\n`);
    const args = trainArguments(elsewhere.path, run("other"), ["--config", config]);
    const { code, stderr } = await new Process(args).end();
    assertEquals(code, 1);
    assertStringIncludes(
      stderr.trim().split("\n").at(-1)!,
      'kao: Plugin warm-tone has no option "wieght" (did you mean weight?); it has weight',
    );
  });
});
