// What KAO_DEBUG asks for: a comma-separated list, such as `KAO_DEBUG=plan,nan`.

/**
 * - `plan` prints the dispatches of each compiled function.
 * - `profile` times each dispatch of its third call, in passes of their own, and prints what took how long.
 * - `nan` stops at the first op that makes a NaN or an infinity, and names the line that wrote it.
 */
export const debugFlags: Set<string> = new Set(readVariable("KAO_DEBUG").split(","));

/** This folder, as stacks write it; bundlers may leave out where a module came from. */
const ENGINE = import.meta.url?.replace(/[^/]*$/, "") ?? "bundle:";
/** Derivatives of derivatives pass through many frames of the engine. */
const DEPTH = 200;

let context = "";

/** The line outside the engine that is running, as `file:///train.ts:12:5`; undefined without `nan`. */
export function origin(): string | undefined {
  if (!debugFlags.has("nan")) return undefined;
  const limited = Error as { stackTraceLimit?: number };
  const limit = limited.stackTraceLimit;
  limited.stackTraceLimit = DEPTH;
  const { stack = "" } = new Error();
  limited.stackTraceLimit = limit;
  const places = [...stack.matchAll(/\b(?:file|https?|blob|data):[^\s()]+:\d+:\d+/g)];
  const place = places.map(([text]) => text).find((text) => !text.startsWith(ENGINE));
  return (place ?? "an unknown line") + context;
}

/** Runs `fn`; what it makes is said to belong to the derivative of a node made at `of`. */
export function asDerivative<R>(name: string, of: string | undefined, fn: () => R): R {
  if (of === undefined) return fn();
  const outer = context;
  context = `, in the derivative of ${name} at ${of}`;
  try {
    return fn();
  } finally {
    context = outer;
  }
}

function readVariable(name: string): string {
  try {
    return globalThis.Deno?.env.get(name) ?? "";
  } catch {
    return ""; // No permission to read it: not asked for.
  }
}
