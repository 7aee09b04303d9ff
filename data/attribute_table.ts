// Tables of attributes as CelebA has them: a picture a row, 1 or -1 (or 0) a column, between spaces or commas.

import { type CsvRecord, parseCsv } from "./csv.ts";
import type { FoundFile } from "./folder.ts";
import { isPictureName } from "./folder.ts";

/** What the first column of such tables is called where it is called anything. */
const FILE_NAMES = ["file", "filename", "file_name", "image", "image_id", "image_name"];

/** Whether a file is such a table, by its name: `list_attr_celeba.txt`, `list_attr.csv`. */
export function isAttributeTable(name: string): boolean {
  return /^list_attr[\w.-]*\.(txt|csv)$/i.test(name);
}

/**
 * The records of such a table as those of `labels.csv`: the header first, whose first cell is `file`. A number of
 * pictures above the header, as CelebA's own file has it, is passed over.
 *
 * @throws {SyntaxError} as {@linkcode parseCsv} does.
 */
export function parseAttributeTable(text: string): CsvRecord[] {
  const commas = text.slice(0, 4096).includes(",");
  const records = commas ? parseCsv(text) : parseSpaced(text);
  const [first] = records;
  if (first?.cells.length === 1 && /^\d+$/.test(first.cells[0].trim())) records.shift();
  const header = records[0];
  if (header === undefined) return [];
  const named = FILE_NAMES.includes(header.cells[0].trim().toLowerCase());
  // CelebA's header names the attributes alone.
  const others = named ? header.cells.slice(1) : header.cells;
  return [{ line: header.line, cells: ["file", ...others] }, ...records.slice(1)];
}

function parseSpaced(text: string): CsvRecord[] {
  return text.replace(/^\ufeff/, "").split(/\r\n|\r|\n/).flatMap((line, i) => {
    const cells = line.trim().split(/\s+/);
    return cells[0] === "" ? [] : [{ line: i + 1, cells }];
  });
}

/** What is wrong with an attribute as it is written; undefined where it is 1, -1 or 0, or missing. */
export function wrongAttribute(value: string): string | undefined {
  return /^([+-]?1|0|)$/.test(value) ? undefined : `"${value}", neither 1 nor -1 nor 0`;
}

/** Pictures by their names without folders, for tables that leave these out; names that occur twice are left out. */
export function byBareName(found: ReadonlyMap<string, FoundFile>): Map<string, FoundFile> {
  const bare = new Map<string, FoundFile>(), twice = new Set<string>();
  for (const file of found.values()) {
    if (!isPictureName(file.file)) continue;
    const name = file.file.slice(file.file.lastIndexOf("/") + 1);
    if (bare.has(name)) twice.add(name);
    bare.set(name, file);
  }
  for (const name of twice) bare.delete(name);
  return bare;
}
