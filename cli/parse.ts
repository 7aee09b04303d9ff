import { parseArgs } from "@std/cli/parse-args";
import { UserError } from "../data/mod.ts";
import {
  flagOf,
  flagsOf,
  type Option,
  type Options,
  parseValue,
  type Positionals,
} from "../plugin/mod.ts";
import { didYouMean } from "../plugin/mod.ts";

/** A command line, read against a declaration. */
export interface Parsed {
  /** Every option: given, by default, or `undefined`. */
  readonly options: Readonly<Record<string, unknown>>;
  /** Only those options that were given. */
  readonly given: Readonly<Record<string, unknown>>;
  readonly positionals: Readonly<Record<string, string | undefined>>;
}

/**
 * Reads the arguments of a command.
 *
 * @throws {UserError} for an unknown flag (naming the nearest known one), a value that does not fit,
 * a positional argument too many or too few.
 */
export function parseCommandLine(
  args: readonly string[],
  declared: {
    readonly options: Options;
    readonly positionals: Positionals;
    /** Values that were given elsewhere; flags go before them. */
    readonly values?: Readonly<Record<string, unknown>>;
  },
): Parsed {
  const { values = {} } = declared;
  const { flags, words, unknown } = split(args, declared.options);
  if (unknown[0] !== undefined) throw unknownFlag(unknown[0], declared.options);
  const given: Record<string, unknown> = {};
  const options: Record<string, unknown> = {};
  for (const [key, option] of Object.entries(declared.options)) {
    const value = valueOf(flags, flagOf(key, option));
    if (value !== undefined) given[key] = readFlag(key, option, value);
    else if (values[key] !== undefined) given[key] = values[key];
    options[key] = given[key] ?? option.default ?? (option.type === "boolean" ? false : undefined);
  }
  return { options, given, positionals: matchPositionals(words, declared.positionals) };
}

/**
 * The positional arguments alone, before all options are known: a flag that is not declared is
 * taken to be followed by its value.
 */
export function parsePositionals(
  args: readonly string[],
  declared: { readonly options: Options; readonly positionals: Positionals },
): Parsed["positionals"] {
  return matchPositionals(split(args, declared.options).words, declared.positionals);
}

/** The text or state of a flag alone, before all options are known; undefined where it was not given. */
export function parseFlag(
  args: readonly string[],
  declared: { readonly options: Options },
  key: string,
): unknown {
  const option = declared.options[key];
  const value = valueOf(split(args, declared.options).flags, flagOf(key, option));
  return value === undefined ? undefined : readFlag(key, option, value);
}

/** Takes flags and words apart. Values stay text; booleans are booleans. */
function split(args: readonly string[], options: Options) {
  const booleans: string[] = [];
  const strings: string[] = ["_"];
  const alias: Record<string, string> = {};
  for (const [key, option] of Object.entries(options)) {
    const flag = flagOf(key, option);
    (option.type === "boolean" ? booleans : strings).push(flag);
    if (option.short) alias[flag] = option.short;
  }
  const unknown: string[] = [];
  const flags = parseArgs(joinNegativeNumbers(args), {
    boolean: booleans,
    negatable: booleans,
    string: strings,
    alias,
    // A boolean that was not given must not read as one that was cleared.
    default: Object.fromEntries(booleans.map((name) => [name, undefined])),
    unknown(arg, key) {
      if (key === undefined) return true; // A word.
      unknown.push(arg.replace(/=.*/s, ""));
      return false;
    },
  });
  // parseArgs reads any `--flip=text` but `false` as true.
  for (const arg of args) {
    const [, name, text] = arg.match(/^--([^=]+)=(.*)$/s) ?? [];
    if (name !== undefined && booleans.includes(name) && text !== "true" && text !== "false") {
      throw new UserError(
        `--${name} is set by --${name} and cleared by --no-${name}, not by ${text}`,
      );
    }
  }
  return { flags, words: flags._.map(String), unknown };
}

/** What was given for a flag; of `--a.b`, parseArgs makes an object in an object. */
function valueOf(flags: unknown, flag: string): unknown {
  return flag.split(".").reduce(
    (found, part) => (found as Record<string, unknown> | undefined)?.[part],
    flags,
  );
}

/** `--tilt -0.5` as `--tilt=-0.5`: parseArgs takes what starts with a dash for another flag. */
function joinNegativeNumbers(args: readonly string[]): string[] {
  const joined: string[] = [];
  for (const arg of args) {
    const previous = joined.at(-1);
    if (/^-\.?\d/.test(arg) && previous !== undefined && /^--?[a-z][^=]*$/i.test(previous)) {
      joined[joined.length - 1] = `${previous}=${arg}`;
    } else {
      joined.push(arg);
    }
  }
  return joined;
}

function readFlag(key: string, option: Option, value: unknown): unknown {
  return typeof value === "string" ? parseValue(`--${flagOf(key, option)}`, option, value) : value;
}

function unknownFlag(flag: string, options: Options): UserError {
  const known = flagsOf(options).filter((name) => name.length > 1).map((name) => `--${name}`);
  const meant = didYouMean(flag, known);
  const [start, plugin] = flag.match(/^--(.+?)\./) ?? [];
  const missing = meant === "" && start && !known.some((name) => name.startsWith(start));
  const advice = missing && known.includes("--plugin")
    ? `it needs --plugin ${plugin}`
    : "--help lists them all";
  return new UserError(`Unknown option ${flag}${meant}; ${advice}`);
}

function matchPositionals(words: readonly string[], positionals: Positionals) {
  const names = Object.keys(positionals);
  if (words.length > names.length) {
    const expected = names.length === 0 ? "none is expected" : `expected ${names.join(" ")}`;
    throw new UserError(`Unexpected argument ${words[names.length]}: ${expected}`);
  }
  const values: Record<string, string | undefined> = {};
  for (const [i, name] of names.entries()) {
    if (words[i] === undefined && !positionals[name].optional) {
      throw new UserError(`Missing ${name}: ${positionals[name].help}`);
    }
    values[name] = words[i];
  }
  return values;
}
