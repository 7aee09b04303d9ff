// Which of several variants of a kernel is the fastest, and whether they agree.

/** A variant that can be run. */
export interface Contestant {
  /** Seconds that a small part of the work takes at least: the whole takes no less. */
  glance(): Promise<number>;
  /** Seconds that it takes at least, run once. */
  run(): Promise<number>;
  /** What it computed when it was run, always from the same inputs. */
  results(): Promise<ArrayLike<number>>;
  /** Seconds a run, of as many runs as the clock needs. */
  time(): Promise<number>;
  /** Gives its memory back. */
  leave(): void;
}

/** A variant that may not run here. */
export interface Entry {
  readonly name: string;
  /** @throws {Error} where this adapter cannot run it. */
  enter(): Promise<Contestant>;
}

/** What a contest is told. */
export interface ContestOptions {
  /** Whether the time that there is for measuring is used up. */
  readonly late?: () => boolean;
  /** Told of variants that cannot run here, or compute something else. */
  readonly onMessage?: (message: string) => void;
}

/** A contest's outcome. */
export interface Outcome {
  readonly choice: string;
  /** Seconds a run, of everyone that was timed, in the order of the entries. */
  readonly seconds: Readonly<Record<string, number>>;
  /** False where time ran out before everyone was seen. */
  readonly complete: boolean;
}

/** A variant that takes so many times as long as the best is not looked at again. */
const SLOW = 2;
/** The first entry is kept unless another one takes less than this share of its time: clocks are noisy. */
const WORTH = 0.97;
/** How often everyone that is left is timed, by turns, so that a busy moment hits all alike. */
const ROUNDS = 3;
/**
 * How far results may lie apart, in parts of their root mean square: float32 sums in another order differ by
 * less than a tenth of this, one product too few by far more.
 */
const TOLERANCE = 2e-3;

/**
 * Times the entries against each other. The first one is what the others have to agree with, and to beat.
 * Returns undefined where nobody can run, or time ran out before there were two to compare.
 */
export async function contest(
  entries: readonly Entry[],
  options: ContestOptions = {},
): Promise<Outcome | undefined> {
  const { late = () => false, onMessage = () => {} } = options;
  const racing = new Map<string, Contestant>();
  const times = new Map<string, number[]>();
  const best = (): number => Math.min(...[...times.values()].map(median));
  const drop = (name: string): void => {
    racing.get(name)?.leave();
    racing.delete(name);
  };
  let complete = true;
  let reference: { name: string; results: ArrayLike<number> } | undefined;
  try {
    for (const { name, enter } of entries) {
      if (late()) {
        complete = false;
        break;
      }
      try {
        const contestant = await enter();
        racing.set(name, contestant);
        if (await shortest(contestant.glance, SLOW * best()) > SLOW * best()) {
          drop(name);
          continue;
        }
        const once = await shortest(contestant.run, SLOW * best());
        if (once > SLOW * best()) {
          times.set(name, [once]);
          drop(name);
          continue;
        }
        const results = await contestant.results();
        if (!allFinite(results)) {
          drop(name);
          onMessage(`${name} computes numbers that are not finite, so it is not used`);
          continue;
        }
        reference ??= { name, results };
        const apart = distance(results, reference.results);
        if (!(apart <= TOLERANCE)) {
          drop(name);
          onMessage(
            `${name} computes something else than ${reference.name} (${
              apart.toPrecision(2)
            } of the ` +
              `results' root mean square apart), so it is not used: one of them is wrong on this adapter`,
          );
          continue;
        }
        times.set(name, [await contestant.time()]);
      } catch (error) {
        drop(name);
        if (!(error instanceof CannotRunError)) throw error;
        onMessage(`${name} cannot run on this adapter: ${error.message}`);
      }
      for (const [slow, contestant] of [...racing]) {
        if (median(times.get(slow)!) <= SLOW * best()) continue;
        times.get(slow)!.push(await contestant.time());
        if (median(times.get(slow)!) > SLOW * best()) drop(slow);
      }
    }
    for (let round = 1; round < ROUNDS && racing.size > 1 && !late(); round++) {
      for (const [name, contestant] of racing) times.get(name)!.push(await contestant.time());
    }
  } finally {
    for (const name of [...racing.keys()]) drop(name);
  }
  if (times.size < (complete ? 1 : 2)) return undefined;
  const seconds = Object.fromEntries([...times].map(([name, all]) => [name, median(all)]));
  const [guess] = times.keys();
  const fastest = Object.keys(seconds).reduce((a, b) => seconds[b] < seconds[a] ? b : a);
  const choice = seconds[fastest] < WORTH * seconds[guess] ? fastest : guess;
  return { choice, seconds, complete };
}

/** A measurement, and where it is above a limit, the better of two: the machine may have been busy. */
async function shortest(measure: () => Promise<number>, limit: number): Promise<number> {
  const first = await measure();
  return first > limit ? Math.min(first, await measure()) : first;
}

/** Thrown by what an adapter cannot run, while the adapter goes on. */
export class CannotRunError extends Error {
  /** Tells it apart from other errors. */
  override readonly name = "CannotRunError";
}

/** The largest difference between finite numbers, in parts of the root mean square of `b`. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let largest = 0, squares = 0;
  for (let i = 0; i < b.length; i++) {
    largest = Math.max(largest, Math.abs(a[i] - b[i]));
    squares += b[i] * b[i];
  }
  return largest === 0 ? 0 : largest / Math.sqrt(squares / b.length);
}

function allFinite(numbers: ArrayLike<number>): boolean {
  for (let i = 0; i < numbers.length; i++) if (!Number.isFinite(numbers[i])) return false;
  return true;
}

/** The middle of some numbers, the lower one of two. */
export function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[(numbers.length - 1) >> 1];
}
