import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { Device, HostGenerator, read, tensor } from "../../engine/mod.ts";
import { PatchDiscriminator } from "../../plugins/multi_scale.ts";
import { assertResumes, refusal, trainTiny } from "./loss_run.ts";
import { chosen } from "./tiny_run.ts";

await Device.open();

// The discriminators' numbers and those of feature matching are held to PyTorch's in tests/golden.

/** As many scales and layers as pictures of 8 pixels have room for. */
const small = { scales: 1, layers: 1, channels: 4 };

Deno.test("A run with discriminators on smaller copies goes on with the same bytes", async () => {
  const { metrics, variables } = await assertResumes([chosen("multi-scale", small)]);
  const names = Object.keys(metrics[0]).filter((name) => name.includes("multi-scale"));
  assertEquals(names, [
    "d.multi-scale.half.adv_real",
    "d.multi-scale.half.adv_fake",
    "g.multi-scale.half.adv",
    "g.multi-scale.features",
  ]);
  const kept = Object.keys(variables).filter((name) => /^plugin.multi-scale.half/.test(name));
  assertEquals(
    kept.map((name) => name.replace("plugin.multi-scale.half.", "")),
    ["convs.0.bias", "convs.0.weight", "out.bias", "out.weight"],
  );
});

Deno.test("A run with D's scales fused goes on with the same bytes", async () => {
  const { metrics } = await assertResumes([
    chosen("multi-scale", { variant: "fused", channels: 8 }),
  ]);
  const names = Object.keys(metrics[0]).filter((name) => name.includes("multi-scale"));
  assertEquals(names, [
    "d.multi-scale.adv_real",
    "d.multi-scale.adv_fake",
    "g.multi-scale.adv",
    "g.multi-scale.features",
  ]);
});

const variants = {
  pooled: { options: small, adversarial: "half.adv", learns: "half.convs.0.weight" },
  fused: { options: { variant: "fused" }, adversarial: "adv", learns: "fusion.hidden.weight" },
};

for (const [variant, { options, adversarial, learns }] of Object.entries(variants)) {
  Deno.test(`Multi-scale, ${variant}: each of its terms alone teaches the generator`, async () => {
    const terms = ["g.adv", "g.class.hair", "g.class.eyes"];
    const own = [`g.multi-scale.${adversarial}`, "g.multi-scale.features"];
    const trained = async (steps: number, term: string) => {
      const off = [...terms, ...own].filter((name) => name !== term).map((name) => [name, 0]);
      const weights = Object.fromEntries(off);
      return (await trainTiny([chosen("multi-scale", options)], { steps, weights })).variables;
    };
    for (const term of own) {
      const early = await trained(1, term), late = await trained(4, term);
      assertNotEquals(early["G.out.weight"], late["G.out.weight"], term);
      // Its own network learns, too.
      const name = `plugin.multi-scale.${learns}`;
      assertNotEquals(early[name], late[name]);
    }
  });

  Deno.test(`Multi-scale, ${variant}: matched features come nearer to the real ones`, async () => {
    const last = async (featureMatching: number): Promise<number> => {
      const plugin = chosen("multi-scale", { ...options, featureMatching });
      const { metrics } = await trainTiny([plugin], { steps: 60 });
      const rows = metrics.slice(-20).map((row) => row["g.multi-scale.features"]);
      return rows.reduce((a, b) => a + b) / rows.length;
    };
    const heavy = await last(100), light = await last(1e-6);
    assert(heavy < light, `${heavy} is not less than ${light}`);
  });
}

Deno.test("A discriminator on a smaller copy sees a patch of it for each logit", async () => {
  const net = new PatchDiscriminator(
    { pooled: 1, layers: 2, norm: "none", channels: 4 },
    new HostGenerator(1),
  );
  const size = 32, dark = new Float32Array(3 * size * size), lit = dark.slice();
  lit[0] = 1;
  const images = tensor(new Float32Array([...dark, ...lit]), [2, 3, size, size]);
  const { source, features } = net.forward(images);
  assertEquals(source.shape, [2, 1, 4, 4]);
  assertEquals(features!.map(({ shape }) => shape), [[2, 4, 8, 8], [2, 8, 4, 4]]);
  const [logits] = await read([source]);
  const changed = [...logits.slice(16)].flatMap((x, i) => x === logits[i] ? [] : [i]);
  assertEquals(changed, [0, 1, 4, 5]);
});

Deno.test("Multi-scale refuses pictures that are too small, and options out of range", async () => {
  assertEquals(
    await refusal("multi-scale", { scales: 2, layers: 2 }),
    "Plugin multi-scale failed in setup: pictures of 8 pixels are too small for scales 2 and layers " +
      "2: 0.5 pixels a side would be left of 2 or more; use fewer",
  );
  assertEquals(
    await refusal("multi-scale", { scales: 4 }),
    "multi-scale.scales must be a whole number from 1 to 3, not 4",
  );
  assertEquals(
    await refusal("multi-scale", { norm: "batch" }),
    "multi-scale.norm must be one of instance, none, not batch",
  );
});
