import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { Device, read, type Tensor, tensor } from "../../engine/mod.ts";
import hue from "../../examples/plugins/hue.ts";
import patches from "../../examples/plugins/patch_discriminator.ts";
import { chosen, trainsAndResumes } from "../plugins/tiny_run.ts";

await Device.open();

const own = (plugin: typeof hue) => ({ plugin, source: `./${plugin.name}.ts`, options: {} });

Deno.test("The plugins of the tutorial train together, and a run goes on with the same bytes", async () => {
  const metrics = await trainsAndResumes(() => [
    chosen("classifier", { columns: ["hair"] }),
    own(hue),
    own(patches),
  ]);
  for (const name of ["d.class.hue.real", "d.patch-discriminator.patch.adv_real"]) {
    assert(metrics[name] > 0, name);
  }
});

Deno.test("Hue is measured in degrees", async () => {
  const colours = [[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 0.5, 0]];
  const images = tensor(Float32Array.from(colours.flat()), [colours.length, 3, 1, 1]);
  let measured: Float32Array | undefined;
  await hue.setup(
    {},
    {
      size: 1,
      batch: 1,
      measure: async (program: (images: Tensor) => Tensor) => {
        const [numbers] = await read([program(images)]);
        return measured = numbers as Float32Array;
      },
    } as unknown as Parameters<typeof hue.setup>[1],
  );
  [0, 60, 120, -120, -60, 30].forEach((degrees, i) => {
    assertAlmostEquals(measured![i], degrees, 5, `${colours[i]}`);
  });
});

Deno.test("Each is shorter than 60 lines", async () => {
  for (const name of ["hue", "patch_discriminator"]) {
    const url = new URL(`../../examples/plugins/${name}.ts`, import.meta.url);
    assertEquals((await Deno.readTextFile(url)).split("\n").length < 60, true, name);
  }
});
