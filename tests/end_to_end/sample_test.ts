import { assertEquals, assertMatch, assertNotEquals, assertStringIncludes } from "@std/assert";
import { decodePicture } from "../../data/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { drawData, Process, trainArguments } from "./process.ts";

Deno.test("sample writes sheets, sweeps, ways from one picture to another, and data sets", async (t) => {
  using folder = temporaryFolder();
  await drawData(folder.path);
  const run = `${folder.path}/run`;
  const schedule = ["--steps", "8", "--log-every", "4", "--checkpoint-every", "4"];
  assertEquals((await new Process(trainArguments(folder.path, run, schedule)).end()).code, 0);

  const sample = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Process(["sample", run, ...args]).end();
    assertEquals(code, 0, stderr);
    return stdout;
  };
  const out = (name: string) => `${folder.path}/${name}`;
  const size = async (path: string) => {
    const { width, height } = await decodePicture(await Deno.readFile(path));
    return [width, height];
  };
  const asked = ["--hair", "blonde", "--eyes", "blue", "-n", "5", "--seed", "7"];

  await t.step("the same command draws the same pictures, on a sheet near a square", async () => {
    await sample(...asked, "--out", out("one.png"));
    await sample(...asked, "--out", out("two.png"));
    assertEquals(await Deno.readFile(out("one.png")), await Deno.readFile(out("two.png")));
    assertEquals(await size(out("one.png")), [3 * 8 + 4 * 2, 2 * 8 + 3 * 2]);
  });
  await t.step("raw weights draw other pictures than averaged ones", async () => {
    await sample(...asked, "--raw", "--out", out("raw.png"));
    assertNotEquals(await Deno.readFile(out("raw.png")), await Deno.readFile(out("one.png")));
  });
  await t.step("a sweep has a column a class, and a second condition makes the rows", async () => {
    const stdout = await sample("--sweep", "eyes", "-n", "2", "--out", out("sweep.png"));
    assertStringIncludes(stdout, "columns are blue, brown, green, purple, red; rows seeds 1 to 2");
    assertEquals((await size(out("sweep.png")))[0], 5 * 8 + 6 * 2);
    const sheet = await sample("--sweep", "eyes,hair", "--seed", "4", "--out", out("sheet.png"));
    assertStringIncludes(sheet, "purple, red; rows black, blonde, blue");
    const margin = "blonde".length * 6 + 2;
    assertEquals((await size(out("sheet.png")))[0], margin + 5 * 8 + 6 * 2);
  });
  await t.step("a way is frames and an animated GIF, by default in the run", async () => {
    await sample("--interpolate", "3,9,4", "--frames", "3", "--loop");
    const way = `${run}/samples/step-8_from-3-to-9-to-4-and-back`;
    const names = [...Deno.readDirSync(way)].map(({ name }) => name).sort();
    assertEquals(names, ["animation.gif", ...[1, 2, 3, 4, 5, 6].map((i) => `frame-00${i}.png`)]);
    const gif = await Deno.readFile(`${way}/animation.gif`);
    assertEquals(new TextDecoder().decode(gif.subarray(0, 6)), "GIF89a");
  });
  await t.step("truncation, a mix, the best of several, and an earlier checkpoint", async () => {
    const drawn = async (...more: string[]) => {
      await sample(...asked, ...more, "--out", out("other.png"));
      return await Deno.readFile(out("other.png"));
    };
    const plain = await Deno.readFile(out("one.png"));
    assertNotEquals(await drawn("--truncation", "0.3"), plain);
    assertEquals(await drawn("--truncation", "9"), plain);
    assertNotEquals(await drawn("--best-of", "3"), plain);
    assertNotEquals(await drawn("--checkpoint", "previous"), plain);
    await sample("--hair", "blonde:0.5,pink:0.5", "-n", "1");
    const mixed = `${run}/samples/step-8_hair-blonde_0.5_pink_0.5_seed-1.png`;
    assertEquals(await size(mixed), [12, 12]);
  });
  await t.step("each picture stands beside the nearest real one", async () => {
    const cache = ["--cache", `${folder.path}/cache`];
    const args = ["--nearest", `${folder.path}/data`, "-n", "2", "--out", out("near.png")];
    const stdout = await sample(...args, ...cache);
    assertMatch(stdout, /seed 2: \d+\.\d from images\/\d+\.png/);
    assertMatch(stdout, /median: \d+\.\d to the nearest real picture; \d+\.\d from a real one/);
    assertEquals((await size(out("near.png")))[0], 2 * 8 + 3 * 2);
  });
  await t.step("pictures in a folder are a data set to train on", async () => {
    const drawn = `${folder.path}/drawn`;
    await sample("--each", "-n", "70", "--seed", "5", "--out", `${drawn}/data`);
    const rows = Deno.readTextFileSync(`${drawn}/data/labels.csv`).trim().split("\n");
    assertEquals([rows.length, rows[0]], [71, "file,hair,eyes"]);
    assertMatch(rows[70], /^00074\.png,[a-z]+,[a-z]+$/);
    assertEquals([...Deno.readDirSync(`${drawn}/data`)].length, 71);
    const args = trainArguments(drawn, `${drawn}/run`, ["--steps", "2"]);
    const { code, stderr } = await new Process(args).end();
    assertEquals(code, 0, stderr);
    const again = await new Process(["sample", run, "--each", "--out", `${drawn}/data`]).end();
    assertStringIncludes(again.stderr, "--each needs a new or an empty folder");
  });
});
