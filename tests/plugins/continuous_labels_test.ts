import { assert, assertEquals, assertRejects } from "@std/assert";
import { Device } from "../../engine/mod.ts";
import { UserError } from "../../plugin/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { chosen, trainsAndResumes, trainTiny } from "./tiny_run.ts";

await Device.open();

const sliders = (options: Record<string, unknown>) => () => [
  chosen("classifier", { columns: ["hair"] }),
  chosen("continuous-labels", options),
];

Deno.test("Sliders from columns and from pictures train, and a run goes on with the same bytes", async () => {
  const metrics = await trainsAndResumes(
    sliders({ columns: ["lean"], odd: ["lean"], measures: ["brightness", "sharpness"] }),
  );
  for (const name of ["lean", "brightness", "sharpness"]) {
    assert(metrics[`d.class.${name}.real`] > 0 && metrics[`g.class.${name}`] > 0, name);
    assert(metrics[`holdout.${name}`] <= 1, name);
  }
});

for (const loss of ["hard", "soft"]) {
  Deno.test(`The ${loss} vicinal loss trains without a head, and a run goes on with the same bytes`, async () => {
    const metrics = await trainsAndResumes(sliders({ columns: ["lean"], loss }));
    assertEquals(Object.keys(metrics).filter((name) => name.includes("lean")), []);
    assert(metrics["d.adv_real"] > 0);
  });
}

Deno.test("Every measure of pictures can be a slider", async () => {
  using folder = temporaryFolder();
  const measures = ["brightness", "contrast", "saturation", "warmth", "sharpness"];
  const metrics = await trainTiny(folder.path, sliders({ measures })());
  assertEquals(measures.filter((name) => !(`accuracy.${name}.real` in metrics)), []);
});

Deno.test("What makes no slider is told with the plugin's name", async () => {
  const fails = (options: Record<string, unknown>, message: string) =>
    assertRejects(
      async () => {
        using folder = temporaryFolder();
        await trainTiny(`${folder.path}/run`, sliders(options)());
      },
      UserError,
      `Plugin continuous-labels failed in setup: ${message}`,
    );
  await fails({}, "there is no slider: name columns, measures, or both");
  await fails({ columns: ["hat"] }, 'label column "hat" must hold numbers, and holds "no"');
  await fails({ columns: ["age"] }, 'there is no label column "age"');
  await fails({ measures: ["mood"] }, 'there is no measure "mood": there are brightness');
  await fails({ columns: ["lean"], odd: ["hat"] }, 'odd names "hat", which is not among columns');
  await fails(
    { measures: ["darkness"] },
    "Cannot make a slider of darkness: every picture has the number 0",
  );
});
