// In which order rewritten graphs are computed, and what that takes.

import { assertEquals, assertLess } from "@std/assert";
import { livenessBound } from "../../engine/compile/memory.ts";
import { simplify } from "../../engine/compile/simplify.ts";
import { dispatchesOf } from "../../engine/compile/sites.ts";
import {
  compile,
  matmul,
  mul,
  read,
  slice,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";
import { gpu } from "../kernels/gpu.ts";
import { device } from "./device.ts";

await device();

Deno.test("what roots need is numbered in the order in which it was written, whichever root is first", () => {
  const x = tensor([1, 2, 3]);
  const early = sum(square(x)), late = sum(mul(x, 2));
  for (const on of [true, false]) {
    const [b, a] = simplify([late, early], { merge: on, algebra: on, cpu: true });
    assertLess(a.id, b.id);
  }
});

const SIDE = 37, UNIT = 4 * SIDE ** 2;

/** Two results of one product. As they are written, nobody needs it any more once `late` has begun. */
function results(x: Tensor, w: Tensor): { early: Tensor; late: Tensor } {
  const shared = matmul(x, w), column = slice(w, [null, [0, 1]]);
  const early = matmul(matmul(shared, x), column);
  let late = matmul(shared, w);
  for (let i = 0; i < 3; i++) late = matmul(late, w);
  return { early, late: matmul(late, column) };
}

Deno.test("a value is not kept for a root that could have been computed before", async () => {
  const numbers = (seed: number): Tensor =>
    tensor(Float32Array.from({ length: SIDE ** 2 }, (_, i) => Math.sin(seed + i)), [SIDE, SIDE]);
  const args = [numbers(1), numbers(2)];
  const written = compile((x, w) => results(x, w));
  const turned = compile((x, w) => {
    const { early, late } = results(x, w);
    return { late, early };
  });
  const [x, w] = args, { early: first, late: last } = results(x, w);
  // Apart: kernels that share a dispatch keep for each other what they need.
  const bytesOf = (outputs: readonly Tensor[]): number => {
    const program = { name: "results", outputs, assignments: new Map() };
    const limits = { ...gpu.limits, maxTextureDimension2D: 8192 };
    const target = { cpu: false, images: false, limits };
    const passes = { join: false, constants: false };
    return livenessBound(dispatchesOf(program, target, { passes }));
  };
  assertEquals(bytesOf([last, first]), bytesOf([first, last]));
  assertLess(bytesOf([first, last]), 2.5 * UNIT);
  const one = written(...args), other = turned(...args);
  const [early, late, late2, early2] = await read([one.early, one.late, other.late, other.early]);
  assertEquals([early2, late2], [early, late]);
});
