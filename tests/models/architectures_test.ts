import { assertAlmostEquals, assertEquals, assertNotEquals, assertThrows } from "@std/assert";
import {
  compile,
  Device,
  Generator,
  HostGenerator,
  type Module,
  read,
  tensor,
} from "../../engine/mod.ts";
import {
  checkNetworks,
  type DiscriminatorSettings,
  discriminatorStages,
  type GeneratorSettings,
  inspectNetworks,
  makeDiscriminator,
  makeGenerator,
  type Preset,
  presets,
  resizeNetworks,
} from "../../models/mod.ts";
import { assertAsPyTorch } from "./torch.ts";

await Device.open();

const heads = { hair: 3, eyes: 2 }, codeSize = 5;
const generator = new HostGenerator(1);

const newG = (settings: GeneratorSettings) => makeGenerator(settings, codeSize, { generator });
const newD = (settings: DiscriminatorSettings, random?: Generator) =>
  makeDiscriminator(settings, 16, { heads, generator, random: () => random! });

Deno.test("The paper's generator draws as PyTorch's, with its gradients", async () => {
  const widths = { architecture: "odena", latent: 4, base: 2, channels: [6, 5, 4] } as const;
  const net = newG(widths);
  assertEquals([net.latent, net.size], [4, 16]);
  await assertAsPyTorch("odena.G", net, (net, { z, code }) => ({ images: net.forward(z, code) }));
});

const discriminators: Record<string, DiscriminatorSettings> = {
  odena: { architecture: "odena", channels: [4, 5, 6], dropout: 0, noise: 0 },
  girlsmoe: {
    architecture: "girlsmoe",
    channels: [4, 5, 6],
    blocks: [1, 2, 0],
    kernels: [4, 4, 3],
  },
  zjusct: { architecture: "zjusct", channels: [4, 5, 6], towers: [7, 5] },
};
for (const [name, widths] of Object.entries(discriminators)) {
  Deno.test(`The discriminator ${name} judges as PyTorch's, with its gradients`, async () => {
    await assertAsPyTorch(`${name}.D`, newD(widths), (net, { images }) => {
      const { source, heads } = net.forward(images);
      return { source, ...heads };
    });
  });
}

const noisy: DiscriminatorSettings = {
  ...{ architecture: "odena", channels: [4, 5, 6] },
  ...{ dropout: 0.5, noise: 0.1 },
};
const pictures = () =>
  tensor(Float32Array.from({ length: 8 * 3 * 256 }, (_, i) => Math.sin(i)), [8, 3, 16, 16]);

Deno.test("Dropout zeroes half of what each convolution makes, and noise moves the rest, in training alone", async () => {
  const random = new Generator(5), net = newD(noisy, random);
  const see = (training: boolean) => compile((x) => [...net.train(training).forward(x).features]);
  const train = see(true), use = see(false);
  const [first, second] = [await read(train(pictures())), await read(train(pictures()))];
  const [inUse, again] = [await read(use(pictures())), await read(use(pictures()))];
  const zeros = (numbers: ArrayLike<number>) =>
    Array.from(numbers).filter((x) => x === 0).length / numbers.length;
  assertEquals(first.length, 3);
  for (const stage of first) assertAlmostEquals(zeros(stage), 0.5, 0.08);
  for (const stage of inUse) assertEquals(zeros(stage), 0);
  assertNotEquals(first, second);
  assertEquals(inUse, again);
  // The first stage has no batch norm: what is kept is twice what it would be, but for the noise.
  const noise = Array.from(first[0]).flatMap((x, i) => x === 0 ? [] : [x / 2 - inUse[0][i]]);
  const deviation = Math.sqrt(noise.reduce((sum, x) => sum + x * x, 0) / noise.length);
  assertAlmostEquals(deviation, 0.1, 0.01);
});

Deno.test("A discriminator without dropout and noise asks for no random numbers, one with either does", () => {
  let asked = 0;
  const make = (settings: DiscriminatorSettings) =>
    makeDiscriminator(settings, 16, {
      ...{ heads, generator },
      random() {
        asked++;
        return new Generator(1);
      },
    });
  Object.values(discriminators).forEach(make);
  assertEquals(asked, 0);
  make({ ...noisy, dropout: 0 } as DiscriminatorSettings);
  assertEquals(asked, 1);
});

Deno.test("A discriminator without conditions has nothing that nobody learns from", () => {
  for (const settings of Object.values(discriminators)) {
    const net: Module = makeDiscriminator(settings, 16, { heads: {}, generator });
    assertEquals(Object.keys(net.stateDict()).filter((name) => /cls|classes/.test(name)), []);
  }
});

// By hand from the tables, for one column of ten classes.
const TEN = { codeSize: 10, heads: { label: 10 } };
const bn = (...channels: number[]) => 2 * channels.reduce((a, b) => a + b);
const conv = (k: number, ...channels: number[]) =>
  channels.slice(1).reduce((sum, to, i) => sum + k * k * channels[i] * to, 0);

Deno.test("The paper's networks have as many parameters as its ImageNet table says", () => {
  const { generator, discriminator } = inspectNetworks(presets.odena128, TEN);
  const count = (layers: typeof generator) =>
    layers.reduce((n, { parameters }) => n + parameters, 0);
  assertEquals(
    count(generator),
    (110 + 1) * 768 * 8 * 8 + conv(5, 768, 384, 256, 192, 3) + bn(384, 256, 192) + 3,
  );
  const features = 512 * 16 * 16;
  assertEquals(
    count(discriminator),
    conv(3, 3, 16, 32, 64, 128, 256, 512) + 16 + bn(32, 64, 128, 256, 512) + (features + 1) * 11,
  );
  assertEquals(generator.map(({ output }) => output.join("x")), [
    ...["49152", "384x16x16", "384x16x16", "256x32x32", "256x32x32"],
    ...["192x64x64", "192x64x64", "3x128x128"],
  ]);
});

Deno.test("The paper's CIFAR generator has as many parameters as its table says", () => {
  const { generator } = inspectNetworks(presets.odena32, TEN);
  assertEquals(
    generator.reduce((n, { parameters }) => n + parameters, 0),
    (110 + 1) * 384 * 4 * 4 + conv(5, 384, 192, 96, 3) + bn(192, 96) + 3,
  );
});

Deno.test("MakeGirlsMoe's networks have as many parameters and multiply-adds as their figures say", () => {
  const { generator, discriminator } = inspectNetworks(presets.girlsmoe128, {
    ...{ codeSize: 34, heads: { tags: 34 } },
  });
  const sum = (layers: typeof generator, of: "parameters" | "multiplyAdds") =>
    layers.reduce((n, layer) => n + layer[of], 0);
  const trunk = 33 * conv(3, 64, 64) - conv(3, 64, 64), stages = 3 * conv(3, 64, 256);
  assertEquals(
    sum(generator, "parameters"),
    (162 + 1) * 64 * 16 * 16 + trunk + stages + conv(9, 64, 3) + 3 + 37 * bn(64),
  );
  assertEquals(
    sum(generator, "multiplyAdds"),
    162 * 64 * 256 + trunk * 256 + conv(3, 64, 256) * (256 + 1024 + 4096) +
      conv(9, 64, 3) * 128 * 128,
  );
  const block = (n: number) => 2 * (conv(3, n, n) + n);
  const downs = conv(4, 3, 32, 64, 128) + conv(3, 128, 256, 512, 1024);
  assertEquals(
    sum(discriminator, "parameters"),
    downs + 32 + 64 + 128 + 256 + 512 + 1024 + 2 * block(32) +
      4 * (block(64) + block(128) + block(256) + block(512)) + (1024 * 4 + 1) * 35,
  );
});

Deno.test("ZJUSCT's discriminator has as many parameters as its widths say", () => {
  const { discriminator } = inspectNetworks(presets.zjusct64, TEN);
  const down = (a: number, b: number) => conv(3, a, b) + conv(3, b, b) + a * b + 3 * b;
  const linear = (a: number, b: number) => (a + 1) * b;
  const widths = [3, 32, 64, 128, 256, 512, 1024];
  assertEquals(
    discriminator.reduce((n, { parameters }) => n + parameters, 0),
    widths.slice(1).reduce((sum, b, i) => sum + down(widths[i], b), 0) +
      2 * (linear(1024, 512) + linear(512, 256)) + linear(256, 1) + linear(256, 10),
  );
});

Deno.test("Multiply-adds of the presets are what was counted by hand", () => {
  const millions = (name: "acgan64" | "acgan32" | "small32") => {
    const { generator, discriminator } = inspectNetworks(presets[name], {
      ...{ codeSize: 12, heads: { label: 12 } },
    });
    return [generator, discriminator].map((layers) =>
      Math.round(layers.reduce((n, { multiplyAdds }) => n + multiplyAdds, 0) / 1e6)
    );
  };
  assertEquals([millions("acgan64"), millions("acgan32"), millions("small32")], [
    ...[[306, 104], [58, 18], [5, 2]],
  ]);
});

Deno.test("Every preset goes with its size, and with every power of two from 16 to 256", () => {
  for (const preset of Object.values<Preset>(presets)) {
    checkNetworks(preset);
    // A preset at its own size stays as it is.
    const { size, generator, discriminator } = preset;
    assertEquals(resizeNetworks(preset, size), { size, generator, discriminator });
    for (const size of [16, 32, 64, 128, 256]) {
      const resized = resizeNetworks(preset, size);
      checkNetworks(resized);
      const stages = discriminatorStages(resized.discriminator, size);
      assertEquals(stages.every(([, height]) => Number.isInteger(height)), true);
    }
  }
  const { generator, discriminator } = resizeNetworks(presets.acgan64, 32);
  assertEquals(generator, presets.acgan32.generator);
  assertEquals(discriminator, presets.acgan32.discriminator);
});

Deno.test("Stages are what the networks make", () => {
  for (const settings of Object.values(discriminators)) {
    const net = newD(settings).eval(), { features } = net.forward(pictures());
    const stages = discriminatorStages(settings, 16);
    assertEquals(net.stages, stages);
    const shapes = features.map(({ shape }) => shape.slice(1));
    assertEquals(shapes, stages.with(-1, [stages.at(-1)!.reduce((a, b) => a * b)]));
  }
});

Deno.test("Widths that are none are refused by name", () => {
  const { generator, discriminator } = presets.girlsmoe64;
  const base = { size: 64, generator, discriminator };
  const wrong: [unknown, unknown, string][] = [
    [{ latent: 0 }, {}, "generator.latent must be a whole number of at least 1, not 0"],
    [{ blocks: 1.5 }, {}, "generator.blocks must be a whole number of at least 1, not 1.5"],
    [
      {},
      { blocks: [2, 4] },
      "discriminator.blocks must be 6 numbers, one for each of the channels",
    ],
    [{}, { kernels: [4, 4, 4, 3, 3, 5] }, "each of discriminator.kernels must be 3 or 4"],
    [{ stages: 4 }, {}, "The generator draws 128x128 pictures, not 64x64: from a first feature"],
    [{}, { architecture: "resnet" }, 'There is no discriminator "resnet": there are dcgan, odena'],
  ];
  for (const [G, D, message] of wrong) {
    const settings = {
      ...base,
      generator: { ...generator, ...G as object },
      discriminator: { ...discriminator, ...D as object },
    } as Parameters<typeof checkNetworks>[0];
    assertThrows(() => checkNetworks(settings), RangeError, message);
  }
  const odena = {
    ...presets.odena32,
    discriminator: { ...presets.odena32.discriminator, dropout: 1 },
  };
  assertThrows(
    () => checkNetworks(odena),
    RangeError,
    "dropout must be at least 0 and below 1, not 1",
  );
});
