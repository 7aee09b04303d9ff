import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { Device } from "../../engine/mod.ts";
import { slopePenalty } from "../../plugins/dragan.ts";
import { assertResumes, onlooker, refusal, trainTiny } from "./loss_run.ts";
import { chosen } from "./tiny_run.ts";

await Device.open();

// The numbers of the penalty, and its gradients, are held to PyTorch's in tests/golden.

const PENALTY = "d.dragan.penalty";

Deno.test("A run with DRAGAN's penalty goes on with the same bytes", async () => {
  const { metrics } = await assertResumes([chosen("dragan")]);
  assertEquals(metrics.map((row) => row[PENALTY] >= 0), new Array(20).fill(true));
});

Deno.test("DRAGAN's penalty brings the discriminator's slope nearer to k", async () => {
  for (const k of [0, 1]) {
    const last = async (lambda: number): Promise<number> => {
      const { metrics } = await trainTiny([chosen("dragan", { k, lambda })], { steps: 40 });
      return metrics[39][PENALTY];
    };
    const heavy = await last(10), light = await last(1e-6);
    assert(heavy < 0.8 * light, `k = ${k}: ${heavy} is hardly less than ${light}`);
  }
});

Deno.test("DRAGAN's penalty is taken near real pictures, or at them without noise", async () => {
  const look = onlooker({
    metrics: {
      at_real: ({ real, judge }) =>
        slopePenalty((x) => judge(x, real.values).source, { at: real.images, k: 1 }),
    },
  });
  const first = async (noise: number) =>
    (await trainTiny([chosen("dragan", { noise }), look], { steps: 1 })).metrics[0];
  const exact = await first(0), near = await first(0.5);
  assertAlmostEquals(exact[PENALTY], exact["onlooker.at_real"], 1e-6);
  assertEquals(near["onlooker.at_real"], exact["onlooker.at_real"]);
  assertNotEquals(near[PENALTY].toPrecision(4), exact[PENALTY].toPrecision(4));
});

Deno.test("DRAGAN's options are refused out of range", async () => {
  assertEquals(
    await refusal("dragan", { lambda: -1 }),
    "dragan.lambda must be a number at least 0, not -1",
  );
  assertEquals(
    await refusal("dragan", { noise: 11 }),
    "dragan.noise must be a number from 0 to 10, not 11",
  );
});
