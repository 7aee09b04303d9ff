import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { networksOf } from "../../cli/networks.ts";
import { UserError } from "../../data/mod.ts";
import { presets } from "../../models/mod.ts";
import { kao } from "./kao.ts";

Deno.test("kao models lists every preset with its size, parameters and multiply-adds", async () => {
  const { code, stdout, stderr } = await kao([], {}, "models");
  assertEquals([code, stderr], [0, ""]);
  for (const [name, { size, batch }] of Object.entries(presets)) {
    assertMatch(stdout, new RegExp(`^${name} +${size} +${batch} +\\w+ +\\w+ +\\S+ [kM] \\+ `, "m"));
  }
  assertMatch(stdout, /^acgan64 +64 +64 +dcgan +dcgan +7\.28 M \+ 2\.95 M +307 M \+ 104 M$/m);
});

Deno.test("kao models PRESET shows layers and memory, of the widths that are asked for", async () => {
  const args = ["models", "small32", "--size", "16", "--batch", "4", "--classes", "3"];
  const { code, stdout, stderr } = await kao(args);
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^Generator dcgan: latent 64; base 4; channels 32,16,12$/m);
  assertMatch(stdout, /^conv2 +Conv2d +48x16x3x3 +48x8x8 +6,912 +442,368$/m);
  assertMatch(stdout, /^cls\.column 0 +Linear +3x512 +3 +1,539 +1,536$/m);
  assertMatch(stdout, /^GPU +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +\d+$/m);
  const half = await kao(args.with(5, "8"));
  const intermediate = (text: string) => Number(text.match(/^GPU +\S+ +\S+ +(\S+)/m)![1]);
  assertEquals(intermediate(half.stdout) > 1.5 * intermediate(stdout), true);
});

Deno.test("A preset that there is not is refused with the nearest", async () => {
  const { code, stderr } = await kao(["models", "odena3"]);
  assertEquals(code, 1);
  assertMatch(stderr, /^kao: There is no preset "odena3" \(did you mean odena32\?\): there are /);
});

const refusal = (given: Parameters<typeof networksOf>[0], preset: keyof typeof presets): string =>
  assertThrows(() => networksOf(given, presets[preset]), UserError).message;

Deno.test("Flags of widths that an architecture does not have are refused by name", () => {
  assertEquals(
    refusal({ dropout: 0.5 }, "acgan64"),
    "--dropout: the discriminator dcgan has no dropout; it has channels",
  );
  assertEquals(
    refusal({ generatorBlocks: 4 }, "odena32"),
    "--generator-blocks: the generator odena has no blocks; it has latent, base, channels",
  );
  assertEquals(
    refusal({ generatorChannels: ["64", "32"] }, "zjusct64"),
    "--generator-channels must be one number for this architecture, not 64,32",
  );
  assertEquals(
    refusal({ discriminatorTowers: ["64", "many"] }, "zjusct64"),
    "--discriminator-towers must be whole numbers above 0, not many",
  );
});

Deno.test("Another architecture comes with its usual widths at the size, and what is given over them", () => {
  const given = { generator: "srresnet", generatorBlocks: 4, size: 32 } as const;
  assertEquals(networksOf(given, presets.acgan64), {
    size: 32,
    generator: {
      ...{ architecture: "srresnet", latent: 128, base: 4, channels: 64, blocks: 4, stages: 3 },
    },
    discriminator: presets.acgan32.discriminator,
  });
  const { size, generator, discriminator } = presets.odena32;
  assertEquals(networksOf({ generator: "odena", size: 32 }, presets.odena32), {
    ...{ size, generator, discriminator },
  });
  assertEquals(
    networksOf({ dropout: 0, noise: 0 }, presets.odena32).discriminator,
    { ...discriminator, dropout: 0, noise: 0 } as typeof discriminator & { dropout: 0; noise: 0 },
  );
});
