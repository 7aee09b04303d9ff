// Reductions whose threads are folded by subgroups, on whatever adapter has them, next to those folded in a tree.

import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import {
  amax,
  amin,
  cast,
  grad,
  mean,
  moments,
  mul,
  sub,
  sum,
  type Tensor,
  tensor,
  type TypedArray,
} from "../../engine/mod.ts";
import type { Target } from "../../engine/compile/lower.ts";
import { Plan } from "../../engine/compile/plan.ts";
import { rowThreads } from "../../engine/compile/rows.ts";
import { typedArray } from "../../engine/dtype.ts";
import { readBuffers } from "../../engine/runtime/readback.ts";
import { device } from "./device.ts";

const gpu = await device();

const test = (name: string, fn: () => Promise<void>): void =>
  Deno.test({ name, fn, ignore: gpu.subgroups === undefined });

const numbers = (...shape: number[]): Tensor => {
  const length = shape.reduce((a, b) => a * b, 1);
  return tensor(Float32Array.from({ length }, (_, i) => Math.sin(i * i % 1009)), shape);
};

/** What a plan for a target computes, and its shaders. */
async function run(
  outputs: readonly Tensor[],
  target: Partial<Target>,
): Promise<{ results: TypedArray[]; code: string }> {
  const plan = new Plan(gpu, { name: "folds", outputs, assignments: new Map() }, { target });
  const read = async (): Promise<TypedArray[]> => {
    plan.run();
    const bytes = await readBuffers(gpu, plan.outputs);
    return outputs.map((x, at) => typedArray(bytes[at], x.size, x.dtype));
  };
  const results = await read();
  assertEquals(await read(), results, "the same bits each time");
  plan.destroy();
  return { results, code: plan.dispatches.map(({ code }) => code).join("\n") };
}

/** As for a GPU, with workgroups of many subgroups, and as for a CPU adapter, with one or few. */
const targets = [{ cpu: false }, { cpu: true }];

test("rows folded by subgroups are what they are when folded in a tree", async () => {
  const subgroups = gpu.subgroups;
  const x = numbers(7, 1023), large = numbers(3, 40_000), batch = numbers(4, 6, 9, 11);
  const { mean: average, variance } = moments(batch, { dim: [0, 2, 3] });
  const [gradient] = grad(sum(mul(variance, average)), [batch]);
  const outputs = [
    sum(x, { dim: 1 }),
    amax(x, { dim: 1 }),
    amin(x),
    sum(cast(mul(x, 100), "i32"), { dim: 1 }),
    sum(large, { dim: 1 }),
    mean(sub(large, mean(large, { dim: 1, keepdim: true }))),
    average,
    variance,
    gradient,
  ];
  for (const { cpu } of targets) {
    const tree = await run(outputs, { cpu, subgroups: undefined });
    const folded = await run(outputs, { cpu, subgroups });
    assert(folded.code.includes("subgroupAdd") && !tree.code.includes("subgroup"));
    folded.results.forEach((values, at) => {
      const expected = tree.results[at];
      values.forEach((value, i) =>
        assertAlmostEquals(value, expected[i], 1e-5 * (1 + Math.abs(expected[i])))
      );
    });
    assertEquals(folded.results.slice(1, 4), tree.results.slice(1, 4), "these are exact");
  }
});

Deno.test("long rows get more threads, where the device has them and folds them by subgroups", () => {
  const threads = (length: number, options: { most?: number; subgroups?: boolean } = {}) => {
    const { most = 1024, subgroups = true } = options;
    return rowThreads(length, {
      limits: { ...gpu.limits, maxComputeInvocationsPerWorkgroup: most },
      subgroups: subgroups ? { enable: "" } : undefined,
    });
  };
  assertEquals([threads(1024), threads(16_384)], [256, 512]);
  assertEquals([threads(16_384, { most: 256 }), threads(16_384, { subgroups: false })], [256, 256]);
});

Deno.test("shaders use subgroups only where the device was granted them", () => {
  assert(gpu.subgroups === undefined || gpu.features.has("subgroups"));
});
