// Runs many drawn cases of a family of kernels, and tells the worst error.

import { assertEquals } from "@std/assert";

/** One case: what it is, for people, and how far it was off. */
export interface Outcome {
  readonly what: string;
  readonly error: number;
}

/** Fails where a case is off by more than `limit`; tells the worst otherwise. */
export async function checkFamily(
  name: string,
  options: { cases: number; limit: number; run: (index: number) => Promise<Outcome[]> },
): Promise<void> {
  const { cases, limit, run } = options;
  const start = performance.now(), failures: string[] = [];
  let worst: Outcome = { what: "none", error: -1 }, checks = 0;
  for (let i = 0; i < cases; i++) {
    for (const outcome of await run(i)) {
      checks++;
      if (outcome.error > worst.error) worst = outcome;
      if (!(outcome.error <= limit)) failures.push(`${outcome.what}: off by ${outcome.error}`);
    }
  }
  console.log(
    `${name}: ${checks} comparisons in ${((performance.now() - start) / 1000).toFixed(1)} s; ` +
      `worst ${worst.error.toExponential(1)} (${worst.what})`,
  );
  assertEquals(failures, []);
}
