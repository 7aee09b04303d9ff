import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { CannotRunError, contest, distance, type Entry } from "../../engine/tuning/contest.ts";

interface Variant {
  /** Milliseconds of each run in turn; the last one goes on. */
  readonly times: readonly number[];
  readonly glance?: number;
  readonly results?: readonly number[];
  readonly error?: Error;
}

/** Runs variants that take the times that are given, and notes what is asked of them. */
async function race(variants: Record<string, Variant>, options: { late?: () => boolean } = {}) {
  const log: string[] = [], messages: string[] = [], open = new Set<string>();
  const entries = Object.entries(variants).map(([name, variant]): Entry => ({
    name,
    enter() {
      if (variant.error) return Promise.reject(variant.error);
      open.add(name);
      const times = [...variant.times];
      const next = () => (times.length > 1 ? times.shift()! : times[0]) / 1000;
      const noted = <R>(what: string, value: R) => (log.push(`${name} ${what}`), value);
      return Promise.resolve({
        glance: () => Promise.resolve(noted("glance", (variant.glance ?? 0) / 1000)),
        run: () => Promise.resolve(noted("run", next())),
        time: () => Promise.resolve(noted("time", next())),
        results: () => Promise.resolve(noted("results", variant.results ?? [1, 2, 3])),
        leave: () => assertEquals(open.delete(name), true, `${name} left twice`),
      });
    },
  }));
  const outcome = await contest(entries, { ...options, onMessage: (text) => messages.push(text) });
  assertEquals([...open], [], "everyone must leave");
  return { outcome, log, messages };
}

Deno.test("the variant of the lowest median wins", async () => {
  // In turns: one run, and one timing a round. The odd long one does not count.
  const { outcome } = await race({
    guess: { times: [10, 10, 10, 10] },
    winner: { times: [9, 8, 30, 8] },
    other: { times: [12, 7, 12, 12] },
  });
  assertEquals(outcome, {
    choice: "winner",
    seconds: { guess: 0.01, winner: 0.008, other: 0.012 },
    complete: true,
  });
});

Deno.test("the static guess is kept where the best is hardly faster", async () => {
  const { outcome } = await race({ guess: { times: [100] }, other: { times: [98] } });
  assertEquals(outcome?.choice, "guess");
});

Deno.test("a variant twice as slow is not timed, one that shows it in a part not even run", async () => {
  const { outcome, log } = await race({
    guess: { times: [10] },
    slow: { times: [21] },
    slower: { times: [5000], glance: 21 },
  });
  assertEquals(log.filter((line) => line.startsWith("slow")), [
    "slow glance",
    "slow run",
    "slow run",
    "slower glance",
    "slower glance",
  ]);
  assertEquals(outcome, { choice: "guess", seconds: { guess: 0.01, slow: 0.021 }, complete: true });
});

Deno.test("a static guess that is twice as slow has a second try, and no third", async () => {
  const slow = await race({ guess: { times: [30] }, other: { times: [10] } });
  assertEquals(slow.log.filter((line) => line === "guess time").length, 2);
  assertEquals(slow.outcome?.choice, "other");
  const disturbed = await race({ guess: { times: [30, 30, 10] }, other: { times: [10] } });
  assertEquals(disturbed.outcome?.choice, "guess");
});

Deno.test("a variant that was slow in one busy moment stays in", async () => {
  const { outcome } = await race({ guess: { times: [10] }, other: { times: [500, 9, 8] } });
  assertEquals([outcome?.choice, outcome?.seconds.other], ["other", 0.008]);
});

Deno.test("those that are left are timed by turns", async () => {
  const { log } = await race({ a: { times: [10] }, b: { times: [10] } });
  assertEquals(log.slice(-4), ["a time", "b time", "a time", "b time"]);
});

Deno.test("a faster variant that computes something else is refused, loudly", async () => {
  const { outcome, messages } = await race({
    guess: { times: [10], results: [1, 2, 3] },
    wrong: { times: [1], results: [1, 2, 3.01] },
    close: { times: [5], results: [1, 2, 3.0001] },
  });
  assertEquals(outcome?.choice, "close");
  assertEquals(messages.length, 1);
  assertMatch(messages[0], /^wrong computes something else than guess \(0\.0046 .* not used/);
});

Deno.test("a variant that computes NaN is refused, be it the static guess", async () => {
  const { outcome, messages } = await race({
    guess: { times: [1], results: [1, NaN, 3] },
    other: { times: [10] },
    third: { times: [9], results: [1, Infinity, 3] },
  });
  assertEquals(outcome, { choice: "other", seconds: { other: 0.01 }, complete: true });
  assertEquals(messages.map((text) => text.split(",")[0]), [
    "guess computes numbers that are not finite",
    "third computes numbers that are not finite",
  ]);
});

Deno.test("a variant that cannot run is left out with its reason; other errors are thrown", async () => {
  const { outcome, messages } = await race({
    guess: { times: [10] },
    odd: { times: [], error: new CannotRunError("no such feature") },
    good: { times: [5] },
  });
  assertEquals(outcome?.choice, "good");
  assertEquals(messages, ["odd cannot run on this adapter: no such feature"]);
  await assertRejects(
    () =>
      race({ guess: { times: [10] }, lost: { times: [], error: new Error("the GPU is gone") } }),
    Error,
    "the GPU is gone",
  );
});

Deno.test("nobody wins where nobody can run", async () => {
  const { outcome } = await race({ only: { times: [], error: new CannotRunError("no") } });
  assertEquals(outcome, undefined);
});

Deno.test("where time runs out before everyone was seen, the best of those who were is preliminary", async () => {
  const variants = { a: { times: [10] }, b: { times: [9] }, c: { times: [1] } };
  const until = async (last: number) => {
    let asked = 0;
    return await race(variants, { late: () => ++asked > last });
  };
  const { outcome, log } = await until(2);
  assertEquals(outcome, { choice: "b", seconds: { a: 0.01, b: 0.009 }, complete: false });
  assertEquals(log.some((line) => line.startsWith("c ")), false);
  assertEquals((await until(1)).outcome, undefined, "one alone is no comparison");
});

Deno.test("time that runs out later only leaves rounds out", async () => {
  let asked = 0;
  const { outcome, log } = await race({ a: { times: [10] }, b: { times: [5] } }, {
    late: () => ++asked > 2,
  });
  assertEquals([outcome?.choice, outcome?.complete], ["b", true]);
  assertEquals(log.filter((line) => line === "b time").length, 1);
});

Deno.test("distances are in parts of the root mean square", () => {
  assertEquals(distance([3, 4], [3, 4]), 0);
  assertEquals(distance([3, 5], [3, 4]), 1 / Math.sqrt(12.5));
  assertEquals(distance([0, 0], [0, 0]), 0);
  assertEquals(distance([0, 1], [0, 0]), Infinity);
});
