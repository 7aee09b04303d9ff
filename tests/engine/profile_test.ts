import { assertEquals, assertMatch } from "@std/assert";
import {
  add,
  compile,
  conv2d,
  matmul,
  mul,
  read,
  sum,
  tanh,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";
import { Plan } from "../../engine/compile/plan.ts";
import { debugFlags } from "../../engine/debug.ts";
import { formatPlan, formatProfile } from "../../engine/compile/report.ts";
import { device, withoutLeaks } from "./device.ts";

const gpu = await device();
const timed = { ignore: !gpu.features.has("timestamp-query") };

function program(): Plan {
  const random = (shape: number[]): Tensor => {
    const length = shape.reduce((a, b) => a * b, 1);
    return tensor(Float32Array.from({ length }, (_, i) => Math.sin(i)), shape);
  };
  const a = random([96, 96]), x = random([2, 8, 16, 16]), w = random([8, 8, 3, 3]);
  const outputs = [sum(tanh(matmul(a, add(a, 1)))), conv2d(conv2d(x, w, { padding: 1 }), w)];
  return new Plan(gpu, { name: "sample", outputs, assignments: new Map() });
}

Deno.test("a plan is a table of its dispatches in order", () => {
  const plan = program();
  const [heading, ...rows] = formatPlan("sample", plan).split("\n");
  const kept = plan.dispatches.filter(({ constant }) => constant).length;
  const only = kept === 0
    ? ""
    : `; ${kept} dispatches \\(c\\) only where variables changed, .+ kept`;
  assertMatch(
    heading,
    new RegExp(`^plan sample: \\d+ dispatches, arena \\d+\\.\\d MiB${only}$`),
  );
  assertEquals(rows.length, plan.dispatches.length);
  assertEquals(rows.filter((row) => /^ +\d+c /.test(row)).length, kept);
  plan.destroy();
});

Deno.test({
  ...timed,
  name: "every dispatch has a time, and together they fit between first and last",
  fn: async () => {
    await withoutLeaks(async () => {
      const plan = program();
      const { passes, overhead, span, wall } = await plan.time();
      assertEquals(passes.length, plan.dispatches.length);
      assertEquals(passes.every((time) => time >= 0), true);
      const total = passes.reduce((a, b) => a + b, 0);
      assertEquals(total > 0 && total <= span, true, `${total} of ${span} ns`);
      assertEquals(overhead >= 0 && wall > 0, true);
      plan.destroy();
    });
  },
});

Deno.test({
  ...timed,
  name: "a profile has a row for each kernel, variant and shape; the shares make up the whole",
  fn: async () => {
    const plan = program();
    const text = formatProfile("sample", plan, await plan.time());
    plan.destroy();
    const lines = text.split("\n");
    const columns = lines.findIndex((line) => line.includes("GFLOP/s"));
    assertMatch(lines[columns], /time +share +GFLOP\/s +GB\/s +count +kernel +shape +\[variant\]$/);
    const rows = lines.slice(columns + 1);
    const counts = rows.map((row) => Number(row.split(/\s+/)[7]));
    assertEquals(counts.reduce((a, b) => a + b, 0), plan.dispatches.length);
    const shares = rows.reduce((sum, row) => sum + Number(row.split(/\s+/)[3]), 0);
    assertEquals(Math.abs(shares - 100) < 1, true, `${shares} %`);
    assertEquals(rows.some((row) => row.includes("conv2d") && row.includes("[")), true);
  },
});

Deno.test({
  ...timed,
  name: "the profile of a third call is printed before what it computed is read",
  fn: async () => {
    const lines: unknown[] = [], print = console.error;
    const step = compile((x) => mul(x, 2), { name: "doubled" });
    debugFlags.add("profile");
    console.error = (line) => lines.push(line);
    try {
      const results = [1, 2, 3].map((x) => step(tensor(x)));
      assertEquals([...(await read(results))[0]], [6]);
    } finally {
      console.error = print;
      debugFlags.delete("profile");
    }
    assertEquals(lines.map((line) => String(line).includes("plan doubled")), [true]);
  },
});

Deno.test("clocks that contradict each other are said to", () => {
  const plan = program();
  const passes = plan.dispatches.map(() => 1e6);
  const count = passes.length;
  const report = (span: number, wall: number): string =>
    formatProfile("sample", plan, { passes, overhead: 100, span: span * 1e6, wall: wall * 1e6 });
  assertEquals(report(count, count + 10).includes("only shares mean something"), false);
  assertEquals(report(count, count / 2).includes("only shares mean something"), true);
  assertEquals(report(count, count * 100).includes("not in the plan"), true);
  plan.destroy();
});
