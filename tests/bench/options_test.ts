import { assertEquals, assertThrows } from "@std/assert";
import { parseOptions, usage, workloadNamed } from "../../bench/options.ts";
import { workloads } from "../../bench/workloads.ts";
import { UserError } from "../../data/mod.ts";

Deno.test("The command line of the benchmarks: words, numbers, peers", () => {
  const options = parseOptions([
    ...["layers", "acgan64", "--batch", "8", "--json", "--batches=1,2"],
    ...["--peer", "a=one", "--peer", "b=two --flag", "--wait", "end"],
  ]);
  assertEquals(options.words, ["layers", "acgan64"]);
  assertEquals([options.batch, options.steps, options.rounds], [8, undefined, 3]);
  assertEquals([options.json, options.check, options.waiting], [true, false, "end"]);
  assertEquals(options.batches, [1, 2]);
  assertEquals(options.peers.map(({ command }) => command), ["one", "two --flag"]);
});

Deno.test("What does not fit is refused with what would", () => {
  const refused: [string[], string][] = [
    [["--bach", "4"], "Unknown option --bach"],
    [["--batch", "0"], '--batch takes a whole number from 1, not "0"'],
    [["--steps", "many"], "--steps takes a whole number"],
    [["--batches", "4,,8"], '--batches takes a whole number from 1, not ""'],
    [["--wait", "never"], "--wait is each or end, not never"],
    [["--precision", "tf32"], "--precision is f32 or f16, not tf32"],
    [["--peer", "torch"], "--peer takes NAME=COMMAND"],
    [["--tune-cache"], "--tune-cache takes the name of a file"],
  ];
  for (const [args, message] of refused) {
    assertThrows(() => parseOptions(args), UserError, message);
  }
  assertThrows(() => workloadNamed("acgan65"), UserError, "there are acgan64, moe-sample");
});

Deno.test("--help names every workload, and only options that there are", () => {
  const text = usage();
  for (const name of Object.keys(workloads)) assertEquals(text.includes(`  ${name} `), true, name);
  const flags = [...text.matchAll(/^ {2}--(\S+)(.*)/gm)];
  assertEquals(flags.length > 10, true);
  for (const [, flag, rest] of flags) {
    const value = { wait: "end", peer: "a=b", precision: "f16" }[flag] ?? "1";
    parseOptions(/^ [A-Z]|^ each/.test(rest) ? [`--${flag}`, value] : [`--${flag}`]);
  }
});
