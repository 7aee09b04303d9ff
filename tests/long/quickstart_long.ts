import { assertEquals, assertGreaterOrEqual, assertLessOrEqual } from "@std/assert";
import { temporaryFolder } from "../data/temporary.ts";
import { Process } from "../end_to_end/process.ts";

const SECONDS = 300;
const OBEDIENCE = 90;

Deno.test(`quickstart ends in ${SECONDS} s, and ${OBEDIENCE}% of its samples obey`, async () => {
  using folder = temporaryFolder();
  const begun = performance.now();
  const { code, stdout, stderr } = await new Process([
    "quickstart",
    "--out",
    `${folder.path}/q`,
    "--tune-cache",
    `${folder.path}/t.json`,
  ])
    .end();
  const seconds = (performance.now() - begun) / 1000;
  assertEquals(code, 0, stderr);
  const obeyed = Number(stdout.match(/measured from the pixels: ([\d.]+)%/)?.[1]);
  console.log(`${seconds.toFixed(0)} s, ${obeyed}%`);
  assertGreaterOrEqual(obeyed, OBEDIENCE);
  assertLessOrEqual(seconds, SECONDS);
});
