import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { formatKernels } from "../../cli/tune.ts";
import type { TunedKernel } from "../../engine/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { kao } from "./kao.ts";

Deno.test("kernels are a table with how far the static guess is from the best", () => {
  const kernel = (
    choice: string,
    seconds: Record<string, number>,
    source: TunedKernel["source"] = "measured",
  ): TunedKernel => ({ family: "conv2d", shape: "1x1", guess: "a", choice, seconds, source });
  const text = formatKernels([
    kernel("b", { a: 0.03, b: 0.01 }),
    kernel("a", { a: 0.002, b: 0.004 }, "known"),
    kernel("a", { a: 1, b: 2 }),
    kernel("b", { b: 0.01 }), // The guess cannot run here.
    kernel("a", {}, "guess"),
  ]);
  assertEquals(text.split("\n"), [
    "kernel  shape  chosen    ms  static guess    ms  ratio",
    "conv2d  1x1    b       10.0  a             30.0   3.00",
    "conv2d  1x1    a       2.00  a             2.00   1.00",
    "conv2d  1x1    a       1000  a             1000   1.00",
    "conv2d  1x1    b       10.0  a                -      -",
    "conv2d  1x1    a          -  a                -      -",
    "",
    "The static guess is within 3.00x of the tuned choice (median 1.00x, of 3 kernels)",
  ]);
  assertMatch(formatKernels([kernel("a", {}, "guess")]), /Nothing was measured$/);
});

Deno.test("kao tune measures for as long as it is told, and keeps that for the next start", async () => {
  using folder = temporaryFolder();
  const environment = { XDG_CACHE_HOME: folder.path, LOCALAPPDATA: folder.path };
  const args = ["--preset", "small32", "--batch", "2", "--classes", "2"];
  const tune = async (seconds: string) => {
    const outcome = await kao([...args, "--seconds", seconds], environment, "tune");
    assertEquals(outcome.code, 0, outcome.stderr);
    return outcome;
  };
  const path = `${folder.path}/kao/tuning.json`;
  let outcome = await tune("10");
  // A busy machine needs longer for the first kernel that is kept.
  const isKept = () => Deno.lstat(path).then(() => true, () => false);
  if (!await isKept()) outcome = await tune("60");
  const { stdout, stderr } = outcome;
  const measured = Number(stderr.match(/^Measured (\d+) kernels in /m)?.[1]);
  assert(measured > 0, stderr);
  assertMatch(stdout, /^kernel +shape +chosen +ms +static guess +ms +ratio\n(conv2d|matmul)/);
  assertMatch(stdout, /\nThe static guess is within \d+\.\d\dx of the tuned choice/);
  const { adapters } = JSON.parse(Deno.readTextFileSync(path));
  // What was in hand when time was up is not kept.
  const kept = Object.values<object>(adapters).flatMap((table) => Object.keys(table)).length;
  assert(kept === measured || kept === measured - 1, `${kept} of ${measured} kernels`);
  const rowsOf = (text: string) => text.split("\n").filter((row) => /^(conv2d|matmul)/.test(row));
  const again = rowsOf((await tune("0")).stdout).filter((row) => /\d$/.test(row));
  assertEquals(again.filter((row) => !rowsOf(stdout).includes(row)), []);
});

Deno.test("kao tune refuses what is no number of classes", async () => {
  const { code, stderr } = await kao(["tune", "--classes", "1"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "kao: --classes must be whole numbers above 1, not 1");
});
