import { assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { type Measured, Stopwatch } from "../../engine/tuning/stopwatch.ts";

const WAITING = 0.011;

/** A plan of which each run takes so many seconds, with a device's clock that runs at some speed. */
function plan(seconds: number, options: { speed?: number } = {}): Measured & { runs: number[] } {
  const runs: number[] = [];
  return {
    runs,
    measure({ repeats = 1, share = 1 } = {}) {
      runs.push(repeats);
      const took = seconds * repeats * share, { speed } = options;
      const device = speed === undefined ? undefined : took * speed;
      // Waiting has steps of 10 ms.
      return Promise.resolve({ wall: WAITING + Math.ceil(took * 100) / 100, device });
    },
  };
}

Deno.test("a device's clock that agrees with this machine's is trusted", async () => {
  const watch = new Stopwatch(WAITING);
  await watch.time(plan(0.02, { speed: 1 }), { once: 0.02 });
  assertAlmostEquals(await watch.time(plan(3e-5, { speed: 1 }), { once: 1e-3 }), 3e-5);
  assertAlmostEquals(await watch.glance(plan(0.032, { speed: 1 }), { share: 1 / 16 }), 0.002);
});

for (const speed of [undefined, 3, 0.01]) {
  Deno.test(`this machine's clock is used where the device's is ${speed ?? "missing"}`, async () => {
    const watch = new Stopwatch(WAITING);
    const subject = plan(0.0033, { speed });
    await watch.time(subject, { once: 0.01 });
    const seconds = await watch.time(subject, { once: 0.0033 });
    assertLess(Math.abs(seconds - 0.0033), 0.1 * 0.0033);
    assertEquals(subject.runs.at(-1)! * 0.0033 >= 0.1, true, "long enough for steps of 10 ms");
  });
}

Deno.test("clocks are compared over enough work, however wrong the first guess is", async () => {
  const watch = new Stopwatch(WAITING);
  const subject = plan(2e-5, { speed: 1 });
  await watch.time(subject, { once: 0.01 });
  assertEquals(Math.max(...subject.runs), 500);
});
