// Options as a YAML file that people can read, change, and give to --config.

import {
  flagOf,
  type Option,
  type Options,
  placeholderOf,
  type Plugin,
  rangeOf,
} from "../plugin/mod.ts";

const WIDTH = 100;

/** What a file of options is written from. */
export interface ConfigContents {
  /** What is said at its top, a paragraph a string. */
  readonly heading: readonly string[];
  readonly options: Options;
  /** By key; an option without a value is written as a comment. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Plugins with the values of their options, by the source that they are found by. */
  readonly plugins: readonly ConfigPlugin[];
  /** Plugins that are not asked for, written as comments. */
  readonly others?: readonly ConfigPlugin[];
}

/** A plugin of a file of options. */
export interface ConfigPlugin {
  readonly source: string;
  readonly plugin: Pick<Plugin, "help" | "options">;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Every option with its help, its range, and its value. */
export function formatConfig(contents: ConfigContents): string {
  const { heading, options, values, plugins, others = [] } = contents;
  const lines = heading.flatMap((paragraph) => [...comment(paragraph), ""]);
  for (const [key, option] of Object.entries(options)) {
    lines.push(...described(option), line(flagOf(key, option), option, values[key]), "");
  }
  lines.push("# Plugins besides the classifier, in order.");
  lines.push(plugins.length === 0 && others.length === 0 ? "plugins: []" : "plugins:");
  lines.push(...plugins.flatMap((plugin) => pluginLines(plugin)));
  if (others.length > 0) {
    lines.push("  # Take the first # of a line away, and of those below that set it up otherwise.");
    lines.push(...others.flatMap((plugin) => pluginLines(plugin)).map((text) => `#${text}`));
  }
  return lines.join("\n") + "\n";
}

function pluginLines({ source, plugin, values }: ConfigPlugin): string[] {
  const options = Object.entries(plugin.options);
  const named = `  - ${scalar(source)}${options.length === 0 ? "" : ":"}`;
  return [
    ...comment(plugin.help, "  "),
    named,
    ...options.flatMap(([key, option]) => [
      ...described(option, "      "),
      `      ${line(flagOf(key, option), option, values[key])}`,
    ]),
  ];
}

/** What an option does, as comments. */
function described(option: Option, indent = ""): string[] {
  const range = option.type === "integer" || option.type === "number" ? rangeOf(option) : "";
  const choices = option.type === "choice" ? option.choices.join(", ") : "";
  const notes = [choices, range].filter((note) => note !== "").join("; ");
  // The help of what is on by itself tells what turning it off does.
  const help = option.type === "boolean" && option.default
    ? `With false: ${option.help[0].toLowerCase()}${option.help.slice(1)}`
    : option.help;
  return comment(notes ? `${help} (${notes})` : help, indent);
}

function line(word: string, option: Option, value: unknown): string {
  if (value === undefined) return `# ${word}: ${example(option)}`;
  const pairs = option.type === "list" && option.placeholder?.includes("=");
  return `${word}: ${pairs ? mapping(value as readonly string[]) : written(value)}`;
}

/** A list of `name=value` as YAML has such. */
function mapping(words: readonly string[]): string {
  const pairs = words.map((word) => word.split("=").join(": "));
  return pairs.length === 0 ? "{}" : `{ ${pairs.join(", ")} }`;
}

/** What an option's value looks like. */
function example(option: Option): string {
  if (option.type === "list") return "[]";
  if (option.type === "choice") return option.choices[0];
  return option.type === "boolean" ? "false" : `<${placeholderOf(option)}>`;
}

function written(value: unknown): string {
  return Array.isArray(value) ? `[${value.map(scalar).join(", ")}]` : scalar(value);
}

/** Words stand as they are where YAML reads them as such. */
function scalar(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  const plain = /^[A-Za-z./][\w./-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value);
  const number = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/.test(value);
  return plain || number ? value : JSON.stringify(value);
}

/** Text as comments of lines that fit. */
function comment(text: string, indent = ""): string[] {
  const lines: string[] = [];
  let line = `${indent}#`;
  for (const word of text.split(" ")) {
    if (line.length + 1 + word.length > WIDTH && line.trim() !== "#") {
      lines.push(line);
      line = `${indent}#`;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
