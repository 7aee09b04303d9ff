import {
  flagOf,
  type Option,
  type Options,
  placeholderOf,
  type Positionals,
  rangeOf,
} from "../plugin/mod.ts";

/** The text of `kao NAME --help`. */
export function helpOf(declared: {
  readonly name: string;
  readonly summary: string;
  readonly positionals: Positionals;
  readonly options: Options;
}): string {
  const words = Object.entries(declared.positionals);
  const usage = words.map(([name, { optional }]) => optional ? ` [${name}]` : ` <${name}>`).join(
    "",
  );
  const rows = [
    ...words.map(([name, { help }]): Row => [`  ${name}`, help]),
    ...optionRows(declared.options),
    ["  --help", "Show this"] satisfies Row,
  ];
  return `${declared.summary}\n\nUsage: kao ${declared.name}${usage} [options]\n\n${table(rows)}`;
}

/** A flag a row, with what it does, its range and its default. */
export function optionRows(options: Options): Row[] {
  return Object.entries(options).map(([key, option]): Row => [
    `  ${flagText(key, option)}`,
    option.help + notes(option),
  ]);
}

/** What is on the left, and on the right. */
export type Row = readonly [string, string];

/** Two columns, the first as wide as its widest row, but a row too wide for it stands on its own line. */
export function table(rows: readonly Row[]): string {
  const widest = 34;
  const width = Math.max(...rows.map(([left]) => left.length <= widest ? left.length : 0)) + 2;
  return rows.map(([left, right]) =>
    left.length <= widest ? left.padEnd(width) + right : `${left}\n${" ".repeat(width)}${right}`
  ).join("\n");
}

function flagText(key: string, option: Option): string {
  const short = option.short ? `-${option.short}, ` : "";
  if (option.type === "boolean") {
    return option.default ? `--no-${flagOf(key, option)}` : `${short}--${flagOf(key, option)}`;
  }
  return `${short}--${flagOf(key, option)} <${placeholderOf(option)}>`;
}

function notes(option: Option): string {
  const parts: string[] = [];
  if (option.type === "integer" || option.type === "number") parts.push(rangeOf(option));
  if (option.type !== "boolean" && option.default !== undefined) {
    parts.push(`default ${option.default}`);
  }
  const text = parts.filter((part) => part !== "").join(", ");
  return text === "" ? "" : ` (${text})`;
}
