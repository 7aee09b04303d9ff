import { assertEquals, assertLessOrEqual } from "@std/assert";
import { chooseRegisterTile, chooseSplits } from "../../engine/kernels/gemm_registers.ts";

Deno.test("no thread of a deep product goes more rounds than llvmpipe allows", () => {
  // The weight gradient of a 3x3 convolution, 128 -> 128 channels, over 32 pictures of 64x64.
  const groups = 128 * 9 / 4;
  const tile = chooseRegisterTile(128 / 4, groups, { depth: 64 * 64 * 32 });
  const splits = chooseSplits(tile, groups, { loops: [64, 64, 32], slices: 1 });
  const rounds = Math.ceil(64 / splits) * (1 + 64 * (1 + 32));
  assertLessOrEqual(rounds, 65_535);
});

Deno.test("a product with tiles enough for every core is not split", () => {
  const tile = chooseRegisterTile(256, 1024, { depth: 9 * 64 });
  assertEquals(chooseSplits(tile, 1024, { loops: [9, 1, 64], slices: 1 }), 1);
});
