// How many cases tests take that draw them, or that go over many of a kind: some in the gate, and all in
// `deno task test:long`, which imports the same files.

let all = false;

/** Has the tests that are imported after this take all of their cases. */
export function takeAll(): void {
  all = true;
}

/** So many cases of those that there are. */
export function breadth(counts: { gate: number; all: number }): number {
  return all ? counts.all : counts.gate;
}

/** In the gate every second case: those with even numbers or those with odd ones, as `like` is. */
export function everySecond<T>(cases: readonly T[], like: number): readonly T[] {
  return all ? cases : cases.filter((_, i) => i % 2 === like % 2);
}
