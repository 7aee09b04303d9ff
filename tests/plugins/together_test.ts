import { assertEquals } from "@std/assert";
import { Device } from "../../engine/mod.ts";
import { assertResumes } from "./loss_run.ts";
import { chosen } from "./tiny_run.ts";

await Device.open();

Deno.test("Penalty, augmentation and further discriminators train together, and go on with the same bytes", async () => {
  const { metrics } = await assertResumes([
    chosen("multi-scale", { scales: 1, layers: 1, channels: 4 }),
    chosen("dragan"),
    chosen("diff-augment"),
  ]);
  assertEquals(metrics.length, 20);
  const names = Object.keys(metrics[0]).filter((name) =>
    /^[dg]\.(adv|class|dragan|multi-scale)/.test(name)
  );
  assertEquals(names, [
    "d.adv_real",
    "d.adv_fake",
    "d.class.hair.real",
    "d.class.eyes.real",
    "d.multi-scale.half.adv_real",
    "d.multi-scale.half.adv_fake",
    "d.dragan.penalty",
    "g.adv",
    "g.class.hair",
    "g.class.eyes",
    "g.multi-scale.half.adv",
    "g.multi-scale.features",
  ]);
});
