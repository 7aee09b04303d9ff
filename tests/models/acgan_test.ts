import { assertAlmostEquals, assertEquals } from "@std/assert";
import { Device, HostGenerator, read, type Variable } from "../../engine/mod.ts";
import { AcganDiscriminator, AcganGenerator, presets } from "../../models/mod.ts";

await Device.open();

const { generator: widths, discriminator } = presets.acgan32;

const shapes = (variables: Record<string, Variable>) =>
  Object.fromEntries(Object.entries(variables).map(([name, { shape }]) => [name, [...shape]]));

Deno.test("The generator's variables have the names and shapes of the same model in PyTorch", () => {
  const generator = new AcganGenerator(widths, 12, { generator: new HostGenerator(1) });
  assertEquals(shapes(generator.stateDict()), {
    "fc.weight": [4096, 112],
    "fc.bias": [4096],
    ...batchNorm("bn0", 256),
    "conv1.weight": [512, 256, 3, 3],
    ...batchNorm("bn1", 128),
    "conv2.weight": [256, 128, 3, 3],
    ...batchNorm("bn2", 64),
    "conv3.weight": [128, 64, 3, 3],
    ...batchNorm("bn3", 32),
    "out.weight": [3, 32, 3, 3],
    "out.bias": [3],
  });
});

Deno.test("The discriminator has a linear head a condition, named after it", () => {
  const net = new AcganDiscriminator(discriminator, 32, {
    heads: { hair: 12, eyes: 10 },
    generator: new HostGenerator(1),
  });
  assertEquals(shapes(net.stateDict()), {
    "conv1.weight": [64, 3, 4, 4],
    "conv1.bias": [64],
    "conv2.weight": [128, 64, 4, 4],
    ...batchNorm("bn2", 128),
    "conv3.weight": [256, 128, 4, 4],
    ...batchNorm("bn3", 256),
    "src.weight": [1, 4096],
    "src.bias": [1],
    "cls.hair.weight": [12, 4096],
    "cls.hair.bias": [12],
    "cls.eyes.weight": [10, 4096],
    "cls.eyes.bias": [10],
  });
});

Deno.test("Weights start at N(0, 0.02), gains at N(1, 0.02), biases at 0, the same for a seed", async () => {
  const make = () => new AcganGenerator(widths, 12, { generator: new HostGenerator(4) });
  const { "conv1.weight": weight, "bn0.weight": gain, "out.bias": bias } = make().stateDict();
  const [weights, gains, biases] = await read([weight, gain, bias]);
  assertSpread(weights, { mean: 0, std: 0.02 });
  assertSpread(gains, { mean: 1, std: 0.02 });
  assertEquals([...biases], [0, 0, 0]);
  assertEquals(await read([make().stateDict()["conv1.weight"]]), [weights]);
});

function assertSpread(numbers: ArrayLike<number>, expected: { mean: number; std: number }): void {
  const all = Array.from(numbers);
  const mean = all.reduce((a, b) => a + b) / all.length;
  const variance = all.reduce((sum, x) => sum + (x - mean) ** 2, 0) / all.length;
  const error = expected.std / Math.sqrt(all.length);
  assertAlmostEquals(mean, expected.mean, 5 * error);
  assertAlmostEquals(Math.sqrt(variance), expected.std, 5 * error);
}

function batchNorm(name: string, channels: number): Record<string, number[]> {
  const names = ["weight", "bias", "running_mean", "running_var"];
  return Object.fromEntries(names.map((variable) => [`${name}.${variable}`, [channels]]));
}
