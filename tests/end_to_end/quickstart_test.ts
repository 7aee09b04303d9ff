import { assertEquals, assertMatch } from "@std/assert";
import { temporaryFolder } from "../data/temporary.ts";
import { isThere, Process } from "./process.ts";

Deno.test("quickstart draws its data, trains, measures, and says where the pictures are", async () => {
  using folder = temporaryFolder();
  const out = `${folder.path}/quick`;
  const args = ["quickstart", "--out", out, "--steps", "2", "--tune", "off"];
  const { code, stdout, stderr } = await new Process(args).end();
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /Hair as asked for, measured from the pixels: \d+\.\d% of 256/);
  for (const path of stdout.matchAll(/: +(\S+)$/gm)) assertEquals(isThere(path[1]), true, path[1]);
  assertEquals(isThere(`${out}/hair.png`), true);
  assertEquals(isThere(`${out}/run/grids/000002.hair.png`), true);
});
