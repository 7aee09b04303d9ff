import { assert, assertEquals } from "@std/assert";
import { readCurves } from "../../evaluation/mod.ts";
import { escaped, figure, percent } from "../../evaluation/html/markup.ts";
import { linePlot, scatterPlot } from "../../evaluation/html/plots.ts";
import { temporaryFolder } from "../data/temporary.ts";

Deno.test("text is shown as it is, and numbers in three digits", () => {
  assertEquals(escaped(`<b class="x">&`), "&lt;b class=&quot;x&quot;&gt;&amp;");
  assertEquals([12.3456, 0, 0.000123, -1234.5, null].map(figure), [
    "12.3",
    "0",
    "1.2e-4",
    "-1230",
    "–",
  ]);
  assertEquals([0.846, 0, null].map(percent), ["85\u00a0%", "0\u00a0%", "–"]);
});

/** Every point of every line. */
const pointsOf = (svg: string): number[][] =>
  [...svg.matchAll(/polyline points="([^"]+)"/g)].flatMap(([, points]) =>
    points.split(" ").map((point) => point.split(",").map(Number))
  );

Deno.test("lines stay inside their plot, even a constant one of one step", () => {
  const axes = { x: "step", y: "loss" };
  const points = [[0, -3], [500, 1e-7], [1000, 2e5]] as const;
  const wild = linePlot([{ name: "a <b>", colour: 1, points }], axes);
  const flat = linePlot([{ name: "c", colour: 2, points: [[7, 4]] }], axes);
  assertEquals(pointsOf(wild).length + pointsOf(flat).length, 4);
  for (const [x, y] of [...pointsOf(wild), ...pointsOf(flat)]) {
    assert(x >= 52 && x <= 544 && y >= 12 && y <= 260, `${x} ${y}`);
  }
  assert(wild.includes("a &lt;b&gt;") && !wild.includes("a <b>"));
  const [low, , high] = pointsOf(wild);
  assert(low[1] > high[1] && low[0] < high[0]);
  assertEquals(linePlot([], axes), "");
});

Deno.test("a scatter plot leaves out names that would lie on each other", () => {
  const dot = (name: string, x: number) => ({ name, colour: 1, x, y: x, named: true });
  const svg = scatterPlot([dot("one", 0.2), dot("two", 0.201), dot("far", 0.9)], { x: "", y: "" });
  assertEquals((svg.match(/<circle/g) ?? []).length, 3);
  const names = [...svg.matchAll(/class="(?:start|end)">([a-z]+)</g)].map(([, name]) => name);
  assertEquals(names, ["one", "far"]);
});

Deno.test("curves are those of the log, as means over stretches where it is long", async () => {
  const lines = Array.from({ length: 400 }, (_, i) => ({ step: i + 1, "g.adv": i % 2 }));
  const log = lines.map((line) => JSON.stringify(line)).join("\n") +
    '\n{"step":401,"holdout.hair":0.5}\n{"st';
  using folder = temporaryFolder({ "metrics.jsonl": log });
  const [loss, holdout] = await readCurves(folder.path);
  assertEquals([loss.name, holdout.name, holdout.points], ["g.adv", "holdout.hair", [[401, 0.5]]]);
  assert(loss.points.length <= 160 && loss.points.length > 100);
  const mean = loss.points.reduce((sum, [, value]) => sum + value, 0) / loss.points.length;
  assert(Math.abs(mean - 0.5) < 0.02);
  assertEquals(await readCurves(`${folder.path}/none`), []);
});
