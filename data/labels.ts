// Which pictures there are, and what their labels are: from a table such as `labels.csv`, or from folder names.

import {
  byBareName,
  isAttributeTable,
  parseAttributeTable,
  wrongAttribute,
} from "./attribute_table.ts";
import { type CsvRecord, parseCsv } from "./csv.ts";
import type { Problem } from "./dataset.ts";
import { UserError } from "./errors.ts";
import { type FoundFile, isPictureName } from "./folder.ts";

/** The name of the file of labels in a data folder. */
export const LABELS_FILE = "labels.csv";

/** A picture with one value for each column, empty where it is missing. */
export interface LabelledFile {
  readonly file: FoundFile;
  readonly row?: number;
  readonly values: readonly string[];
}

/** Every picture, by file name, and what was left out. */
export interface LabelTable {
  readonly columns: readonly string[];
  readonly pictures: readonly LabelledFile[];
  readonly problems: readonly Problem[];
}

interface ReadOptions {
  readonly found: ReadonlyMap<string, FoundFile>;
  readonly columns?: readonly string[];
  readonly also?: readonly string[];
  readonly required?: readonly string[];
  readonly reserved?: readonly string[];
}

/** Reads the labels of the files `found` under `root`; see `loadDataset` for the rules. */
export function readLabels(
  root: string,
  options: ReadOptions,
): LabelTable {
  const { found } = options;
  if (![...found.keys()].some(isPictureName)) {
    throw new UserError(`Data folder ${root} holds no PNG or JPEG pictures`);
  }
  const { columns, also = [] } = options;
  const name = found.has(LABELS_FILE) ? LABELS_FILE : [...found.keys()].find(isAttributeTable);
  const table = columns?.length === 0 && also.length === 0
    ? withoutLabels(found)
    : name !== undefined
    ? readTable(root, { ...options, name })
    : readClassFolders(root, found);
  const byName = (a: LabelledFile, b: LabelledFile) => a.file.file < b.file.file ? -1 : 1;
  return { ...table, pictures: table.pictures.toSorted(byName) };
}

function withoutLabels(found: ReadonlyMap<string, FoundFile>): LabelTable {
  const pictures = [...found.values()].filter(({ file }) => isPictureName(file));
  return { columns: [], pictures: pictures.map((file) => ({ file, values: [] })), problems: [] };
}

function readClassFolders(root: string, found: ReadonlyMap<string, FoundFile>): LabelTable {
  const pictures: LabelledFile[] = [];
  const problems: Problem[] = [];
  for (const file of found.values()) {
    if (!isPictureName(file.file)) continue;
    const slash = file.file.indexOf("/");
    if (slash < 0) problems.push({ file: file.file, reason: "it is not in the folder of a class" });
    else pictures.push({ file, values: [file.file.slice(0, slash)] });
  }
  if (new Set(pictures.map(({ values }) => values[0])).size < 2) {
    throw new UserError(
      `Data folder ${root} has no labels: add ${LABELS_FILE} with the header file,NAME,... ` +
        `or put the pictures into two or more folders named after their classes`,
    );
  }
  return { columns: ["class"], pictures, problems };
}

/** Reads the table that is called `name`. */
function readTable(root: string, options: ReadOptions & { readonly name: string }): LabelTable {
  const { name: table, found, also = [], required = [], reserved = [] } = options;
  const path = `${root}/${table}`, ofAttributes = table !== LABELS_FILE;
  const records = readRecords(path, ofAttributes ? parseAttributeTable : parseCsv);
  const header = readHeader(path, records[0]);
  const rows = records.slice(1);
  const classes = options.columns ?? categoricalColumns(header, rows);
  const columns = [...new Set([...classes, ...also])];
  for (const name of columns) {
    if (name !== "file" && header.includes(name)) continue;
    const names = header.filter((column) => column !== "file").join(", ");
    throw new UserError(`${path} has no label column "${name}"; it has ${names || "none"}`);
  }
  if (columns.length === 0) {
    throw new UserError(
      `${path} has no column of classes beside "file": add one, such as file,hair, ` +
        `or name columns of numbers that are to be read as classes`,
    );
  }
  for (const name of columns) checkName(path, { name, reserved });

  const fileCell = header.indexOf("file");
  const bare = ofAttributes ? byBareName(found) : undefined;
  const cellOf = columns.map((name) => header.indexOf(name));
  const pictures: LabelledFile[] = [];
  const problems: Problem[] = [];
  const listed = new Map<string, number>();
  for (const { line: row, cells } of rows) {
    const name = relativeName(cells[fileCell] ?? "");
    const leaveOut = (reason: string) =>
      problems.push({ file: name, row, reason, ...(ofAttributes && { table }) });
    const file = found.get(name) ?? bare?.get(name);
    const earlier = listed.get(file?.file ?? name);
    const values = cellOf.map((cell) => (cells[cell] ?? "").trim());
    const empty = values.findIndex((value, k) => value === "" && required.includes(columns[k]));
    const wrong = ofAttributes ? values.map(wrongAttribute) : [];
    const wrongAt = wrong.findIndex((reason) => reason !== undefined);
    if (earlier === undefined) listed.set(file?.file ?? name, row);
    if (name === "") leaveOut("the row names no file");
    else if (cells.length !== header.length) {
      leaveOut(`the row has ${cells.length} cells and the header ${header.length}`);
    } else if (earlier !== undefined) leaveOut(`row ${earlier} lists it already`);
    else if (file === undefined) leaveOut("there is no such file");
    else if (empty >= 0) leaveOut(`it has no label for ${columns[empty]}`);
    else if (wrongAt >= 0) leaveOut(`its ${columns[wrongAt]} is ${wrong[wrongAt]}`);
    else pictures.push({ file, row, values });
  }
  for (const file of found.keys()) {
    if (isPictureName(file) && !listed.has(file)) {
      problems.push({ file, reason: `${table} does not list it` });
    }
  }
  return { columns, pictures, problems };
}

/** Names become options, parts of file names, and names of weights. */
function checkName(
  path: string,
  { name, reserved }: { name: string; reserved: readonly string[] },
): void {
  const why = !/^[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]*$/u.test(name)
    ? "whose name has more than letters, digits, _ and -"
    : reserved.includes(name) || name in {}
    ? "whose name is taken"
    : undefined;
  if (why === undefined) return;
  throw new UserError(
    `${path} has a label column "${name}", ${why}: rename it, or leave it out with --columns`,
  );
}

function readRecords(path: string, parse: (text: string) => CsvRecord[]): CsvRecord[] {
  try {
    return parse(new TextDecoder("utf-8", { fatal: true }).decode(Deno.readFileSync(path)));
  } catch (error) {
    if (error instanceof SyntaxError) {
      throw new UserError(`${path} is not valid CSV: ${error.message}`);
    }
    if (error instanceof TypeError) throw new UserError(`${path} is not UTF-8 text`);
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new UserError(`${path} cannot be read: permission denied`);
    }
    throw error;
  }
}

function readHeader(path: string, record: CsvRecord | undefined): string[] {
  if (record === undefined) throw new UserError(`${path} is empty: its first row must be file,...`);
  const header = record.cells.map((cell) => cell.trim());
  if (!header.includes("file")) {
    const row = record.cells.join(",");
    const hint = header.length === 1 && row.includes(";") ? " (separate cells by commas)" : "";
    throw new UserError(
      `${path} has no column "file": its first row must name the columns, ` +
        `such as file,hair,eyes, and reads ${row.slice(0, 60)}${hint}`,
    );
  }
  const repeated = header.find((name, i) => name === "" || header.indexOf(name) !== i);
  if (repeated !== undefined) {
    throw new UserError(`${path} has two columns named "${repeated}", or one without a name`);
  }
  return header;
}

/**
 * The columns that are labels unless told otherwise: all but those where every value is written as a
 * decimal fraction (0.25, -1.0), which are measures and not names of classes, and those without any value. Whole
 * numbers are names.
 */
function categoricalColumns(header: readonly string[], rows: readonly CsvRecord[]): string[] {
  const isFraction = (cell = "") => /^\s*[+-]?\d*\.\d+(e[+-]?\d+)?\s*$/i.test(cell);
  return header.filter((name, cell) => {
    const values = rows.map(({ cells }) => cells[cell]).filter((value) => value?.trim());
    return name !== "file" && !values.every(isFraction);
  });
}

function relativeName(cell: string): string {
  return cell.trim().replaceAll("\\", "/").replace(/^(\.\/)+/, "");
}
