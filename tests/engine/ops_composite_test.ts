import { assertEquals, assertThrows } from "@std/assert";
import * as kao from "../../engine/mod.ts";
import { Device, read, type Tensor, tensor } from "../../engine/mod.ts";

await Device.open();

const grid = tensor([1, 2, 3, 4, 5, 6], [2, 3]);
const picture = tensor(Array.from({ length: 16 }, (_, i) => i), [1, 1, 4, 4]);

async function assertValues(got: Tensor, want: number[], shape: number[]): Promise<void> {
  assertEquals(got.shape, shape);
  assertEquals([...(await read([got]))[0]], want);
}

Deno.test("axes of length 1 come and go, and others are flattened, swapped and stacked", async () => {
  assertEquals(kao.unsqueeze(grid, 0).shape, [1, 2, 3]);
  assertEquals(kao.unsqueeze(grid, -1).shape, [2, 3, 1]);
  assertEquals(kao.squeeze(kao.reshape(grid, [1, 2, 1, 3])).shape, [2, 3]);
  assertEquals(kao.squeeze(kao.reshape(grid, [1, 2, 1, 3]), { dim: 2 }).shape, [1, 2, 3]);
  assertEquals(kao.flatten(picture, { start: 2 }).shape, [1, 1, 16]);
  assertEquals(kao.flatten(tensor(3)).shape, [1]);
  await assertValues(kao.transpose(grid, [0, -1]), [1, 4, 2, 5, 3, 6], [3, 2]);
  await assertValues(kao.stack([grid, kao.neg(grid)], { dim: 1 }), [
    ...[1, 2, 3, -1, -2, -3],
    ...[4, 5, 6, -4, -5, -6],
  ], [2, 2, 3]);
  assertThrows(() => kao.squeeze(grid, { dim: 1 }), RangeError, "axis 1 of tensor [2, 3]");
});

Deno.test("padding mirrors or repeats edges along any axis, and crops where it is negative", async () => {
  const reflected = [6, 5, 4, 5, 6, 3, 2, 1, 2, 3, 6, 5, 4, 5, 6];
  await assertValues(kao.pad(grid, [[1, 0], [2, 0]], { mode: "reflect" }), reflected, [3, 5]);
  await assertValues(kao.pad(grid, [[2, 0], [-1, 1]], { mode: "replicate" }), [
    ...[2, 3, 3, 2, 3, 3],
    ...[2, 3, 3, 5, 6, 6],
  ], [4, 3]);
  await assertValues(kao.pad(grid, [[0, 0], [-2, 1]], { value: 9 }), [3, 9, 6, 9], [2, 2]);
  const pads = [[0, 0], [0, 3]] as const;
  assertThrows(
    () => kao.pad(grid, pads, { mode: "reflect" }),
    RangeError,
    "Cannot pad axis 1 of tensor [2, 3] by 3 reflected elements: there are 2",
  );
});

Deno.test("rows and slices are chosen in the order of the indices", async () => {
  const index = tensor(new Int32Array([1, 0, 1]));
  await assertValues(kao.indexSelect(grid, index, { dim: 0 }), [4, 5, 6, 1, 2, 3, 4, 5, 6], [3, 3]);
  await assertValues(kao.embedding(kao.reshape(index, [3, 1]), grid), [4, 5, 6, 1, 2, 3, 4, 5, 6], [
    3,
    1,
    3,
  ]);
  await assertValues(kao.oneHot(index, 2), [0, 1, 1, 0, 0, 1], [3, 2]);
  await assertValues(kao.oneHot(tensor(new Int32Array([-1, 2])), 2), [0, 0, 0, 0], [2, 2]);
  assertThrows(
    () => kao.indexSelect(grid, grid, { dim: 0 }),
    RangeError,
    "whole numbers along one axis are needed",
  );
});

Deno.test("the length of a zero vector is 0, and so is its gradient", async () => {
  const x = tensor([0, 0, 3, 4], [2, 2]);
  const lengths = kao.norm(x, { dim: 1 });
  await assertValues(lengths, [0, 5], [2]);
  const [slope] = await read(kao.grad(kao.sum(lengths), [x]));
  assertEquals([...slope], [0, 0, Math.fround(0.6), Math.fround(0.8)]);
});

Deno.test("of equal elements in a window the first gets the gradient", async () => {
  const x = tensor([2, 2, 2, 2], [1, 1, 2, 2]);
  const [slope] = await read(kao.grad(kao.sum(kao.maxPool2d(x, { kernelSize: 2 })), [x]));
  assertEquals([...slope], [1, 0, 0, 0]);
});

Deno.test("a binary cross entropy keeps the digits of logits that are right by far", async () => {
  const [loss] = await read([kao.binaryCrossEntropyWithLogits(tensor([12]), tensor([1]))]);
  assertEquals(Math.abs(loss[0] / Math.log1p(Math.exp(-12)) - 1) < 1e-6, true);
});

Deno.test("a loss does not broadcast its target, which would hide a mistake", () => {
  const column = tensor([1, 2, 3], [3, 1]), row = tensor([0, 1, 0]);
  for (const loss of [kao.binaryCrossEntropyWithLogits, kao.mseLoss, kao.l1Loss]) {
    assertThrows(() => loss(column, row), RangeError, "[3, 1] and target [3]");
  }
});

Deno.test("labels of another type or shape than the logits' are refused", () => {
  assertThrows(() => kao.crossEntropy(grid, tensor([0, 1])), RangeError, "f32 labels [2]");
  assertThrows(
    () => kao.crossEntropy(grid, tensor(new Int32Array(3))),
    RangeError,
    "Cannot crossEntropy logits [2, 3] and i32 labels [3]",
  );
});

Deno.test("the unbiased variance of single elements is refused", () => {
  assertThrows(() => kao.variance(tensor([1, 2]), { dim: [] }), RangeError, "single elements");
});

Deno.test("normalisations name the shape that does not fit", () => {
  const weight = tensor([1, 2, 3]);
  assertThrows(() => kao.batchNorm(picture, { weight }), RangeError, "[1] is needed");
  assertThrows(() => kao.batchNorm(weight), RangeError, "axis 1, channels, is missing");
  assertThrows(() => kao.groupNorm(picture, { groups: 3 }), RangeError, "do not divide");
  assertThrows(() => kao.layerNorm(grid, { normalizedShape: [2] }), RangeError, "last axes differ");
});

Deno.test("resampling names the shape that does not fit", () => {
  assertThrows(() => kao.pixelShuffle(picture, 2), RangeError, "1 channels do not divide by 4");
  assertThrows(() => kao.pixelUnshuffle(picture, 3), RangeError, "must divide");
  assertThrows(() => kao.upsampleNearest(grid, 2), RangeError, "[N, C, H, W] is needed");
  assertThrows(() => kao.avgPool2d(picture, { kernelSize: 5 }), RangeError, "kernel must fit");
  assertThrows(
    () => kao.maxPool2d(picture, { kernelSize: 2, padding: 2 }),
    RangeError,
    "padding [2, 2]",
  );
});
