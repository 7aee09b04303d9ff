import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  BatchNorm2d,
  Conv2d,
  ConvTranspose2d,
  Embedding,
  HostGenerator,
  init,
  Linear,
  Module,
  Parameter,
  ReLU,
  Sequential,
} from "../../engine/nn/mod.ts";
import type { Variable } from "../../engine/variable.ts";

/** A parameter that keeps what is set, so that initial weights can be seen without a device. */
class Recorder extends Parameter {
  values: number[] = [];
  override set(data: Float32Array<ArrayBuffer>): void {
    this.values = [...data];
  }
}

const shapes = (variables: Record<string, Variable>) =>
  Object.fromEntries(Object.entries(variables).map(([name, v]) => [name, v.shape]));

class Net extends Module {
  readonly conv1 = new Conv2d(3, 8, { kernelSize: [3, 5], bias: false });
  readonly bn1 = new BatchNorm2d(8);
  readonly blocks = [new Linear(2, 3), new Sequential(new ReLU(), new Linear(3, 4))];
  readonly heads = { hair: new Linear(4, 12), eyes: new Linear(4, 10) };
  readonly lastLayer = new ConvTranspose2d(8, 6, { kernelSize: 4, groups: 2 });
  readonly embed = new Embedding(12, 5);
  readonly note = "not a layer";
  readonly options = { sizes: [1, 2, 3], missing: null };
}

Deno.test("names and shapes of a module's state are PyTorch's", () => {
  assertEquals(shapes(new Net().stateDict()), {
    "conv1.weight": [8, 3, 3, 5],
    "bn1.weight": [8],
    "bn1.bias": [8],
    "bn1.running_mean": [8],
    "bn1.running_var": [8],
    "blocks.0.weight": [3, 2],
    "blocks.0.bias": [3],
    "blocks.1.1.weight": [4, 3],
    "blocks.1.1.bias": [4],
    "heads.hair.weight": [12, 4],
    "heads.hair.bias": [12],
    "heads.eyes.weight": [10, 4],
    "heads.eyes.bias": [10],
    "last_layer.weight": [8, 3, 4, 4],
    "last_layer.bias": [6],
    "embed.weight": [12, 5],
  });
});

Deno.test("running statistics are buffers, everything else is trained", () => {
  const net = new Net();
  assertEquals(Object.keys(net.namedBuffers()), ["bn1.running_mean", "bn1.running_var"]);
  assertEquals(net.parameters(), Object.values(net.namedParameters()));
  assertEquals(net.parameters().length, Object.keys(net.stateDict()).length - 2);
});

Deno.test("a layer in two places counts once, and a cycle ends", () => {
  class Tied extends Module {
    readonly a = new Linear(2, 2);
    readonly b = this.a;
    readonly self = this;
  }
  assertEquals(Object.keys(new Tied().stateDict()), ["a.weight", "a.bias"]);
});

Deno.test("train and eval reach every layer of the tree", () => {
  const net = new Net().eval();
  const layers = [net, net.bn1, ...net.blocks, net.heads.hair];
  assert(layers.every((layer) => !layer.training));
  net.train();
  assert(layers.every((layer) => layer.training));
});

Deno.test("modules are found by name, parents before children", () => {
  const net = new Net(), modules = net.namedModules();
  assertEquals(modules[""], net);
  assertEquals(modules["bn1"], net.bn1);
  assertEquals(modules["heads.hair"], net.heads.hair);
  assertEquals(Object.keys(modules)[0], "");
});

Deno.test("a state with a missing name, an unknown name or another shape is refused", () => {
  const layer = new Linear(2, 1);
  const weight = { shape: [1, 2], data: new Float32Array(2) };
  const bias = { shape: [1], data: new Float32Array(1) };
  layer.loadStateDict({ weight, bias });
  assertThrows(() => layer.loadStateDict({ weight }), Error, '"bias" is missing');
  assertThrows(() => layer.loadStateDict({ weight, bias, more: bias }), Error, 'no "more"');
  assertThrows(
    () => layer.loadStateDict({ weight: { ...weight, shape: [2, 1] }, bias }),
    Error,
    '"weight" has shape [2, 1], the model\'s is [1, 2]',
  );
  assertThrows(
    () => layer.loadStateDict({ weight, bias: { ...bias, data: new Float32Array(2) } }),
    Error,
    '"bias" has 2 elements vs 1',
  );
});

Deno.test("kaiming uniform weights stay within the bound of their fan-in and reach it", () => {
  const weight = new Recorder(new Float32Array(64 * 8 * 9), [64, 8, 3, 3]);
  init.kaimingUniform(weight, { a: Math.sqrt(5), generator: new HostGenerator(1) });
  const bound = 1 / Math.sqrt(8 * 9), largest = Math.max(...weight.values.map(Math.abs));
  assert(largest < bound && largest > 0.99 * bound, `${largest} of ${bound}`);
  init.kaimingUniform(weight, { generator: new HostGenerator(1) });
  assert(Math.max(...weight.values) > 2 * bound);
});

Deno.test("initial weights are drawn from the given generator, one after the other", () => {
  const generator = new HostGenerator(9), again = new HostGenerator(9);
  const variable = () => new Recorder(new Float32Array(3), [3]);
  const [a, b, c] = [variable(), variable(), variable()];
  init.normal(a, { std: 0.02, mean: 1, generator });
  init.normal(b, { std: 0.02, mean: 1, generator });
  init.normal(c, { std: 0.02, mean: 1, generator: again });
  assertEquals(a.values, c.values);
  assert(a.values[0] !== b.values[0]);
  assert(a.values.every((value) => Math.abs(value - 1) < 0.2 && value !== 1));
  init.uniform(a, { low: 2, high: 3, generator });
  assert(a.values.every((value) => value >= 2 && value <= 3));
  init.zeros(a);
  init.ones(b);
  assertEquals([a.values, b.values], [[0, 0, 0], [1, 1, 1]]);
});
