import { assertEquals, assertNotEquals, assertStringIncludes } from "@std/assert";
import { decodePicture } from "../../data/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { drawData, Process, trainArguments } from "./process.ts";

Deno.test("sample writes a sheet, a grid, and the way from one picture to another", async (t) => {
  using folder = temporaryFolder();
  await drawData(folder.path);
  const run = `${folder.path}/run`;
  const schedule = ["--steps", "8", "--log-every", "4"];
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
  await t.step("a grid has a column a class", async () => {
    const stdout = await sample("--grid", "eyes", "-n", "2", "--out", out("grid.png"));
    assertStringIncludes(stdout, "columns are blue, brown, green, purple, red");
    assertEquals((await size(out("grid.png")))[0], 5 * 8 + 6 * 2);
  });
  await t.step(
    "an interpolation is frames and an animated GIF, by default in the run",
    async () => {
      await sample("--interpolate", "3,9", "--frames", "3");
      const way = `${run}/samples/step-8_from-3-to-9`;
      const names = [...Deno.readDirSync(way)].map(({ name }) => name).sort();
      assertEquals(names, ["animation.gif", "frame-001.png", "frame-002.png", "frame-003.png"]);
      const gif = await Deno.readFile(`${way}/animation.gif`);
      assertEquals(new TextDecoder().decode(gif.subarray(0, 6)), "GIF89a");
    },
  );
});
