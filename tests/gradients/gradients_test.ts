import { assertEquals } from "@std/assert";
import * as kao from "../../engine/mod.ts";
import { Device, HostGenerator, type Tensor, tensor } from "../../engine/mod.ts";
import { breadth } from "../breadth.ts";
import { randomProgram, run } from "./random_programs.ts";
import { apart, between, compareDerivatives, type Subject } from "./finite_differences.ts";

await Device.open();

/** What errors may be, relative to the gradient's length: rounding makes some 1e-5 of it. */
const TOLERANCE = 1e-3;

async function check(subjects: readonly Subject[], generator: HostGenerator): Promise<void> {
  const failures: string[] = [];
  let worst = 0;
  for (const subject of subjects) {
    for (const found of await compareDerivatives(subject, generator)) {
      const error = Math.abs(found.computed - found.differences) / found.scale;
      worst = Math.max(worst, error);
      if (!(error <= TOLERANCE)) {
        failures.push(
          `${subject.name}, order ${found.order}: ${found.computed} computed, ` +
            `${found.differences} by differences`,
        );
      }
    }
  }
  console.log(`${subjects.length} functions; worst error ${worst.toExponential(1)}`);
  assertEquals(failures, []);
}

const small = [3, 4];

Deno.test("derivatives of functions of one number are those of finite differences", () => {
  const smooth = {
    neg: kao.neg,
    exp: kao.exp,
    expm1: kao.expm1,
    square: kao.square,
    sin: kao.sin,
    cos: kao.cos,
    tanh: kao.tanh,
    sigmoid: kao.sigmoid,
    softplus: kao.softplus,
    erf: kao.erf,
    silu: kao.silu,
    gelu: (x: Tensor) => kao.gelu(x),
    geluTanh: (x: Tensor) => kao.gelu(x, { approximate: "tanh" }),
    cube: (x: Tensor) => kao.pow(x, 3),
  };
  const positive = {
    log: kao.log,
    log1p: kao.log1p,
    sqrt: kao.sqrt,
    rsqrt: kao.rsqrt,
    reciprocal: kao.reciprocal,
    root: (x: Tensor) => kao.pow(x, 0.3),
    inverseSquare: (x: Tensor) => kao.pow(x, -2),
  };
  const kinked = {
    abs: kao.abs,
    relu: kao.relu,
    leakyRelu: (x: Tensor) => kao.leakyRelu(x, { negativeSlope: 0.2 }),
    steepLeakyRelu: (x: Tensor) => kao.leakyRelu(x, { negativeSlope: -0.5 }),
    clamp: (x: Tensor) => kao.clamp(x, { min: -0.4, max: 0.4 }),
    sign: kao.sign,
    floor: (x: Tensor) => kao.floor(kao.mul(x, 5)),
    elu: (x: Tensor) => kao.elu(x, { alpha: 0.7 }),
  };
  return check([
    ...Object.entries(smooth).map(([name, fn]) => ({ name, fn, inputs: [between(small, -2, 2)] })),
    ...Object.entries(positive).map(([name, fn]) => ({
      name,
      fn,
      inputs: [between(small, 0.5, 3)],
    })),
    ...Object.entries(kinked).map(([name, fn]) => ({ name, fn, inputs: [apart(small)] })),
  ], new HostGenerator(1));
});

Deno.test("derivatives of functions of two are those of finite differences, broadcast or not", () => {
  const any = between([2, 3, 4], -1, 1),
    row = between([3, 1], 0.5, 2),
    positive = between([4], 1, 2);
  const both = (fn: (a: Tensor, b: Tensor) => Tensor, name: string): Subject[] => [
    { name, fn, inputs: [any, row] },
    { name: `${name}, the other way`, fn: (a, b) => fn(b, a), inputs: [row, any] },
  ];
  return check([
    ...both(kao.add, "add"),
    ...both(kao.sub, "sub"),
    ...both(kao.mul, "mul"),
    ...both(kao.div, "div"),
    { name: "pow", fn: kao.pow, inputs: [positive, any] },
    { name: "maximum", fn: kao.maximum, inputs: [apart([6]), between([], -0.01, 0.01)] },
    { name: "minimum", fn: kao.minimum, inputs: [apart([6]), between([], -0.01, 0.01)] },
    {
      name: "where",
      fn: (a, b) => kao.where(kao.gt(kao.detach(a), 0), kao.mul(a, b), kao.square(b)),
      inputs: [apart([6]), between([6], -1, 1)],
    },
  ], new HostGenerator(2));
});

Deno.test("derivatives of reductions are those of finite differences", () => {
  const shape = [3, 4, 2];
  const dims: kao.ReduceOptions[] = [{}, { dim: 1 }, { dim: [0, 2], keepdim: true }];
  const over = (
    name: string,
    fn: (x: Tensor, options: kao.ReduceOptions) => Tensor,
    input = between(shape, -1, 1),
  ): Subject[] =>
    dims.map((options) => ({
      name: `${name} ${JSON.stringify(options)}`,
      fn: (x) => fn(x, options),
      inputs: [input],
    }));
  return check([
    ...over("sum", kao.sum),
    ...over("mean", (x, options) => kao.mean(kao.square(x), options)),
    ...over("amax", (x, options) => kao.square(kao.amax(x, options)), apart(shape)),
    ...over("amin", (x, options) => kao.square(kao.amin(x, options)), apart(shape)),
    ...over("variance", (x, options) => kao.variance(x, options)),
    ...over("std", (x, options) => kao.std(x, { ...options, unbiased: false })),
    ...over("norm", kao.norm),
    ...over("logsumexp", kao.logsumexp),
    ...over("moments", (x, options) => {
      const { mean, variance } = kao.moments(x, options);
      return kao.mul(mean, kao.exp(variance));
    }),
    ...[0, 1, 2].flatMap((dim): Subject[] => [
      {
        name: `softmax ${dim}`,
        fn: (x) => kao.softmax(x, { dim }),
        inputs: [between(shape, -1, 1)],
      },
      {
        name: `logSoftmax ${dim}`,
        fn: (x) => kao.logSoftmax(x, { dim }),
        inputs: [between(shape, -1, 1)],
      },
    ]),
  ], new HostGenerator(3));
});

Deno.test("derivatives of moves of elements are those of finite differences", () => {
  const rows = tensor(new Int32Array([2, 0, 2, 1, 2]));
  const moves: Record<string, (x: Tensor) => Tensor> = {
    reshape: (x) => kao.reshape(x, [4, -1]),
    permute: (x) => kao.permute(x, [2, 0, 1]),
    transpose: (x) => kao.transpose(x, [0, -1]),
    expand: (x) => kao.expand(kao.unsqueeze(x, 1), [3, 5, 4, 2]),
    slice: (x) => kao.slice(x, [[1, 3], [0, 4, 3], [-1, null]]),
    pad: (x) => kao.pad(x, [[1, 0], [-1, 2], [0, 3]], { value: 2 }),
    padReflect: (x) => kao.pad(x, [[0, 1], [-1, 1], [1, 1]], { mode: "reflect" }),
    padReplicate: (x) => kao.pad(x, [[2, 0], [0, 1], [2, -1]], { mode: "replicate" }),
    flip: (x) => kao.flip(x, [0, 2]),
    concat: (x) => kao.concat([x, kao.square(x), x], { dim: 1 }),
    stack: (x) => kao.stack([x, kao.sin(x)], { dim: 2 }),
    squeeze: (x) => kao.squeeze(kao.unsqueeze(x, -1), { dim: -1 }),
    flatten: (x) => kao.flatten(x, { start: 1 }),
    gather: (x) => kao.gather(x, kao.expand(kao.reshape(rows, [5, 1, 1]), [5, 4, 2]), { dim: 0 }),
    indexSelect: (x) => kao.indexSelect(x, rows, { dim: 1 }),
    embedding: (x) => kao.embedding(kao.reshape(rows, [5, 1]), kao.reshape(x, [3, 8])),
  };
  return check(
    Object.entries(moves).map(([name, fn]) => ({
      name,
      // Squared afterwards: a move alone has no second derivative.
      fn: (x: Tensor) => kao.square(fn(x)),
      inputs: [between([3, 4, 2], -1, 1)],
    })),
    new HostGenerator(4),
  );
});

Deno.test("derivatives of products and convolutions are those of finite differences", () => {
  const image = between([2, 4, 5, 6], -1, 1);
  return check([
    {
      name: "matmul",
      fn: (a, b) => kao.matmul(a, b),
      inputs: [between([3, 5], -1, 1), between([5, 2], -1, 1)],
    },
    {
      name: "matmul, batched and broadcast",
      fn: (a, b) => kao.matmul(a, b, { transposeA: true, transposeB: true }),
      inputs: [between([2, 1, 4, 3], -1, 1), between([3, 5, 4], -1, 1)],
    },
    {
      name: "dot",
      fn: (a, b) => kao.matmul(a, b),
      inputs: [between([6], -1, 1), between([6], -1, 1)],
    },
    {
      name: "linear",
      fn: (x, weight, bias) => kao.linear(x, weight, { bias }),
      inputs: [between([2, 3, 4], -1, 1), between([5, 4], -1, 1), between([5], -1, 1)],
    },
    {
      name: "conv2d",
      fn: (x, weight, bias) =>
        kao.conv2d(x, weight, { bias, stride: 2, padding: [1, 2], groups: 2 }),
      inputs: [image, between([6, 2, 3, 2], -1, 1), between([6], -1, 1)],
    },
    {
      name: "convTranspose2d",
      fn: (x, weight, bias) =>
        kao.convTranspose2d(x, weight, {
          bias,
          stride: 2,
          padding: 1,
          outputPadding: 1,
          dilation: 2,
        }),
      inputs: [image, between([4, 3, 2, 3], -1, 1), between([3], -1, 1)],
    },
    {
      name: "conv2d of tanh of conv2d",
      fn: (x, a, b) => kao.conv2d(kao.tanh(kao.conv2d(x, a, { padding: 1 })), b, { stride: 2 }),
      inputs: [image, between([3, 4, 3, 3], -0.3, 0.3), between([2, 3, 4, 4], -0.3, 0.3)],
    },
  ], new HostGenerator(5));
});

Deno.test("derivatives of normalisations are those of finite differences", () => {
  const x = between([3, 4, 2, 3], -1, 2), channel = between([4], 0.5, 1.5);
  const affine = [x, channel, channel];
  return check([
    {
      name: "batchNorm",
      fn: (x, weight, bias) => kao.batchNorm(x, { weight, bias }).output,
      inputs: affine,
    },
    {
      name: "batchNormInference",
      fn: (x, mean, variance) => kao.batchNormInference(x, { mean, variance }),
      inputs: affine,
    },
    {
      name: "instanceNorm",
      fn: (x, weight, bias) => kao.instanceNorm(x, { weight, bias }),
      inputs: affine,
    },
    {
      name: "groupNorm",
      fn: (x, weight, bias) => kao.groupNorm(x, { groups: 2, weight, bias }),
      inputs: affine,
    },
    {
      name: "layerNorm",
      fn: (x, weight, bias) => kao.layerNorm(x, { normalizedShape: [2, 3], weight, bias }),
      inputs: [x, between([2, 3], 0.5, 1.5), between([2, 3], -1, 1)],
    },
    {
      // With many iterations the vectors have converged: sigma's derivative does not depend on theirs.
      name: "spectralNorm's sigma",
      fn: (weight) => kao.spectralNorm(weight, { u: tensor([1, 0.5]), iterations: 40 }).sigma,
      inputs: [between([2, 3], 0.5, 1.5)],
      curved: false,
    },
  ], new HostGenerator(6));
});

Deno.test("derivatives of resampling and pooling are those of finite differences", () => {
  const resamplings: Record<string, (x: Tensor) => Tensor> = {
    pixelShuffle: (x) => kao.pixelShuffle(x, 2),
    pixelUnshuffle: (x) => kao.pixelUnshuffle(x, 2),
    upsampleNearest: (x) => kao.upsampleNearest(x, 2),
    upsampleBilinear: (x) => kao.upsampleBilinear(x, 2),
    resizeBilinear: (x) => kao.resizeBilinear(x, [3, 7]),
    avgPool2d: (x) => kao.avgPool2d(x, { kernelSize: 3, stride: 2, padding: 1 }),
    avgPoolTiles: (x) => kao.avgPool2d(x, { kernelSize: 2 }),
    maxPool2d: (x) => kao.maxPool2d(x, { kernelSize: [2, 3], stride: 2, padding: 1 }),
    globalAvgPool: kao.globalAvgPool,
  };
  return check(
    Object.entries(resamplings).map(([name, fn]) => ({
      name,
      fn: (x: Tensor) => kao.square(fn(kao.mul(x, 0.1))),
      inputs: [apart([2, 4, 4, 6])],
    })),
    new HostGenerator(7),
  );
});

Deno.test("derivatives of losses are those of finite differences", () => {
  const logits = between([4, 5], -3, 3), probability = between([4, 5], 0.1, 0.9);
  const labels = tensor(new Int32Array([4, 0, 2, 2]));
  return check([
    {
      name: "binary cross entropy",
      fn: kao.binaryCrossEntropyWithLogits,
      inputs: [logits, probability],
    },
    ...[0, 1, 0.9].map((target) => ({
      name: `binary cross entropy with ${target}`,
      fn: (x: Tensor) => kao.binaryCrossEntropyWithLogits(x, target),
      inputs: [logits],
    })),
    { name: "cross entropy", fn: (x) => kao.crossEntropy(x, labels), inputs: [logits] },
    { name: "mseLoss", fn: kao.mseLoss, inputs: [logits, probability] },
    { name: "l1Loss", fn: (x) => kao.l1Loss(x, 0), inputs: [apart([4, 5])] },
  ], new HostGenerator(8));
});

Deno.test("derivatives of random programs are those of finite differences", () => {
  const generator = new HostGenerator(9);
  const input = between([2, 3, 4], -1, 1);
  return check(
    Array.from({ length: breadth({ gate: 5, all: 20 }) }, () => {
      const steps = randomProgram(generator, { length: 10, inputs: 2 });
      const name = steps.map(({ name, b }) => `${name}(${b})`).join(" ");
      return { name, inputs: [input, input], fn: (x: Tensor, y: Tensor) => run(steps, [x, y]) };
    }),
    generator,
  );
});
