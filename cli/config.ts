// Options from a YAML file, as people keep them.

import { parse } from "@std/yaml";
import { UserError } from "../data/mod.ts";
import { checkValue, didYouMean, type Option, type Options } from "../plugin/mod.ts";
import type { PluginRequest } from "./plugins.ts";

/** What a file of options says. */
export interface ConfigFile {
  /** Values of options, checked, by key. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The plugins in their order; undefined where the file names none. */
  readonly plugins?: readonly PluginRequest[];
}

/**
 * Reads a file of options: the flags of the command without their dashes, and `plugins`, a list of names,
 * paths, or `NAME: { OPTION: VALUE }`.
 *
 * ```yaml
 * preset: small32
 * batch: 16
 * weights: { g.adv: 0.5 }
 * plugins:
 *   - dragan
 *   - ./hue.ts: { bins: 12 }
 * ```
 *
 * @throws {UserError} where the file cannot be read, or a key is unknown (naming the nearest known one), or a
 * value does not fit; the message has the file and the key.
 */
export async function readConfig(path: string, declared: Options): Promise<ConfigFile> {
  const file = await parseYaml(path);
  // A file names no further file, and its plugins come with their options.
  const known = Object.keys(declared).filter((key) => key !== "config" && key !== "plugin");
  const keys = new Map(known.map((key) => [kebab(key), key]));
  const values: Record<string, unknown> = {};
  for (const [word, value] of Object.entries(file)) {
    if (word === "plugins") continue;
    const key = keys.get(kebab(word));
    if (key === undefined) {
      const meant = didYouMean(kebab(word), [...keys.keys(), "plugins"]);
      throw new UserError(`${path} has an unknown key "${word}"${meant}`);
    }
    const option = declared[key];
    values[key] = checkValue(`${path}: ${word}`, option, asListed(option, value));
  }
  const { plugins } = file;
  const named = plugins !== undefined && plugins !== null;
  return { values, ...(named && { plugins: requestsOf(path, plugins) }) };
}

async function parseYaml(path: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    throw new UserError(`Cannot read ${path}: ${(error as Error).message}`);
  }
  let file: unknown;
  try {
    file = parse(text) ?? {};
  } catch (error) {
    throw new UserError(`${path} is not valid YAML: ${(error as Error).message}`);
  }
  if (isMapping(file)) return file;
  throw new UserError(`${path} must have a key a line, such as "batch: 16"`);
}

/** Lists are words on the command line; a file may give numbers, or names with numbers. */
export function asListed(option: Option | undefined, value: unknown): unknown {
  if (option?.type !== "list") return value;
  if (isMapping(value)) return Object.entries(value).map(([name, number]) => `${name}=${number}`);
  return Array.isArray(value) ? value.map(String) : value;
}

function requestsOf(path: string, plugins: unknown): PluginRequest[] {
  if (!Array.isArray(plugins)) throw new UserError(`${path}: plugins must be a list`);
  return plugins.map((entry) => {
    if (typeof entry === "string") return { source: entry, options: {} };
    const [first, ...others] = isMapping(entry) ? Object.entries(entry) : [];
    const [source, options] = first ?? [];
    if (source !== undefined && others.length === 0 && (options === null || isMapping(options))) {
      const given = Object.entries(options ?? {}).map(([word, value]) => [camel(word), value]);
      return { source, options: Object.fromEntries(given) };
    }
    throw new UserError(
      `${path}: a plugin must be a name, or a name with options such as "dragan: { weight: 5 }", ` +
        `not ${JSON.stringify(entry)}`,
    );
  });
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function kebab(word: string): string {
  return word.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function camel(word: string): string {
  return word.replaceAll(/-([a-z])/g, (_, letter) => letter.toUpperCase());
}
