import { assertEquals, assertThrows } from "@std/assert";
import { formatComparison, parsePeer, parseReport, peerRatios } from "../../bench/peers.ts";
import { UserError } from "../../data/mod.ts";

Deno.test("A peer is a name and a command, in which anything may stand", () => {
  assertEquals(parsePeer("torch=python3 bench.py --name=value a,b"), {
    name: "torch",
    command: "python3 bench.py --name=value a,b",
  });
  for (const wrong of ["torch", "=python3", "torch=", "torch=  "]) {
    assertThrows(() => parsePeer(wrong), UserError, "--peer takes NAME=COMMAND");
  }
});

Deno.test("The report is the last line of JSON that is one, whatever else a program prints", () => {
  const report = { engine: "x", step_ms: { min: 1, median: 2.5, max: 4 } };
  const text = JSON.stringify(report);
  const outcome = parseReport(`warming up\n{"step_ms":{"median":9}}\n${text}\n[1]\n{oops\n`);
  assertEquals(outcome, { ms: 2.5, report });
});

Deno.test("A program that could not, or said nothing, has no figure but a reason", () => {
  assertEquals(parseReport('{"engine":"x","unsupported":"no adapter"}\n'), {
    unsupported: "no adapter",
  });
  const nothing = { unsupported: "it printed no line of JSON with step_ms.median" };
  for (const output of ["", "null", '{"step_ms":{"median":0}}', '{"step_ms":{"median":"3"}}']) {
    assertEquals(parseReport(output), nothing);
  }
});

Deno.test("Comparisons show each round, and the medians of ratios", () => {
  const comparison = {
    kao: [10, 20, 10],
    peers: {
      fast: [5, 10, 6].map((ms) => ({ ms, report: {} })),
      broken: [{ unsupported: "why" }, { unsupported: "why" }, { unsupported: "why" }],
    },
  };
  assertEquals(peerRatios(comparison), {
    fast: { rounds: [0.5, 0.5, 0.6], median: 0.5 },
    broken: undefined,
  });
  assertEquals(formatComparison(comparison).split("\n").map((line) => line.trim().split(/ {2,}/)), [
    ["round", "kao ms", "fast ms", "broken ms", "fast / kao", "broken / kao"],
    ["1", "10.0", "5.00", "-", "0.500", "-"],
    ["2", "20.0", "10.0", "-", "0.500", "-"],
    ["3", "10.0", "6.00", "-", "0.600", "-"],
    ["median", "10.0", "0.500", "-"],
  ]);
});
