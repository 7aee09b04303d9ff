// Inception v3 as a whole: PyTorch's features by both variants, and `kao eval --inception` from a file of weights.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import {
  compile,
  Device,
  encodeSafetensors,
  read,
  type StoredTensor,
  tensor,
} from "../../engine/mod.ts";
import { loadInception, type Report } from "../../evaluation/mod.ts";
import {
  convolutions,
  INCEPTION_FEATURES,
  inceptionSteps,
  type InceptionVariant,
} from "../../evaluation/inception_layers.ts";
import { fromBytes } from "../../training/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { drawData, Process, trainArguments } from "../end_to_end/process.ts";
import golden from "../evaluation/inception.json" with { type: "json" };
import { hashedPictures, inceptionWeights } from "../evaluation/inception_weights.ts";

await Device.open();

/** A file of a variant's weights, as PyTorch's state dict has them. */
function weightsFile(variant: InceptionVariant): Uint8Array {
  const classes = variant === "torchvision" ? 1000 : 1008;
  const data = new Float32Array(classes * INCEPTION_FEATURES);
  const fc: StoredTensor = { dtype: "f32", shape: [classes, INCEPTION_FEATURES], data };
  const weights = inceptionWeights(convolutions(inceptionSteps(variant)));
  return encodeSafetensors({ ...weights, "fc.weight": fc });
}

for (const variant of ["2015-12-05", "torchvision"] as const) {
  Deno.test(`features of Inception v3, ${variant}, are PyTorch's`, async () => {
    using folder = temporaryFolder();
    const path = `${folder.path}/weights.safetensors`;
    await Deno.writeFile(path, weightsFile(variant));
    const { network } = await loadInception(path);
    assertEquals(network.variant, variant);
    const asTheyAre = compile((bytes) => network.forward(fromBytes(bytes)));
    for (const { size, side, count, features: wanted } of ofVariant(variant)) {
      const images = hashedPictures(count, size);
      const features = size === side
        ? (await read([asTheyAre(tensor(images, [count, 3, size, size]))]))[0]
        : await network.features({ images, size, count });
      assertEquals(features.length, count * INCEPTION_FEATURES);
      wanted.forEach((row, picture) => {
        const largest = Math.max(...row);
        row.forEach((value, i) => {
          const got = features[picture * INCEPTION_FEATURES + i * golden.every];
          assert(Math.abs(got - value) < 1e-5 * largest, `${side}, ${i}: ${got} vs ${value}`);
        });
      });
    }
  });
}

function ofVariant(variant: InceptionVariant): typeof golden.cases {
  const cases = golden.cases.filter((it) => it.variant === variant);
  assertEquals(cases.map(({ side }) => side), [107, 299]);
  return cases;
}

Deno.test("eval measures distances in the features of the weights that it is given", async () => {
  using folder = temporaryFolder();
  const data = await drawData(folder.path), run = `${folder.path}/run`;
  const kao = (...args: string[]) => new Process(args).end();
  const weights = `${folder.path}/weights.safetensors`, out = `${folder.path}/out`;
  await Deno.writeFile(weights, weightsFile("2015-12-05"));
  const schedule = ["--steps", "4", "--log-every", "4", "--holdout", "0.25"];
  const trained = await kao(...trainArguments(folder.path, run, schedule));
  assertEquals(trained.code, 0, trained.stderr);
  const { code, stdout, stderr } = await kao(
    ...["eval", run, data, "--cache", `${folder.path}/cache`, "--tune", "off", "--out", out],
    ...["--samples", "14", "--pairs", "2", "--inception", weights, "--inception-pictures", "13"],
  );
  assertEquals(code, 0, stderr);
  assertStringIncludes(stderr, "variant 2015-12-05: it sees at most 13 pictures of each set");
  // Which of the counts are told goes by the clock.
  assertMatch(stderr, /Inception v3 \d+\/52 /);
  assertStringIncludes(stdout, "frechet in Inception v3's features: samples ");

  const report: Report = JSON.parse(await Deno.readTextFile(`${out}/report.json`));
  const { weights: used, most, whole, ...sets } = report.inception!;
  assertEquals([used.file, used.variant, most], ["weights.safetensors", "2015-12-05", 13]);
  assertEquals(used.sha256.length, 64);
  assertEquals(Object.keys(sets), ["samples", "real", "heldOut", "samplesAsHeldOut"]);
  for (const [name, scores] of Object.entries(sets)) {
    assertEquals(scores!.count, 13, name);
    const { frechet, precision, coverage } = scores!;
    assert(frechet > 0 && precision >= 0 && precision <= 1 && coverage >= 0 && coverage <= 1);
  }
  assertEquals([whole!.count, whole!.reference], [13, 26]);
  // Samples of four steps are noise, which is farther from avatars than these are from each other.
  assert(sets.samples!.frechet > 2 * sets.real!.frechet);
  const page = await Deno.readTextFile(`${out}/report.html`);
  assertStringIncludes(page, "Distances in Inception v3's features");
  assertStringIncludes(page, used.sha256.slice(0, 12));

  assertEquals([...Deno.readDirSync(`${folder.path}/cache/inception`)].length, 3);

  const refused = await kao("eval", run, data, "--inception", `${run}/run.json`);
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, "run.json is no whole safetensors file");
});
