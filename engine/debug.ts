// What KAO_DEBUG asks for: a comma-separated list, such as `KAO_DEBUG=plan`.

/**
 * `plan` prints the dispatches of each compiled function; `profile` times each dispatch of its third call,
 * in passes of their own, and prints what took how long.
 */
export const debugFlags: ReadonlySet<string> = new Set(readVariable("KAO_DEBUG").split(","));

function readVariable(name: string): string {
  try {
    return globalThis.Deno?.env.get(name) ?? "";
  } catch {
    return ""; // No permission to read it: not asked for.
  }
}
