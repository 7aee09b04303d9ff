/**
 * What a command takes: its options and positional arguments, declared once. From the declaration
 * follow the types of the values, the checks, the messages and `--help`.
 *
 * A key in camel case is a flag in kebab case: `classOn` is `--class-on`. A boolean `flip` is set by
 * `--flip` and cleared by `--no-flip`.
 */

import { UserError } from "../data/mod.ts";
import { didYouMean } from "./suggest.ts";

/** What every option has. */
export interface Described {
  /** One line for `--help`. */
  readonly help: string;
  /** A letter that stands for the flag: `-n`. */
  readonly short?: string;
  /** The flag without its dashes, where it is not the key in kebab case. */
  readonly flag?: string;
}

/** Any text, a path for instance. */
export interface StringOption extends Described {
  /** How its values are read and checked. */
  readonly type: "string";
  /** Its value where none is given. */
  readonly default?: string;
  /** What `--help` calls the value; "text" where it is not given. */
  readonly placeholder?: string;
}

/** A number, whole or not, within `min` and `max`, both included. */
export interface NumberOption extends Described {
  /** How its values are read and checked. */
  readonly type: "integer" | "number";
  /** Its value where none is given. */
  readonly default?: number;
  /** The least value. */
  readonly min?: number;
  /** The greatest value. */
  readonly max?: number;
}

/** On or off; off where no default is given. */
export interface BooleanOption extends Described {
  /** How its values are read and checked. */
  readonly type: "boolean";
  /** Its value where none is given. */
  readonly default?: boolean;
}

/** One of a few words. */
export interface ChoiceOption extends Described {
  /** How its values are read and checked. */
  readonly type: "choice";
  /** The words that can be chosen. */
  readonly choices: readonly string[];
  /** Its value where none is given. */
  readonly default?: string;
}

/** Words with commas between them, out of a few where `choices` are given. */
export interface ListOption extends Described {
  /** How its values are read and checked. */
  readonly type: "list";
  /** The words that can be chosen. */
  readonly choices?: readonly string[];
  /** Its value where none is given. */
  readonly default?: readonly string[];
  /** What `--help` calls the value; "a,b" where it is not given. */
  readonly placeholder?: string;
}

/** One option of a command. */
export type Option = StringOption | NumberOption | BooleanOption | ChoiceOption | ListOption;

/** The options of a command by key. */
export type Options = Readonly<Record<string, Option>>;

/** The value of one option. */
export type OptionValue<O extends Option> = O extends ChoiceOption ? O["choices"][number]
  : O extends StringOption ? string
  : O extends NumberOption ? number
  : O extends BooleanOption ? boolean
  : O extends { choices: readonly (infer Word)[] } ? readonly Word[]
  : readonly string[];

/** The values of all options; `undefined` where one was neither given nor has a default. */
export type OptionValues<O extends Options> = {
  readonly [K in keyof O]: O[K] extends { default: unknown } | { type: "boolean" }
    ? OptionValue<O[K]>
    : OptionValue<O[K]> | undefined;
};

/** The values of those options that were given. */
export type GivenValues<O extends Options> = { readonly [K in keyof O]?: OptionValue<O[K]> };

/** Positional arguments by key, in order. Those that may be left out come last. */
export type Positionals = Readonly<
  Record<string, { readonly help: string; readonly optional?: boolean }>
>;

/** The values of the positional arguments. */
export type PositionalValues<P extends Positionals> = {
  readonly [K in keyof P]: P[K] extends { optional: true } ? string | undefined : string;
};

/** An option's flag without its dashes: `class-on` of the key `classOn`. */
export function flagOf(key: string, option: Option): string {
  return option.flag ?? key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** Every word that means something after one or two dashes, `help` included. */
export function flagsOf(options: Options): string[] {
  return ["help"].concat(
    ...Object.entries(options).map(([key, option]) => {
      const flag = flagOf(key, option);
      const short = option.short ? [option.short] : [];
      return option.type === "boolean" ? [flag, `no-${flag}`, ...short] : [flag, ...short];
    }),
  );
}

/**
 * Checks a value that comes from somewhere else than the command line, a YAML file for instance, and
 * returns it.
 *
 * @param name What messages call the option: `--steps`, `kao.yaml: steps`.
 * @throws {UserError} where it does not fit the option.
 */
export function checkValue<O extends Option>(
  name: string,
  option: O,
  value: unknown,
): OptionValue<O>;
export function checkValue(name: string, option: Option, value: unknown): OptionValue<Option> {
  switch (option.type) {
    case "boolean":
      if (typeof value === "boolean") return value;
      throw new UserError(`${name} must be true or false, not ${show(value)}`);
    case "string":
      if (typeof value === "string" && value !== "") return value;
      throw new UserError(`${name} must be ${article(placeholderOf(option))}, not ${show(value)}`);
    case "list":
      if (Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "")) {
        const { choices = value } = option;
        const wrong = value.find((item) => !choices.includes(item));
        if (wrong === undefined) return value;
        throw new UserError(
          `${name} takes ${choices.join(", ")}, not ${show(wrong)}${didYouMean(wrong, choices)}`,
        );
      }
      throw new UserError(`${name} must be a list of words, not ${show(value)}`);
    case "choice":
      return checkChoice(name, option, value);
    case "integer":
    case "number":
      return checkNumber(name, option, value);
  }
}

/** Reads the text that follows a flag. Throws a `UserError` where it does not fit the option. */
export function parseValue(name: string, option: Option, text: string): OptionValue<Option> {
  if (text === "") throw new UserError(`${name} needs a value: ${name} <${placeholderOf(option)}>`);
  switch (option.type) {
    case "integer":
    case "number": {
      const value = Number(text);
      return checkNumber(name, option, Number.isNaN(value) || text.trim() === "" ? text : value);
    }
    case "list":
      return checkValue(name, option, text.split(",").map((item) => item.trim()));
    default:
      return checkValue(name, option, text);
  }
}

/** What `--help` calls an option's value. */
export function placeholderOf(option: Option): string {
  switch (option.type) {
    case "boolean":
      return "true|false";
    case "choice":
      return option.choices.join("|");
    case "list":
      return option.placeholder ?? option.choices?.join(",") ?? "a,b";
    case "string":
      return option.placeholder ?? "text";
    default:
      return option.type;
  }
}

/** The range of a number in words: `at least 1`, `from 0 to 1`; empty where there is none. */
export function rangeOf(option: NumberOption): string {
  const { min, max } = option;
  if (min !== undefined && max !== undefined) return `from ${min} to ${max}`;
  if (min !== undefined) return `at least ${min}`;
  if (max !== undefined) return `at most ${max}`;
  return "";
}

function checkChoice(name: string, option: ChoiceOption, value: unknown): string {
  if (typeof value === "string" && option.choices.includes(value)) return value;
  const meant = typeof value === "string" ? didYouMean(value, option.choices) : "";
  throw new UserError(
    `${name} must be one of ${option.choices.join(", ")}, not ${show(value)}${meant}`,
  );
}

function checkNumber(name: string, option: NumberOption, value: unknown): number {
  const kind = option.type === "integer" ? "a whole number" : "a number";
  const range = rangeOf(option);
  const fits = typeof value === "number" && Number.isFinite(value) &&
    (option.type === "number" || Number.isSafeInteger(value)) &&
    value >= (option.min ?? -Infinity) && value <= (option.max ?? Infinity);
  if (fits) return value;
  throw new UserError(`${name} must be ${kind}${range && ` ${range}`}, not ${show(value)}`);
}

function show(value: unknown): string {
  if (typeof value === "string") return value === "" ? "empty" : value;
  return JSON.stringify(value) ?? "nothing";
}

function article(noun: string): string {
  return `${/^[aeiou]/.test(noun) ? "an" : "a"} ${noun}`;
}
