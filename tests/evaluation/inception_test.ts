// Inception v3 by parts; tests/long/inception_long.ts has the whole network.

import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import {
  compile,
  Device,
  encodeSafetensors,
  read,
  resizeBilinear,
  type StoredTensor,
  tensor,
} from "../../engine/mod.ts";
import { loadInception } from "../../evaluation/mod.ts";
import { FeatureStore } from "../../evaluation/feature_store.ts";
import { runSteps } from "../../evaluation/inception.ts";
import {
  convolutions,
  INCEPTION_FEATURES,
  inceptionSteps,
  type InceptionVariant,
} from "../../evaluation/inception_layers.ts";
import { type InceptionJudge, inceptionReport } from "../../evaluation/inception_report.ts";
import { foldConvolutions } from "../../evaluation/inception_weights.ts";
import type { LabelledPictures } from "../../evaluation/pictures.ts";
import { Stages } from "../../evaluation/stages.ts";
import { temporaryFolder } from "../data/temporary.ts";
import golden from "./inception.json" with { type: "json" };
import { hashed, inceptionWeights } from "./inception_weights.ts";

await Device.open();

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b);

Deno.test("pictures are resized as by PyTorch's interpolate", async () => {
  for (const { shape, size: [height, width], output } of golden.resize) {
    const numbers = Float32Array.from(hashed(`resize ${shape[2]}`, size(shape)), (u) => 2 * u - 1);
    const [resized] = await read([resizeBilinear(tensor(numbers, shape), [height, width])]);
    assertEquals(resized.length, output.length);
    output.forEach((value, i) => assertAlmostEquals(resized[i], value, 2e-6));
  }
});

Deno.test("the network has the convolutions of PyTorch's, and 2048 features", () => {
  for (const variant of ["2015-12-05", "torchvision"] as const) {
    const layers = convolutions(inceptionSteps(variant));
    assertEquals([layers.length, new Set(layers.map(({ step }) => step.name)).size], [94, 94]);
    // 21,785,568 weights are in torchvision's model but for fc and AuxLogits, of which 34,432 are of batch norm.
    const weights = layers.reduce((sum, { shape }) => sum + size(shape), 0);
    const channels = layers.reduce((sum, { shape }) => sum + shape[0], 0);
    assertEquals(weights + 2 * channels, 21_785_568);
    const last = layers.slice(-9), ends = [0, 2, 3, 6, 7, 8].map((i) => last[i].shape[0]);
    assertEquals(ends.reduce((sum, n) => sum + n), INCEPTION_FEATURES);
  }
});

Deno.test("blocks of both variants give PyTorch's numbers, with batch norm folded", async () => {
  for (const { variant, name, shape, output } of golden.blocks) {
    const steps = inceptionSteps(variant as InceptionVariant);
    const block = steps.filter((step) =>
      step.kind === "fork" && convolutions([step]).some((it) => it.step.name.startsWith(name))
    );
    const weights = inceptionWeights(convolutions(block, shape[1]));
    const folded = foldConvolutions("here", weights, convolutions(block, shape[1]));
    const run = compile((x) =>
      runSteps(block, x, (name) => {
        const { weight, shape, bias } = folded.get(name)!;
        return { weight: tensor(weight, shape), bias: tensor(bias, [bias.length]) };
      })
    );
    const numbers = Float32Array.from(hashed(`before ${name}`, size(shape)));
    const [result] = await read([run(tensor(numbers, shape))]);
    assertEquals(Math.ceil(result.length / golden.everyOfBlock), output.length);
    const largest = Math.max(...output);
    assert(largest > 1);
    output.forEach((value, i) => {
      assertAlmostEquals(result[i * golden.everyOfBlock], value, 1e-5 * largest, `${name} ${i}`);
    });
  }
});

Deno.test("sets are limited, samples are compared to halves and the whole, and too few tell nothing", async () => {
  const pictures = (key: string, count: number): LabelledPictures => {
    const images = Uint8Array.from(hashed(key, count * 12), (u) => 256 * u);
    return { count, size: 2, images, labels: {} };
  };
  const network: InceptionJudge["network"] = {
    variant: "2015-12-05",
    features({ images, count }, { onProgress } = {}) {
      const features = new Float32Array(count * INCEPTION_FEATURES);
      // Each of 12 numbers comes in 170 or 171 features, a little larger each time.
      features.forEach((_, i) => {
        const picture = Math.floor(i / INCEPTION_FEATURES), k = i % INCEPTION_FEATURES;
        features[i] = images[12 * picture + k % 12] * (1 + k / INCEPTION_FEATURES) / 256;
      });
      onProgress?.(count, count);
      return Promise.resolve(features);
    },
  };
  using folder = temporaryFolder();
  const told: string[] = [];
  const stages = new Stages({
    onProgress: ({ stage, done, total }) => told.push(`${stage} ${done}/${total}`),
  });
  const reference = pictures("reference", 40), heldOut = pictures("held out", 11);
  const sets = { reference, samples: reference, others: pictures("others", 30), heldOut };
  const judge = { network, file: "weights", sha256: "123", most: 20, cache: folder.path };
  const report = await inceptionReport(judge, sets, { seed: 1, stages });
  assertEquals(report.weights, { file: "weights", sha256: "123", variant: "2015-12-05" });
  assertEquals([report.most, report.samples!.count, report.real!.count], [20, 20, 20]);
  assertEquals([report.heldOut, report.samplesAsHeldOut], [null, null]);
  assertAlmostEquals(report.samples!.frechet, 0, 1e-3);
  assertEquals([report.samples!.precision, report.samples!.coverage], [1, 1]);
  assert(report.real!.frechet > 10);
  const { count, reference: all, frechet } = report.whole!;
  assertEquals([count, all], [20, 40]);
  assert(frechet > 1 && frechet < report.real!.frechet);
  const stage = "distances in Inception v3's features";
  assertEquals(told.slice(0, 5), [
    ...["20/71", "40/71", "51/71", "71/71"].map((part) => `Inception v3 ${part}`),
    `${stage} 1/5`,
  ]);
  assertEquals(told.at(-1), `${stage} 5/5`);
  told.length = 0;
  assertEquals(await inceptionReport(judge, sets, { seed: 1, stages }), report);
  assertEquals(told[0], "Inception v3 20/20"); // Of samples: the others are known.
});

Deno.test("features of real pictures are kept, and found for the same pictures and network alone", async () => {
  using folder = temporaryFolder();
  const images = Uint8Array.from(hashed("kept", 24), (u) => 256 * u);
  const pictures: LabelledPictures = { count: 2, size: 2, images, labels: {} };
  const features = Float32Array.from(hashed("features", 6));
  const cache = `${folder.path}/new/inception`, about = { network: "one", dimensions: 3 };
  const store = new FeatureStore(cache, about);
  assertEquals(await store.find(pictures), undefined);
  await store.keep(pictures, features);
  assertEquals(await store.find(pictures), features);
  assertEquals(await new FeatureStore(cache, about).find(pictures), features);
  const other = { ...pictures, images: images.map((byte, i) => i === 5 ? byte ^ 1 : byte) };
  assertEquals(await store.find(other), undefined);
  assertEquals(
    await new FeatureStore(cache, { ...about, network: "two" }).find(pictures),
    undefined,
  );
  const [{ name }] = [...Deno.readDirSync(cache)];
  await Deno.writeTextFile(`${cache}/${name}`, "damaged");
  assertEquals(await store.find(pictures), undefined);
  await store.keep(pictures, features);
  assertEquals(await store.find(pictures), features);
});

Deno.test("weights that do not fit are refused in one line that says what to do", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/net.safetensors`;
  const zeros = (...shape: number[]): StoredTensor => {
    return { dtype: "f32", shape, data: new Float32Array(size(shape)) };
  };
  const refused = async (bytes: Uint8Array, ...parts: string[]): Promise<void> => {
    await Deno.writeFile(path, bytes);
    const { message } = await assertRejects(() => loadInception(path), UserError);
    assertEquals(message.split("\n").length, 1);
    for (const part of [path, ...parts]) assert(message.includes(part), `${part} in: ${message}`);
  };
  const file = (tensors: Record<string, StoredTensor>) => encodeSafetensors(tensors);
  const first = "Conv2d_1a_3x3.conv.weight", remedy = "docs/evaluation.md says which weights fit";

  await assertRejects(() => loadInception(`${folder.path}/none`), UserError, "Cannot read");
  const archive = Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0);
  for (const bytes of [archive, Uint8Array.of(0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9)]) {
    await refused(bytes, "torch.save", "three lines of Python");
  }
  await refused(new TextEncoder().encode("what is this file"), "no whole safetensors file");
  await refused(file({}), `"${first}" is missing`, "[32, 3, 3, 3]", remedy);
  await refused(
    file({ [first]: zeros(32, 3, 5, 5) }),
    `"${first}" is [32, 3, 5, 5], where Inception v3 has [32, 3, 3, 3]`,
    remedy,
  );
  const words: StoredTensor = { dtype: "i32", shape: [32, 3, 3, 3], data: new Int32Array(864) };
  await refused(file({ [first]: words }), `"${first}" is i32`, remedy);
  const odd = zeros(32, 3, 3, 3);
  odd.data[5] = NaN;
  await refused(file({ [first]: odd }), `"${first}" has NaN for its number 5`);
  await refused(
    file({ [first]: zeros(32, 3, 3, 3), "layer1.0.weight": zeros(2, 3) }),
    `"layer1.0.weight" [2, 3] is not of Inception v3`,
    remedy,
  );
  await refused(
    file({ "fc.weight": zeros(10, 2048) }),
    `"fc.weight" is [10, 2048]`,
    "[1008, 2048] of 2015-12-05",
    "[1000, 2048] of torchvision",
  );
  // What features do not need is passed over.
  const unused = ["fc.bias", "AuxLogits.fc.weight", "Conv2d_1a_3x3.bn.num_batches_tracked"];
  const passed = Object.fromEntries(unused.map((name) => [name, zeros(1)]));
  await refused(file(passed), `"${first}" is missing`);
});
