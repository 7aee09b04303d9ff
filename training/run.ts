import { UserError } from "../data/mod.ts";
import type { Condition } from "./condition.ts";
import type { TrainSettings } from "./config.ts";

/**
 * What a run is, as plain JSON: all that decides its numbers. Starts of the same description go on with
 * each other's work.
 */
export interface RunDescription extends TrainSettings {
  /** Fingerprint of the data set. */
  readonly data: string;
  /** What {@linkcode Condition.describe} gave for each condition. */
  readonly conditions: readonly Record<string, unknown>[];
}

/** Describes a run. */
export function describeRun(
  settings: TrainSettings,
  about: { data: string; conditions: readonly Condition[] },
): RunDescription {
  const conditions = about.conditions.map((condition) => condition.describe());
  return { data: about.data, ...settings, conditions };
}

/** Throws a `UserError` that names the first setting in which a run's home differs from what is asked. */
export function checkSameRun(folder: string, before: unknown, now: RunDescription): void {
  const changed = difference(before, JSON.parse(JSON.stringify(now)));
  if (!changed) return;
  const { key, a, b } = changed;
  if (key === "data") {
    throw new UserError(
      `${folder} is a run on other pictures, labels or --columns. Go on with the same, ` +
        `or choose another --out to start anew`,
    );
  }
  throw new UserError(
    `${folder} is a run with ${key} ${JSON.stringify(a)}, not ${JSON.stringify(b)}. ` +
      `Go on with the same ${key}, or choose another --out to start anew`,
  );
}

/** The first key, as a dotted path, at which two JSON values differ, with what is there. */
function difference(
  a: unknown,
  b: unknown,
  path: readonly string[] = [],
): { key: string; a: unknown; b: unknown } | undefined {
  if (isContainer(a) && isContainer(b)) {
    for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const found = difference(a[key], b[key], [...path, key]);
      if (found) return found;
    }
    return undefined;
  }
  return a === b ? undefined : { key: path.join("."), a, b };
}

function isContainer(x: unknown): x is Record<string, unknown> {
  return typeof x === "object" && x !== null;
}
