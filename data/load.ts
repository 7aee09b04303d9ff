// From a folder to a data set.

import type { Dataset, LabelColumn, Problem } from "./dataset.ts";
import { UserError } from "./errors.ts";
import { scanFolder } from "./folder.ts";
import { type LabelledFile, LABELS_FILE, readLabels } from "./labels.ts";
import { packPictures, sha256Hex } from "./pack.ts";

/** How `loadDataset` reads a folder. */
export interface LoadOptions {
  /** The side in pixels that every picture is cropped and resized to. */
  readonly size: number;
  /** A folder for the packed pictures; without it they are decoded each time. */
  readonly cache?: string;
  /** Whether what was decoded is written into the cache; it is unless told otherwise. */
  readonly keep?: boolean;
  /**
   * The label columns of `labels.csv` to read; by default all that are not decimal fractions. With none,
   * pictures need no labels.
   */
  readonly columns?: readonly string[];
  /** Label columns to read besides. */
  readonly also?: readonly string[];
  /** Those of the columns without which a picture is left out; in the others labels may be missing. */
  readonly required?: readonly string[];
  /** Names that label columns may not have, because the caller gives them another meaning. */
  readonly reserved?: readonly string[];
  /** How many usable pictures there must be. Default 1. */
  readonly minimum?: number;
  /** Called as pictures are decoded. */
  readonly onProgress?: (done: number, total: number) => void;
}

/**
 * Reads a folder of labelled PNG and JPEG pictures. Labels come from
 * - `labels.csv` in the folder, with the header `file,NAME,...`: a picture a row, its path from the
 *   folder and one class a column, or an empty cell where the label is missing. Columns where every value is a
 *   decimal fraction (`0.25`) are measures, and left out unless `columns` names them;
 * - or a table of attributes as CelebA has it, `list_attr*.txt` or `.csv`, of 1 and -1 (or 0);
 * - or, without such a file, the names of the folders that the pictures are in, as the column `class`.
 *
 * Each picture is cropped to its centre square and resized. Pictures that are missing, unreadable,
 * listed twice, the same as another byte for byte, or without a required label are left out and reported in
 * `problems`, in the order of their rows.
 *
 * ```ts ignore
 * const faces = await loadDataset("faces", { size: 64, cache: "runs/cache" });
 * console.log(faces.count, faces.columns[0].name, faces.columns[0].classes);
 * ```
 *
 * @throws {UserError} where the folder or `labels.csv` cannot be used, or too few pictures are left.
 */
export async function loadDataset(path: string, options: LoadOptions): Promise<Dataset> {
  const { size, minimum = 1 } = options;
  if (!Number.isInteger(size) || size < 1) {
    throw new RangeError(`Picture size must be a positive integer, got ${size}`);
  }
  const found = scanFolder(path);
  const table = readLabels(path, { ...options, found });
  const files = table.pictures.map(({ file }) => file);
  const pack = await packPictures(files, { ...options, root: path });

  const problems: Problem[] = [...table.problems];
  const kept: { picture: LabelledFile; sha256: string }[] = [];
  table.pictures.forEach((picture, i) => {
    const { file, sha256, slot, reason } = pack.entries[i];
    const leaveOut = (reason: string) => problems.push({ file, row: picture.row, reason });
    if (slot === undefined) leaveOut(reason!);
    // Slots count up in order of first use, so an earlier slot is an earlier picture's.
    else if (slot < kept.length) leaveOut(`it is the same as ${kept[slot].picture.file.file}`);
    else kept.push({ picture, sha256 });
  });
  problems.sort((a, b) => (a.row ?? Infinity) - (b.row ?? Infinity) || (a.file < b.file ? -1 : 1));
  if (kept.length < minimum) throw tooFew(path, { count: kept.length, minimum, problems });

  const columns = table.columns.map((name, column): LabelColumn => ({
    name,
    classes: [...new Set(kept.map(({ picture }) => picture.values[column]))]
      .filter((value) => value !== "").sort(),
  }));
  const labels = columns.map(({ classes }, column) => {
    const index = new Map(classes.map((name, i) => [name, i]));
    return Int32Array.from(kept, ({ picture }) => index.get(picture.values[column]) ?? -1);
  });
  const identity = [
    size,
    table.columns,
    kept.map(({ picture, sha256 }) => [sha256, picture.values]),
  ];
  const fingerprint = await sha256Hex(new TextEncoder().encode(JSON.stringify(identity)));
  const names = kept.map(({ picture }) => picture.file.file);
  return {
    count: kept.length,
    size,
    columns,
    images: pack.pixels,
    labels,
    files: names,
    problems,
    fingerprint,
  };
}

function tooFew(
  path: string,
  options: { count: number; minimum: number; problems: readonly Problem[] },
): UserError {
  const { count, minimum, problems } = options;
  const shown = problems.slice(0, 3).map(describeProblem).join("; ");
  const more = problems.length > 3 ? `; and ${problems.length - 3} more` : "";
  return new UserError(
    `Data folder ${path} has ${count} usable pictures, ${minimum} are needed` +
      (shown && `; left out: ${shown}${more}`),
  );
}

/**
 * A problem as one line, such as `a.png (labels.csv row 3): there is no such file`.
 *
 * ```ts
 * describeProblem({ file: "a.png", row: 3, reason: "there is no such file" });
 * ```
 */
export function describeProblem({ file, row, table = LABELS_FILE, reason }: Problem): string {
  const where = row === undefined ? "" : ` (${table} row ${row})`;
  return `${file || "?"}${where}: ${reason}`;
}
