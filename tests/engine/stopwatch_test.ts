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

const once = { repeats: 1 };

Deno.test("a device's clock that agrees with this machine's is trusted", async () => {
  const watch = new Stopwatch(WAITING);
  await watch.time(plan(0.02, { speed: 1 }), once);
  const short = plan(3e-5, { speed: 1 });
  const { seconds, repeats } = await watch.time(short, once);
  assertAlmostEquals(seconds, 3e-5);
  assertEquals(repeats > 200, true, "long enough for its clock");
  assertEquals((await watch.time(short, { repeats })).repeats, repeats);
});

for (const speed of [undefined, 3, 0.01]) {
  Deno.test(`this machine's clock is used where the device's is ${speed ?? "missing"}`, async () => {
    const watch = new Stopwatch(WAITING);
    const subject = plan(0.0033, { speed });
    await watch.time(plan(0.5, { speed }), once);
    const { seconds, repeats } = await watch.time(subject, once);
    assertLess(Math.abs(seconds - 0.0033), 0.15 * 0.0033);
    assertEquals(repeats * 0.0033 > 0.07, true, "long enough for steps of 10 ms");
    assertEquals(subject.runs.length <= 3, true, `it takes few tries: ${subject.runs}`);
  });
}

Deno.test("what something takes at least is not more than it takes, by either clock", async () => {
  const watch = new Stopwatch(WAITING);
  const subject = plan(0.032, { speed: 1 });
  assertAlmostEquals(await watch.atLeast(subject), 0.03);
  assertEquals(await watch.atLeast(plan(1e-5)), 0);
  await watch.time(subject, once);
  assertAlmostEquals(await watch.atLeast(subject), 0.0318);
  assertAlmostEquals(await watch.atLeast(subject, { share: 1 / 16 }), 0.0018);
});

Deno.test("what takes next to no time is run some hundred times, and no more", async () => {
  const subject = plan(1e-9, { speed: 1 });
  await new Stopwatch(WAITING).time(subject, once);
  assertEquals(Math.max(...subject.runs), 500);
});

Deno.test("a device is kept warm before each measurement by its own clock, and before none by this machine's", async () => {
  for (const [speed, expected] of [[1, true], [undefined, false]] as const) {
    let warmed = 0;
    const watch = new Stopwatch(WAITING, { warm: () => warmed++ });
    await watch.time(plan(0.5, { speed }), once);
    assertEquals(warmed > 0, expected);
    const subject = plan(0.02, { speed }), before = warmed;
    await watch.time(subject, once);
    await watch.atLeast(subject);
    assertEquals(warmed - before, expected ? subject.runs.length : 0);
  }
});
