import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import {
  BatchNorm2d,
  compile,
  Conv2d,
  ConvTranspose2d,
  Device,
  Dropout,
  Embedding,
  Generator,
  grad,
  LeakyReLU,
  Linear,
  Module,
  mul,
  Parameter,
  PixelShuffle,
  read,
  ReLU,
  Sequential,
  sum,
  Tanh,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";

await Device.open();

const picture = tensor(Array.from({ length: 2 * 3 * 4 * 4 }, (_, i) => Math.sin(i)), [2, 3, 4, 4]);

Deno.test("layers in a row give the shapes of PyTorch's", () => {
  const net = new Sequential(
    new Conv2d(3, 8, { kernelSize: 4, stride: 2, padding: 1 }),
    new LeakyReLU(0.2),
    new ConvTranspose2d(8, 12, { kernelSize: 4, stride: 2, padding: 1, bias: false }),
    new PixelShuffle(2),
    new ReLU(),
    new Conv2d(3, 3, { kernelSize: [1, 3], padding: [0, 1], dilation: 1, groups: 3 }),
    new Tanh(),
  );
  assertEquals(net.forward(picture).shape, [2, 3, 8, 8]);
  assertEquals(Object.keys(net.stateDict()), [
    "0.weight",
    "0.bias",
    "2.weight",
    "5.weight",
    "5.bias",
  ]);
});

Deno.test("a linear layer multiplies by its weight's transpose and adds its bias", async () => {
  const layer = new Linear(2, 1);
  layer.weight.set(new Float32Array([2, 3]));
  layer.bias!.set(new Float32Array([10]));
  const [y] = await read([layer.forward(tensor([1, 1, 0, 2], [2, 2]))]);
  assertEquals([...y], [15, 16]);
});

Deno.test("an embedding gives the rows of its weight", async () => {
  const layer = new Embedding(3, 2);
  layer.weight.set(new Float32Array([1, 2, 3, 4, 5, 6]));
  const [y] = await read([layer.forward(tensor(new Int32Array([2, 0])))]);
  assertEquals([...y], [5, 6, 1, 2]);
});

Deno.test("batch norm learns the batch's statistics in training and uses them afterwards", async () => {
  const layer = new BatchNorm2d(1, { momentum: 0.5, eps: 0 });
  const x = tensor([1, 3], [2, 1, 1, 1]);
  const train = compile((x) => layer.forward(x));
  const [y, mean, variance] = await read([train(x), layer.runningMean, layer.runningVar]);
  assertEquals([...y], [-1, 1]);
  // The batch has mean 2 and unbiased variance 2; running ones start at 0 and 1.
  assertEquals([mean[0], variance[0]], [1, 1.5]);
  layer.eval();
  const [used] = await read([layer.forward(tensor([1, 2.5], [2, 1, 1, 1]))]);
  assertAlmostEquals(used[0], 0);
  assertAlmostEquals(used[1], 1.5 / Math.sqrt(1.5), 1e-6);
});

Deno.test("batch norm refuses to train on one element a channel", () => {
  const layer = new BatchNorm2d(3);
  const train = compile((x) => layer.forward(x));
  assertThrows(() => train(tensor([1, 2, 3], [1, 3, 1, 1])), RangeError, "more than one element");
});

Deno.test("dropout zeros its share, keeps the mean, draws anew each step, and rests in use", async () => {
  const layer = new Dropout(0.25, { generator: new Generator(5) });
  const ones = tensor(new Float32Array(20_000).fill(1));
  const step = compile((x) => layer.forward(x));
  const [first] = await read([step(ones)]);
  const [second] = await read([step(ones)]);
  const zeros = first.filter((value) => value === 0).length;
  // 5 standard deviations of the share are 0.015.
  assertAlmostEquals(zeros / first.length, 0.25, 0.015);
  assert(first.every((value) => value === 0 || Math.abs(value - 4 / 3) < 1e-6));
  assert(first.some((value, i) => value !== second[i]));
  layer.eval();
  assertEquals(layer.forward(ones), ones);
  assertThrows(() => new Dropout(1, { generator: new Generator(5) }), RangeError, "probability 1");
});

Deno.test("batch norm that is not affine learns nothing and scales nothing", async () => {
  const layer = new BatchNorm2d(1, { affine: false, eps: 0 });
  assertEquals(Object.keys(layer.stateDict()), ["running_mean", "running_var"]);
  const train = compile((x) => layer.forward(x));
  const [y] = await read([train(tensor([1, 3], [2, 1, 1, 1]))]);
  assertEquals([...y], [-1, 1]);
});

Deno.test("a weight is used through its parametrization, whose parameters are the layer's", async () => {
  class Scale extends Module {
    readonly factor = new Parameter([3], [1]);
    forward(weight: Tensor): Tensor {
      return mul(weight, this.factor);
    }
  }
  const layers = [
    new Linear(2, 2),
    new Conv2d(2, 2, { kernelSize: 1 }),
    new ConvTranspose2d(2, 2, { kernelSize: 1 }),
  ];
  for (const layer of layers) {
    layer.weight.set([1, 2, 3, 4]);
    layer.bias!.set([0, 0]);
    const x = tensor([1, -1], layer instanceof Linear ? [1, 2] : [1, 2, 1, 1]);
    const [plain] = await read([layer.forward(x)]);
    const scale = layer.parametrization = new Scale();
    assertEquals(Object.keys(layer.namedParameters()).sort(), [
      "bias",
      "parametrization.factor",
      "weight",
    ]);
    layer.eval();
    assertEquals(scale.training, false);
    const y = layer.forward(x);
    const [used, slope] = await read([y, grad(sum(y), [scale.factor])[0]]);
    assertEquals([...used], [...plain].map((value) => 3 * value));
    assertEquals([...slope], [plain[0] + plain[1]]);
  }
});
