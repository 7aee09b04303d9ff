import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { UserError } from "../../data/mod.ts";
import { Device, grad, mean, read, tensor } from "../../engine/mod.ts";
import type { Objective, Step } from "../../plugin/mod.ts";
import { hingeLoss } from "../../plugins/hinge.ts";
import { leastSquaresLoss } from "../../plugins/least_squares.ts";
import { wassersteinLoss } from "../../plugins/wasserstein.ts";
import { assertResumes, onlooker, refusal, trainTiny } from "./loss_run.ts";
import { chosen } from "./tiny_run.ts";
import { squaredSlope } from "../../plugins/r1.ts";

await Device.open();

// Whole trainings are held to PyTorch's in tests/training.

const LOGITS = [-2, -0.5, 0.25, 3];
const average = (numbers: readonly number[]): number => numbers.reduce((a, b) => a + b) / 4;

/** By hand: loss by logit for each part, and derivative. */
const cases: Readonly<
  Record<string, readonly [Objective, Record<keyof Objective, [number[], number[]]>]>
> = {
  hinge: [hingeLoss, {
    real: [[3, 1.5, 0.75, 0], [-1, -1, -1, 0]],
    fake: [[0, 0.5, 1.25, 4], [0, 1, 1, 1]],
    generator: [[2, 0.5, -0.25, -3], [-1, -1, -1, -1]],
  }],
  "least-squares": [leastSquaresLoss, {
    real: [[9, 2.25, 0.5625, 4], [-6, -3, -1.5, 4]],
    fake: [[4, 0.25, 0.0625, 9], [-4, -1, 0.5, 6]],
    generator: [[9, 2.25, 0.5625, 4], [-6, -3, -1.5, 4]],
  }],
  wasserstein: [wassersteinLoss, {
    real: [[2, 0.5, -0.25, -3], [-1, -1, -1, -1]],
    fake: [[-2, -0.5, 0.25, 3], [1, 1, 1, 1]],
    generator: [[2, 0.5, -0.25, -3], [-1, -1, -1, -1]],
  }],
};
for (const [name, [objective, wanted]] of Object.entries(cases)) {
  Deno.test(`The losses of ${name}, and their gradients, of logits of any shape`, async () => {
    for (const shape of [[4], [2, 1, 2]]) {
      for (const part of ["real", "fake", "generator"] as const) {
        const logits = tensor(LOGITS, shape), loss = objective[part](logits);
        const [[value], slopes] = await read([loss, ...grad(loss, [logits])]);
        const [losses, derivatives] = wanted[part];
        assertAlmostEquals(value, average(losses), 1e-6, part);
        assertEquals(Array.from(slopes, (x) => 4 * x), derivatives, part);
      }
    }
  });

  Deno.test(`A run with ${name} goes on with the same bytes, and logs its losses`, async () => {
    const look = onlooker({
      metrics: {
        real: ({ real }) => objective.real(real.source),
        fake: ({ fake }) => objective.fake(fake.source),
      },
    });
    const { metrics: [first] } = await assertResumes([chosen(name), look]);
    assertEquals([first["d.adv_real"], first["d.adv_fake"]], [
      first["onlooker.real"],
      first["onlooker.fake"],
    ]);
  });
}

Deno.test("R1's penalty is taken at real pictures, and lessens the slope there", async () => {
  const look = onlooker({
    metrics: {
      slope: ({ real, judge }) =>
        squaredSlope((x) => judge(x, real.values).source, { at: real.images }),
    },
  });
  const train = (gamma: number) => trainTiny([chosen("r1", { gamma }), look], { steps: 40 });
  const { metrics: heavy } = await train(100);
  assertEquals(heavy.map((row) => row["d.r1.penalty"]), heavy.map((row) => row["onlooker.slope"]));
  const { metrics: none } = await train(0);
  assertEquals("d.r1.penalty" in none[0], false);
  const [last, free] = [heavy, none].map((rows) => rows[39]["onlooker.slope"]);
  assertEquals(last < 0.8 * free, true, `${last} is hardly less than ${free}`);
});

Deno.test("A lazy penalty has a part in one step of several, with so many times its weight, and goes on with the same bytes", async () => {
  const { metrics } = await assertResumes([chosen("r1", { every: 4 })]);
  // It is logged where it is taken alone.
  assertEquals(
    metrics.map((row) => "d.r1.penalty" in row),
    metrics.map((_, step) => step % 4 === 0),
  );
  // One step of it is one with three times the weight.
  const first = (gamma: number, every: number) =>
    trainTiny([chosen("r1", { gamma, every })], { steps: 1 });
  const [once, thrice] = [await first(1, 3), await first(3, 1)];
  assertEquals(once.variables["D.conv1.weight"], thrice.variables["D.conv1.weight"]);
});

Deno.test("A term of every 0 steps is refused", async () => {
  const term = { every: 0, value: ({ real }: Step) => mean(real.source) };
  await assertRejects(
    () => trainTiny([onlooker({ discriminatorTerms: { term } })], { steps: 1 }),
    UserError,
    "discriminatorTerms.term has every 0: a whole number of steps is needed",
  );
});

Deno.test("WGAN-GP's penalty brings the slope nearer to 1", async () => {
  const last = async (lambda: number): Promise<number> => {
    const { metrics } = await trainTiny([chosen("wasserstein", { lambda })], { steps: 40 });
    return metrics[39]["d.wasserstein.penalty"];
  };
  const heavy = await last(10), light = await last(1e-6);
  assertEquals(heavy < 0.8 * light, true, `${heavy} is hardly less than ${light}`);
});

Deno.test("Weights of penalties are refused below 0", async () => {
  assertEquals(
    await refusal("wasserstein", { lambda: -1 }),
    "wasserstein.lambda must be a number at least 0, not -1",
  );
  assertEquals(await refusal("r1", { gamma: -1 }), "r1.gamma must be a number at least 0, not -1");
});
