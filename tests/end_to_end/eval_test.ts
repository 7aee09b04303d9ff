import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Report } from "../../evaluation/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { BEST } from "../../training/checkpoint.ts";
import { drawData, isThere, Process, trainArguments } from "./process.ts";

async function kao(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return await new Process(args).end();
}

Deno.test("eval trains a classifier once, and writes figures and a page by itself", async (t) => {
  using folder = temporaryFolder();
  const data = await drawData(folder.path), run = `${folder.path}/run`;
  const evaluated = ["--eval-every", "8", "--eval-samples", "40", "--keep-best", "eval.frechet"];
  const schedule = ["--steps", "8", "--log-every", "4", ...evaluated];
  const trained = await kao(...trainArguments(folder.path, run, schedule));
  assertEquals(trained.code, 0, trained.stderr);
  const evaluate = async (...args: string[]) => {
    const { code, stdout, stderr } = await kao(
      ...["eval", run, data, "--cache", `${folder.path}/cache`, "--tune", "off"],
      ...["--samples", "60", "--pairs", "5", ...args],
    );
    assertEquals(code, 0, stderr);
    const out = args[args.indexOf("--out") + 1];
    const report: Report = JSON.parse(await Deno.readTextFile(`${out}/report.json`));
    return { stdout, stderr, report, page: await Deno.readTextFile(`${out}/report.html`) };
  };

  await t.step("figures of the training are logged as eval.NAME", async () => {
    assertStringIncludes(trained.stderr, "Training the classifier that judges pictures by hair");
    const lines = (await Deno.readTextFile(`${run}/metrics.jsonl`)).trim().split("\n");
    const last = JSON.parse(lines.at(-1)!);
    const names = ["accuracy.hair", "ms_ssim.eyes", "ms_ssim.excess.hair", "frechet"];
    for (const name of [...names, "kernel_distance", "precision", "coverage"]) {
      assert(Number.isFinite(last[`eval.${name}`]), name);
    }
    assertEquals("eval.frechet" in JSON.parse(lines[0]), false);
    assert(isThere(`${run}/${BEST}`));
  });

  const first = await evaluate("--out", `${folder.path}/one`);
  await t.step("the classifier that training kept is used", () => {
    assertStringIncludes(first.stderr, "as kept in");
    assertEquals(first.stderr.includes("Training the classifier"), false);
  });
  await t.step("every figure is there", () => {
    const { report } = first;
    assertEquals([report.samples, report.step, report.size], [60, 8, 8]);
    assertEquals(report.data.same, true);
    const { hair } = report.accuracy;
    assertEquals(hair.confusion.samples.flat().reduce((sum, n) => sum + n), 60);
    assertEquals(hair.classes.reduce((sum, { counts }) => sum + counts.samples, 0), 60);
    const right = hair.confusion.samples.reduce((sum, row, i) => sum + row[i], 0);
    assertEquals(hair.samples, right / 60);
    assertEquals(report.discriminability.map(({ size }) => size), [4, 8]);
    assertEquals(report.discriminability[1].columns.hair.samples, hair.samples);
    const { mean, classes } = report.msSsim.columns.hair;
    assert(mean.real! > 0 && mean.real! < 1 && classes.length === hair.classes.length);
    const { samples, real } = report.features;
    assert(samples!.frechet > 0 && real!.frechet > 0 && samples!.count === 60);
    assert(report.neighbours.pixels.samples.median > 0);
    const stages = ["samples", "classifier", "discriminability", "MS-SSIM", "distances"];
    assertEquals(Object.keys(report.seconds).slice(0, 5), stages);
    for (const stage of stages) assertStringIncludes(first.stderr, `${stage}: `);
    assertStringIncludes(first.stdout, "accuracy hair: samples ");
  });
  await t.step("the page needs nothing beside itself", () => {
    const { page } = first;
    assert(page.startsWith("<!doctype html>") && page.length > 10_000);
    const loaded = [...page.matchAll(/(?:src|href|url)\s*[=(]\s*"?([^"\s>)]+)/g)].map(([, it]) =>
      it
    );
    assert(loaded.length > 10);
    assertEquals(loaded.filter((it) => !it.startsWith("data:image/png;base64,")), []);
    assertEquals(
      /<script|@import|NaN|undefined|null/.test(page.replaceAll(/base64,[^"]+/g, "")),
      false,
    );
  });
  await t.step("a second time gives the same figures", async () => {
    const second = await evaluate("--out", `${folder.path}/two`);
    assertEquals({ ...second.report, seconds: {} }, { ...first.report, seconds: {} });
  });
  await t.step("what cannot be evaluated is one line", async () => {
    const fails = async (args: string[], message: string) => {
      const { code, stderr } = await kao("eval", ...args, "--cache", `${folder.path}/cache`);
      assertEquals(code, 1);
      assertStringIncludes(stderr.trim().split("\n").at(-1)!, message);
      assertEquals(stderr.includes("unexpected"), false, stderr);
    };
    await fails([data, data], "is not a run");
    await fails([run, `${folder.path}/none`], "none");
    await fails([run, data, "--columns", "shoes"], 'no label column "shoes"');
    await fails([run], "Missing data");
    await fails([run, data, "--inception", `${run}/run.json`], "is no whole safetensors file");
    const unlabelled = `${folder.path}/unlabelled`;
    await Deno.mkdir(unlabelled);
    const description = JSON.parse(await Deno.readTextFile(`${run}/run.json`));
    const slider = { kind: "continuous", name: "smile", quantiles: [0, 1] };
    const without = { ...description, conditions: [slider], plugins: [] };
    await Deno.writeTextFile(`${unlabelled}/run.json`, JSON.stringify(without));
    await fails([unlabelled, data], "The run is not asked by a label column of classes");
  });
});
