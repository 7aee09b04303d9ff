import { UserError } from "../data/mod.ts";
import type { Condition } from "../plugin/mod.ts";
import { type TrainSettings, withoutDefaults } from "./config.ts";
import type { PluginDescription, Plugins } from "./plugins.ts";
import type { Ancestor } from "./transfer.ts";

/**
 * What a run is, as plain JSON: all that decides its numbers. Starts of the same description go on with
 * each other's work.
 */
export interface RunDescription extends TrainSettings {
  /** Fingerprint of the data set. */
  readonly data: string;
  /** What {@linkcode Condition.describe} gave for each condition. */
  readonly conditions: readonly Record<string, unknown>[];
  readonly plugins: readonly PluginDescription[];
  /** The checkpoint whose weights it began with. */
  readonly from?: Ancestor;
}

/** Describes a run. */
export function describeRun(
  settings: TrainSettings,
  about: { data: string; conditions: readonly Condition[]; plugins: Plugins; from?: Ancestor },
): RunDescription {
  const conditions = about.conditions.map((condition) => condition.describe());
  const plugins = about.plugins.describe();
  const { data, from } = about;
  return { data, ...withoutDefaults(settings), conditions, plugins, ...(from && { from }) };
}

/** Throws a `UserError` that names the first setting in which a run's home differs from what is asked. */
export function checkSameRun(folder: string, before: unknown, now: RunDescription): void {
  const asked = byPlugin(JSON.parse(JSON.stringify(now))), had = byPlugin(before);
  for (const name of Object.keys(had.plugins)) {
    if (asked.plugins[name]) continue;
    throw new UserError(
      `${folder} is a run with plugin ${name}, which is not asked for: add --plugin ` +
        `${had.plugins[name].source}, or go on without it by --drop-plugin ${name}`,
    );
  }
  for (const name of Object.keys(asked.plugins)) {
    if (had.plugins[name]) continue;
    throw new UserError(
      `${folder} is a run without plugin ${name}: leave it out, or choose another --out to start anew`,
    );
  }
  const changed = difference(had, asked);
  if (!changed) return;
  const { a, b } = changed;
  // As it is set: plugins.NAME.options.KEY by NAME.KEY.
  const key = changed.key.replace(/^plugins\.([^.]+)\.options\./, "$1.");
  if (key === "data") {
    throw new UserError(
      `${folder} is a run on other pictures, labels or --columns. Go on with the same, ` +
        `or choose another --out to start anew`,
    );
  }
  if (key === "from" || key.startsWith("from.")) {
    throw new UserError(
      `${folder} was begun with other weights than --from has: leave --from out, ` +
        `or choose another --out to start anew`,
    );
  }
  throw new UserError(
    `${folder} is a run with ${key} ${JSON.stringify(a)}, not ${JSON.stringify(b)}. ` +
      `Go on with the same ${key}, or choose another --out to start anew`,
  );
}

/** A description with its plugins by name. */
function byPlugin(run: unknown): { plugins: Record<string, PluginDescription> } {
  const { plugins, ...others } = run as RunDescription;
  return {
    plugins: Object.fromEntries(plugins.map((plugin) => [plugin.name, plugin])),
    ...{ "order of plugins": plugins.map(({ name }) => name).join(", ") },
    ...others,
  };
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
