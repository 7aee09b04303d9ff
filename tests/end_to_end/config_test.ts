import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { BEST, NEWEST } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { drawData, Process, trainArguments } from "./process.ts";

/** Runs a command that must succeed. */
async function finish(args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await new Process(args).end();
  assertEquals(code, 0, stdout + stderr);
  return { stdout, stderr };
}

Deno.test("A dry run tells what would be trained and writes nothing, and the file of a run gives it again", async () => {
  using folder = temporaryFolder();
  const data = await drawData(folder.path);
  const [first, again] = ["first", "again"].map((name) => `${folder.path}/${name}`);
  const flags = [
    ...["--steps", "3", "--checkpoint-every", "2", "--log-every", "1"],
    ...["--lr-schedule", "linear", "--weights", "g.adv=0.5", "--keep-best", "holdout.hair"],
  ];
  const plugin = ["--plugin", "dragan", "--dragan.lambda", "2"];
  const { stdout } = await finish(
    trainArguments(folder.path, first, [...flags, ...plugin, "--dry-run"]),
  );
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["data"]);
  assertMatch(stdout, /^generator +dcgan +[\d,]+ +[\d,]+$/m);
  assertMatch(stdout, /^d\.dragan\.penalty +2$/m);
  assertMatch(stdout, /^g\.adv +0\.5$/m);
  assertMatch(stdout, /^d\.class\.hair\.fake +off$/m);
  assertMatch(stdout, /^hair +categorical /m);
  assertMatch(stdout, /^Steps: 3 of 4 real pictures \(batch 4\): 0\.2 epochs$/m);
  assertStringIncludes(stdout, "Step size: 0.0004, linear to 0 from step 0 to 3");

  await finish(trainArguments(folder.path, first, flags));
  assert(Deno.statSync(`${first}/${BEST}`).isFile);
  await finish(["train", data, "--out", again, "--config", `${first}/config.yaml`]);
  for (const name of ["run.json", "config.yaml", "metrics.jsonl", NEWEST, BEST]) {
    assertEquals(
      Deno.readFileSync(`${again}/${name}`),
      Deno.readFileSync(`${first}/${name}`),
      name,
    );
  }
});

Deno.test("config prints a file for train, and words that are not quite right are refused in it at any depth", async () => {
  using folder = temporaryFolder();
  const data = await drawData(folder.path);
  const { stdout } = await finish(["config", "acgan32"]);
  assertMatch(stdout, /^preset: acgan32$/m);
  const refused = async (yaml: string): Promise<string> => {
    const config = `${folder.path}/kao.yaml`;
    Deno.writeTextFileSync(config, yaml);
    const out = `${folder.path}/run`;
    const { code, stderr } = await new Process([
      "train",
      data,
      "--out",
      out,
      "--config",
      config,
      "--dry-run",
    ])
      .end();
    assertEquals(code, 1);
    return stderr.trim().split("\n").at(-1)!;
  };
  assertStringIncludes(
    await refused("lr-schedul: linear"),
    '"lr-schedul" (did you mean lr-schedule?)',
  );
  assertStringIncludes(
    await refused("plugins:\n  - dragan: { lamda: 2 }"),
    'Plugin dragan has no option "lamda" (did you mean lambda?); it has lambda, k, noise',
  );
  assertStringIncludes(
    await refused("weights: { g.advv: 2 }"),
    'There is no loss term "g.advv" (did you mean g.adv?)',
  );
});
