// Every op names itself, what it was given, and what is wrong with it, where it is written.

import { assertEquals, assertThrows } from "@std/assert";
import * as kao from "../../engine/mod.ts";
import { compile, type Shape, type Tensor, tensor, Variable } from "../../engine/mod.ts";
import { device } from "./device.ts";

await device();

const f = (...shape: number[]): Tensor => tensor(new Float32Array(sizeOf(shape)), shape);
const i = (...shape: number[]): Tensor => tensor(new Int32Array(sizeOf(shape)), shape);
const u = (...shape: number[]): Tensor => tensor(new Uint32Array(sizeOf(shape)), shape);
const bytes = (...shape: number[]): Tensor => tensor(new Uint8Array(sizeOf(shape)), shape);
const bool = (...shape: number[]): Tensor => kao.gt(f(...shape), 0);
const sizeOf = (shape: Shape): number => shape.reduce((product, length) => product * length, 1);

/** A mistake, and what its message must hold besides `Cannot <op>`. */
type Mistake = readonly [make: () => unknown, ...parts: string[]];

const unary = [
  "exp",
  "expm1",
  "log",
  "log1p",
  "sqrt",
  "rsqrt",
  "abs",
  "sign",
  "floor",
  "square",
  "reciprocal",
  "sin",
  "cos",
  "tanh",
  "sigmoid",
  "softplus",
  "erf",
  "relu",
  "leakyRelu",
  "elu",
  "silu",
  "gelu",
  "amax",
  "amin",
  "moments",
  "variance",
  "std",
  "norm",
  "logsumexp",
] as const;
const binary = ["add", "sub", "mul", "div", "maximum", "minimum"] as const;
const comparisons = ["eq", "ne", "lt", "le", "gt", "ge"] as const;
const reductions = ["sum", "mean", "amax", "amin", "variance", "std", "norm", "logsumexp"] as const;

const mistakes: Record<string, Mistake[]> = {
  ...Object.fromEntries(unary.map((op) => [op, [
    [() => kao[op](i(2, 3)), "i32 tensor [2, 3]", "cast"],
    [() => kao[op](bool(2)), "bool tensor [2]"],
    [() => kao[op](bytes(4)), "u8 tensor [4]"],
  ]])),
  ...Object.fromEntries([...binary, ...comparisons].map((op) => [op, [
    [() => kao[op](f(2, 3), f(4)), "[2, 3] and [4]"],
    [() => kao[op](f(2, 3), f(3, 2)), "[2, 3] and [3, 2]"],
    [() => kao[op](f(2), i(2)), "f32 tensor [2] and i32 tensor [2]", "cast"],
    [() => kao[op](i(3), 0.5), "i32 tensor [3] and 0.5", "cast"],
    [() => kao[op](u(3), -1), "u32 tensor [3] and -1"],
    [() => kao[op](f(3), NaN), "f32 tensor [3] and NaN"],
  ]])),
  neg: [[() => kao.neg(u(2)), "u32 tensor [2]"], [() => kao.neg(bool(2)), "bool tensor [2]"]],
  pow: [
    [() => kao.pow(i(2), 2), "i32 tensor [2]"],
    [() => kao.pow(f(2), NaN), "[2]", "NaN"],
    [() => kao.pow(f(2, 3), f(4)), "[2, 3] and [4]"],
  ],
  where: [
    [() => kao.where(f(2), 1, 0), "f32 tensor [2]", "bool"],
    [() => kao.where(bool(2), f(3), 0), "[2]", "[3]"],
    [() => kao.where(bool(2), f(2), i(2)), "f32 tensor [2] and i32 tensor [2]"],
  ],
  cast: [
    [() => kao.cast(f(2), "u8"), "f32 tensor [2] to u8"],
    [() => kao.cast(f(2), "f64" as "f32"), "f32 tensor [2] to f64"],
  ],
  clamp: [
    [() => kao.clamp(f(2), { min: 1, max: 0 }), "[2] between 1 and 0"],
    [() => kao.clamp(f(2), { min: NaN }), "NaN"],
    [() => kao.clamp(f(2), {}), "undefined"],
    [() => kao.clamp(i(2), { min: 0 }), "i32 tensor [2]"],
  ],
  argmax: [
    [() => kao.argmax(f(2, 3), { dim: 2 }), "tensor [2, 3] along axis 2"],
    [() => kao.argmax(i(2), { dim: 0 }), "i32 tensor [2]"],
  ],
  softmax: [
    [() => kao.softmax(f(2, 3), { dim: 2 }), "[2, 3] along axis 2"],
    [() => kao.softmax(i(2), { dim: 0 }), "i32 tensor [2]"],
  ],
  logSoftmax: [
    [() => kao.logSoftmax(f(2, 3), { dim: 0.5 }), "[2, 3] along axis 0.5"],
    [() => kao.logSoftmax(i(2), { dim: 0 }), "i32 tensor [2]"],
  ],
  reshape: [
    [() => kao.reshape(f(2, 3), [4]), "tensor [2, 3] to [4]: 6 elements vs 4"],
    [() => kao.reshape(f(2, 3), [4, -1]), "[2, 3] to [4, -1]: 6 elements vs a multiple of 4"],
    [() => kao.reshape(f(2, 3), [-2, -3]), "[2, 3] to [-2, -3]"],
    [() => kao.reshape(f(1), [-1, -1]), "[1] to [-1, -1]"],
    [() => kao.reshape(f(2, 3), [NaN]), "[2, 3] to [NaN]"],
    [() => kao.reshape(f(2, 3), [1.5, 4]), "[2, 3] to [1.5, 4]"],
    [() => kao.reshape(f(2, 3), [0, -1]), "[2, 3] to [0, -1]"],
  ],
  permute: [
    [() => kao.permute(f(2, 3), [0]), "[2, 3] by [0]"],
    [() => kao.permute(f(2, 3), [0, 0]), "[2, 3] along axes [0, 0]"],
    [() => kao.permute(f(2, 3), [0, 2]), "[2, 3] along axis 2: axes are -2 to 1"],
  ],
  expand: [
    [() => kao.expand(f(2, 3), [4, 3]), "[2, 3] to [4, 3]"],
    [() => kao.expand(f(1), [NaN]), "[1] to [NaN]"],
    [() => kao.expand(f(1), [0]), "[1] to [0]"],
    [() => kao.expand(f(1), [-1, 1]), "[1] to [-1, 1]"],
    [() => kao.expand(f(2, 3), [3]), "[2, 3] to [3]"],
  ],
  slice: [
    [() => kao.slice(f(2, 3), [null, null, null]), "[2, 3] by 3 ranges"],
    [() => kao.slice(f(2, 3), [[2, null]]), "axis 0 of tensor [2, 3] from 2 to null"],
    [() => kao.slice(f(4), [[NaN, 2]]), "[4] from NaN to 2"],
    [() => kao.slice(f(4), [[0.5, 2.5]]), "[4] from 0.5 to 2.5"],
    [() => kao.slice(f(4), [[3, 0, -1]]), "[4] from 3 to 0 by -1"],
  ],
  pad: [
    [() => kao.pad(f(2, 3), [[1, 1]]), "[2, 3] by [[1, 1]]", "2 axes"],
    [() => kao.pad(f(3), [[0.5, 0.5]]), "[3] by [[0.5, 0.5]]"],
    [() => kao.pad(f(3), [[NaN, 0]]), "[3] by [[NaN, 0]]"],
    [() => kao.pad(f(3), [[-2, -1]]), "[3] by [[-2, -1]]: nothing is left"],
    [() => kao.pad(i(3), [[1, 0]], { value: 0.5 }), "[3] by [[1, 0]]", "i32 has no 0.5"],
  ],
  flip: [
    [() => kao.flip(f(2, 3), [2]), "[2, 3] along axis 2"],
    [() => kao.flip(f(2, 3), [0, -2]), "[2, 3] along axes [0, -2]"],
  ],
  concat: [
    [() => kao.concat([])],
    [() => kao.concat([f(2, 3), f(3, 2)]), "[2, 3]", "[3, 2]"],
    [() => kao.concat([f(2, 3), i(2, 3)]), "f32 tensor [2, 3] and i32 tensor [2, 3]"],
    [() => kao.concat([f(2, 3)], { dim: 2 }), "[2, 3] along axis 2"],
  ],
  stack: [
    [() => kao.stack([])],
    [() => kao.stack([f(2, 3), f(2)]), "[2, 3]", "[2]"],
    [() => kao.stack([f(2)], { dim: 2 }), "[2] along axis 2"],
  ],
  squeeze: [[() => kao.squeeze(f(2, 1), { dim: 0 }), "axis 0 of tensor [2, 1]"]],
  unsqueeze: [[() => kao.unsqueeze(f(2), 2), "[2] along axis 2: axes are -2 to 1"]],
  flatten: [[() => kao.flatten(f(2, 3), { start: 2 }), "[2, 3] along axis 2"]],
  transpose: [[() => kao.transpose(f(2, 3), [0, 2]), "[2, 3] along axis 2"]],
  gather: [
    [() => kao.gather(f(2, 3), i(3, 3), { dim: 1 }), "[2, 3]", "i32 indices [3, 3]"],
    [() => kao.gather(f(2, 3), f(2, 3)), "[2, 3]", "f32 indices [2, 3]"],
    [() => kao.gather(f(2, 3), i(2, 3), { dim: 3 }), "[2, 3] along axis 3"],
  ],
  indexSelect: [
    [() => kao.indexSelect(f(2, 3), f(2), { dim: 0 }), "[2, 3]", "f32 indices [2]"],
    [() => kao.indexSelect(f(2, 3), i(2, 1), { dim: 0 }), "[2, 3]", "[2, 1]"],
    [() => kao.indexSelect(f(2, 3), i(2), { dim: 2 }), "[2, 3] along axis 2"],
  ],
  embedding: [
    [() => kao.embedding(f(4), f(2, 3)), "f32 indices [4]", "[2, 3]"],
    [() => kao.embedding(i(4), f(2)), "i32 indices [4]", "[2]"],
  ],
  oneHot: [
    [() => kao.oneHot(f(4), 3), "f32 tensor [4]"],
    [() => kao.oneHot(i(4), NaN), "[4] with numClasses NaN"],
    [() => kao.oneHot(i(4), 2.5), "[4] with numClasses 2.5"],
    [() => kao.oneHot(i(4), 0), "[4] with numClasses 0"],
  ],
  matmul: [
    [() => kao.matmul(f(2, 3), f(2, 3)), "[2, 3]", "inner lengths 3 vs 2"],
    [() => kao.matmul(f(2, 3), i(3, 2)), "f32 tensor [2, 3] and i32 tensor [3, 2]"],
    [() => kao.matmul(f(2, 4, 5), f(3, 5, 4)), "[2, 4, 5]", "[3, 5, 4]"],
    [() => kao.matmul(f(2), 3), "[2]", "[]"],
  ],
  linear: [
    [() => kao.linear(f(2, 3), f(4, 5)), "[2, 3] by weight [4, 5]"],
    [() => kao.linear(f(2, 3), f(4, 3), { bias: f(3) }), "[2, 3]", "[4, 3]", "bias [3]"],
    [() => kao.linear(f(2, 3), f(4, 3), { bias: f(1) }), "bias [1]"],
    [() => kao.linear(i(2, 3), f(4, 3)), "i32 tensor [2, 3]"],
  ],
  conv2d: [
    [() => kao.conv2d(f(3, 8, 8), f(4, 3, 3, 3)), "[3, 8, 8]", "[4, 3, 3, 3]"],
    [() => kao.conv2d(bytes(1, 3, 8, 8), f(4, 3, 3, 3)), "u8 [1, 3, 8, 8]", "f32 [4, 3, 3, 3]"],
    [() => kao.conv2d(f(1, 2, 8, 8), f(4, 3, 3, 3)), "[1, 2, 8, 8]", "[4, 3, 3, 3]", "2 channels"],
    [() => kao.conv2d(f(1, 3, 2, 2), f(4, 3, 3, 3)), "[1, 3, 2, 2]", "larger than the image"],
    [
      () => kao.conv2d(f(1, 3, 8, 8), f(4, 3, 3, 3), { stride: 0 }),
      "[1, 3, 8, 8]",
      "stride [0, 0]",
    ],
    [() => kao.conv2d(f(1, 3, 8, 8), f(4, 3, 3, 3), { stride: 1.5 }), "stride [1.5, 1.5]"],
    [() => kao.conv2d(f(1, 3, 8, 8), f(4, 3, 3, 3), { padding: -1 }), "padding [-1, -1]"],
    [() => kao.conv2d(f(1, 3, 8, 8), f(4, 3, 3, 3), { padding: NaN }), "padding [NaN, NaN]"],
    [() => kao.conv2d(f(1, 3, 8, 8), f(4, 3, 3, 3), { dilation: 0 }), "dilation [0, 0]"],
    [() => kao.conv2d(f(1, 4, 8, 8), f(3, 2, 3, 3), { groups: 2 }), "[3, 2, 3, 3]", "2 groups"],
    [() => kao.conv2d(f(1, 3, 8, 8), f(4, 3, 3, 3), { bias: f(3) }), "bias [3]", "[4] is needed"],
  ],
  convTranspose2d: [
    [() => kao.convTranspose2d(f(3, 8, 8), f(3, 4, 3, 3)), "[3, 8, 8]", "[3, 4, 3, 3]"],
    [() => kao.convTranspose2d(f(1, 2, 8, 8), f(3, 4, 3, 3)), "[1, 2, 8, 8]", "2 channels vs 3"],
    [() => kao.convTranspose2d(f(1, 3, 1, 1), f(3, 4, 1, 1), { padding: 1 }), "nothing is left"],
    [
      () => kao.convTranspose2d(f(1, 3, 4, 4), f(3, 4, 3, 3), { outputPadding: 1 }),
      "[1, 3, 4, 4]",
      "outputPadding [1, 1]",
    ],
    [() => kao.convTranspose2d(f(1, 3, 4, 4), f(3, 4, 3, 3), { outputPadding: NaN }), "NaN"],
    [() => kao.convTranspose2d(f(1, 3, 4, 4), f(3, 4, 3, 3), { bias: f(3) }), "bias [3]"],
  ],
  batchNorm: [
    [() => kao.batchNorm(f(3)), "[3]", "channels"],
    [() => kao.batchNorm(f(2, 3), { weight: f(2) }), "[2, 3]", "[2]", "[3] is needed"],
    [() => kao.batchNorm(i(2, 3)), "i32 tensor [2, 3]"],
  ],
  batchNormInference: [
    [() => kao.batchNormInference(f(2, 3), { mean: f(2), variance: f(3) }), "[2, 3]", "[2]"],
  ],
  layerNorm: [
    [() => kao.layerNorm(f(2, 3), { normalizedShape: [2] }), "[2, 3] over [2]"],
    [() => kao.layerNorm(f(2, 3), { normalizedShape: [] }), "[2, 3] over []"],
    [() => kao.layerNorm(f(3), { normalizedShape: [2, 3] }), "[3] over [2, 3]"],
    [() => kao.layerNorm(f(2, 3), { normalizedShape: [3], bias: f(1) }), "[2, 3]", "[1]"],
  ],
  instanceNorm: [
    [() => kao.instanceNorm(f(2, 3)), "[2, 3]"],
    [() => kao.instanceNorm(f(2, 3, 4), { weight: f(4) }), "[2, 3, 4]", "[4]"],
  ],
  groupNorm: [
    [() => kao.groupNorm(f(2, 6, 4), { groups: 4 }), "[2, 6, 4] in 4 groups"],
    [() => kao.groupNorm(f(2, 6, 4), { groups: -2 }), "[2, 6, 4] with groups -2"],
    [() => kao.groupNorm(f(2, 6, 4), { groups: NaN }), "[2, 6, 4] with groups NaN"],
  ],
  spectralNorm: [
    [() => kao.spectralNorm(f(2, 3), { u: f(3) }), "[2, 3] along axis 0 from u [3]"],
    [() => kao.spectralNorm(f(2, 3), { u: f(2), dim: 2 }), "[2, 3] along axis 2"],
    [() => kao.spectralNorm(f(2, 3), { u: f(2), iterations: -1 }), "iterations -1"],
  ],
  pixelShuffle: [
    [() => kao.pixelShuffle(f(1, 6, 2, 2), 2), "[1, 6, 2, 2] by 2"],
    [() => kao.pixelShuffle(f(1, 4, 2, 2), -2), "[1, 4, 2, 2] with r -2"],
    [() => kao.pixelShuffle(f(4, 2, 2), 2), "[4, 2, 2]"],
  ],
  pixelUnshuffle: [
    [() => kao.pixelUnshuffle(f(1, 1, 3, 4), 2), "[1, 1, 3, 4] by 2"],
    [() => kao.pixelUnshuffle(f(1, 1, 4, 4), NaN), "[1, 1, 4, 4] with r NaN"],
  ],
  upsampleNearest: [
    [() => kao.upsampleNearest(f(1, 1, 2, 2), 1.5), "[1, 1, 2, 2] with scale 1.5"],
    [() => kao.upsampleNearest(f(2, 2), 2), "[2, 2]"],
  ],
  upsampleBilinear: [
    [() => kao.upsampleBilinear(f(1, 1, 2, 2), 0), "[1, 1, 2, 2] with scale 0"],
    [() => kao.upsampleBilinear(i(1, 1, 2, 2), 2), "i32 tensor [1, 1, 2, 2]"],
  ],
  warpAffine: [
    [() => kao.warpAffine(f(1, 1, 2, 2), f(2, 2, 3)), "[1, 1, 2, 2] by f32 matrices [2, 2, 3]"],
    [() => kao.warpAffine(f(1, 2, 2), f(1, 2, 3)), "[1, 2, 2] by f32 matrices [1, 2, 3]"],
    [
      () => kao.warpAffine(f(1, 1, 2, 2), f(1, 2, 3), { size: [0, 2] }),
      "[1, 1, 2, 2] with size [0, 2]",
    ],
  ],
  resizeBilinear: [
    [() => kao.resizeBilinear(f(1, 1, 2, 2), [3, 0]), "[1, 1, 2, 2] with size [3, 0]"],
    [() => kao.resizeBilinear(i(1, 1, 2, 2), [2, 2]), "i32 tensor [1, 1, 2, 2]"],
  ],
  avgPool2d: [
    [() => kao.avgPool2d(f(1, 1, 4, 4), { kernelSize: 5 }), "[1, 1, 4, 4] by a kernel [5, 5]"],
    [() => kao.avgPool2d(f(1, 1, 4, 4), { kernelSize: 0 }), "kernelSize [0, 0]"],
    [() => kao.avgPool2d(f(1, 1, 4, 4), { kernelSize: 2, stride: NaN }), "stride [NaN, NaN]"],
  ],
  maxPool2d: [
    [() => kao.maxPool2d(f(1, 1, 4, 4), { kernelSize: 2, padding: 2 }), "padding [2, 2]"],
    [() => kao.maxPool2d(i(1, 1, 4, 4), { kernelSize: 2 }), "i32 tensor [1, 1, 4, 4]"],
  ],
  globalAvgPool: [[() => kao.globalAvgPool(f(2, 2)), "[2, 2]"]],
  binaryCrossEntropyWithLogits: [
    [() => kao.binaryCrossEntropyWithLogits(f(4), f(4, 1)), "[4]", "[4, 1]"],
    [() => kao.binaryCrossEntropyWithLogits(f(4), i(4)), "i32 tensor [4]"],
  ],
  crossEntropy: [
    [() => kao.crossEntropy(f(2, 3), i(3)), "[2, 3]", "i32 labels [3]"],
    [() => kao.crossEntropy(f(2, 3), f(2)), "[2, 3]", "f32 labels [2]"],
    [() => kao.crossEntropy(i(2, 3), i(2)), "i32 tensor [2, 3]"],
  ],
  mseLoss: [[() => kao.mseLoss(f(4), f(4, 1)), "[4]", "[4, 1]"]],
  l1Loss: [[() => kao.l1Loss(f(4), f(4, 1)), "[4]", "[4, 1]"]],
};
for (const op of reductions) {
  (mistakes[op] ??= []).push(
    [() => kao[op](f(2, 3), { dim: 2 }), "[2, 3] along axis 2: axes are -2 to 1"],
    [() => kao[op](f(2, 3), { dim: [0, NaN] }), "[2, 3] along axis NaN"],
    [() => kao[op](f(2, 3), { dim: [1, -1] }), "[2, 3] along axes [1, -1]"],
  );
}
for (const op of comparisons.slice(2)) {
  mistakes[op].push([() => kao[op](bool(2), bool(3)), "bool tensor [2] and bool tensor [3]"]);
}
for (const op of binary) {
  mistakes[op].push([() => kao[op](bytes(4), bytes(5)), "u8 tensor [4] and u8 tensor [5]"]);
}

for (const [op, list] of Object.entries(mistakes)) {
  Deno.test(`${op} names itself and the shapes it refuses`, () => {
    for (const [make, ...parts] of list) refused(make, `Cannot ${op} `, parts);
  });
}

/** Ops that take anything: there is nothing to refuse but what is no tensor at all. */
const tolerant = ["detach"];

Deno.test("every exported op is among those whose mistakes are tested", () => {
  const makers = ["tensor", "full", "arange", "grad", "dependsOn", "compile", "read"];
  const optimisation = ["clipGradNorm"];
  const others = ["decodeSafetensors", "encodeSafetensors", "philox4x32", "sizeOf"];
  const tuning = ["checkTable", "identify", "siteKey", "tune"];
  const tested = new Set(
    [...Object.keys(mistakes), ...makers, ...others, ...tuning, ...optimisation, ...tolerant],
  );
  const ops = Object.entries(kao)
    .filter(([name, value]) => typeof value === "function" && /^[a-z]/.test(name))
    .map(([name]) => name);
  assertEquals(ops.filter((name) => !tested.has(name) && !/safetensors/i.test(name)), []);
});

Deno.test("tensors, ranges and random numbers of impossible sizes are refused", () => {
  refused(() => tensor([1, 2], [3]), "Cannot make a tensor of shape [3] from 2 elements", []);
  refused(() => tensor([]), "Cannot make a tensor of shape [0]", []);
  refused(() => tensor([1], [NaN]), "Cannot make a tensor of shape [NaN]", []);
  refused(() => kao.full([2, -1], 0), "Cannot fill a tensor of shape [2, -1]", []);
  refused(() => kao.full([2], NaN), "Cannot fill f32 tensor [2] with NaN", []);
  refused(() => kao.full([2], 1.5, { dtype: "i32" }), "Cannot fill i32 tensor [2] with 1.5", []);
  refused(() => kao.full([2], 1, { dtype: "u8" }), "Cannot fill u8 tensor [2] with 1", []);
  refused(() => kao.arange(2.5), "Cannot make a range of shape [2.5]", []);
  refused(() => new Variable([1, 2], [1.5]), "Cannot make a variable of shape [1.5]", []);
  const random = new kao.Generator(1);
  refused(() => random.normal([0]), "Cannot draw a tensor of shape [0]", []);
  refused(() => random.randint(0.5, [3]), "Cannot randint below 0.5", ["[3]"]);
  refused(() => random.randint(2 ** 25, [3]), "Cannot randint below 33554432", ["[3]"]);
});

Deno.test("layers of impossible sizes are refused", () => {
  const start = "Cannot make a weight of shape ";
  refused(() => new kao.Linear(-2, 3), start, ["[3, -2]"]);
  refused(() => new kao.Linear(2.5, 3), start, ["[3, 2.5]"]);
  refused(() => new kao.Conv2d(3, 4, { kernelSize: 3, groups: 2 }), start, ["[4, 1.5, 3, 3]"]);
  refused(() => new kao.ConvTranspose2d(3, 4, { kernelSize: NaN }), start, ["[3, 4, NaN, NaN]"]);
  refused(() => new kao.BatchNorm2d(0), start, ["[0]"]);
  refused(() => new kao.Embedding(Infinity, 4), start, ["[Infinity, 4]"]);
});

Deno.test("what is no list of numbers makes no tensor", () => {
  const lists = [[1, 2], [3, 4]] as unknown as number[];
  refused(() => tensor(lists), "Cannot make a tensor from a list of lists", []);
  const wide = new Float64Array(2) as unknown as Float32Array<ArrayBuffer>;
  refused(() => tensor(wide), "Cannot make a tensor from Float64Array", []);
  refused(() => kao.exp([1] as unknown as Tensor), "Cannot use object as a tensor", []);
  refused(() => kao.exp(undefined as unknown as Tensor), "Cannot use undefined as a tensor", []);
});

Deno.test("gradients that do not exist are refused", () => {
  const x = f(2, 3), y = kao.sum(kao.square(x)), other = f(2);
  refused(() => kao.grad(kao.square(x), [x]), "Cannot differentiate Tensor(square, [2, 3], f32)", [
    "without a cotangent",
  ]);
  refused(
    () => kao.grad(kao.square(x), [x], { cotangent: f(3, 2) }),
    "Cannot differentiate Tensor(square, [2, 3], f32) with a cotangent f32 [3, 2]",
    [],
  );
  assertThrows(
    () => kao.grad(y, [other]),
    Error,
    "for input 0 (Tensor(constant, [2], f32)): it does not depend on it",
  );
  refused(() => kao.grad(kao.argmax(x, { dim: 1 }), [x]), "Cannot differentiate Tensor(", ["i32"]);
  const cut = kao.sum(kao.detach(x));
  assertThrows(() => kao.grad(cut, [x]), Error, "it does not depend on it");
});

Deno.test("a mistake inside a compiled function is thrown by the line that made it", () => {
  const step = compile((x) => kao.add(x, f(4)), { name: "step" });
  const error = assertThrows(() => step(f(2, 3)), RangeError, "Cannot add");
  assertEquals(error.stack!.includes("errors_test.ts"), true);
});

Deno.test("compiled functions refuse what is no tensor with numbers", () => {
  const step = compile((x) => kao.add(x, 1), { name: "step" });
  refused(() => step(3 as unknown as Tensor), "Cannot call step: argument 0 is number", []);
  const variable = new Variable([1], [1]);
  refused(() => step(variable as unknown as Tensor), "Cannot call step: argument 0 is a Variable", [
    "inside",
  ]);
  let kept: Tensor | undefined;
  compile((x) => {
    kept = x;
  })(f(2));
  assertThrows(() => compile(() => kao.add(kept!, 1))(), Error, "argument of another compiled");
});

Deno.test("variables refuse other shapes, types and devices", () => {
  const variable = new Variable([1, 2], [2], { name: "gain" });
  const assign = (x: Tensor): unknown => compile(() => variable.assign(x))();
  refused(() => assign(f(3)), 'Cannot assign f32 [3] to variable "gain" of f32 [2]', []);
  refused(() => assign(i(2)), 'Cannot assign i32 [2] to variable "gain" of f32 [2]', []);
  refused(() => variable.set([1]), 'Cannot set variable "gain" of f32 [2] from 1 elements', []);
  refused(() => variable.set(new Int32Array(2)), "Cannot set variable", ["i32"]);
});

function refused(make: () => unknown, start: string, parts: readonly string[]): void {
  let error: unknown;
  try {
    make();
  } catch (thrown) {
    error = thrown;
  }
  const source = make.toString();
  if (error === undefined) throw new Error(`${source} was accepted`);
  if (!(error instanceof RangeError || error instanceof TypeError)) throw error;
  const { message } = error;
  const right = message.startsWith(start) && parts.every((part) => message.includes(part));
  assertEquals(right, true, `${source} says: ${error.name}: ${message}`);
}
