// CSV as RFC 4180 has it, and read as spreadsheets write it: a byte order mark, CRLF, CR or LF, blank lines.

/** One record, and the line of the file that it starts on; the first line is 1. */
export interface CsvRecord {
  readonly line: number;
  readonly cells: string[];
}

/**
 * Splits CSV text into records. Cells may be quoted, and then hold commas, line breaks and doubled
 * quotes. Blank lines are left out.
 *
 * ```ts
 * parseCsv('a,"b, c"\r\n'); // [{ line: 1, cells: ["a", "b, c"] }]
 * ```
 *
 * @throws {SyntaxError} where a quoted cell is never closed.
 */
export function parseCsv(text: string): CsvRecord[] {
  const records: CsvRecord[] = [];
  const end = text.length;
  let at = text.startsWith("\ufeff") ? 1 : 0;
  let line = 1;
  while (at < end) {
    const start = line;
    const cells: string[] = [];
    for (;;) {
      let cell = "";
      if (text[at] === '"') {
        for (;;) {
          const close = text.indexOf('"', at + 1);
          if (close < 0) throw new SyntaxError(`line ${start}: a quote is opened and never closed`);
          cell += text.slice(at + 1, close);
          at = close + 1;
          if (text[at] !== '"') break;
          cell += '"';
        }
        line += cell.split(/\r\n|\r|\n/).length - 1;
      }
      // What follows a closing quote up to the comma is kept as it stands.
      const from = at;
      while (at < end && text[at] !== "," && text[at] !== "\n" && text[at] !== "\r") at++;
      cells.push(cell + text.slice(from, at));
      if (text[at] !== ",") break;
      at++;
    }
    if (text[at] === "\r" && text[at + 1] === "\n") at++;
    at++;
    line++;
    if (cells.length > 1 || cells[0].trim() !== "") records.push({ line: start, cells });
  }
  return records;
}

/**
 * One record with its line break, LF. Cells with commas, quotes, line breaks or outer spaces are quoted.
 *
 * ```ts
 * formatCsv(["a", "b, c"]); // 'a,"b, c"\n'
 * ```
 */
export function formatCsv(cells: readonly string[]): string {
  const quoted = cells.map((cell) =>
    /[",\r\n]|^\s|\s$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell
  );
  return `${quoted.join(",")}\n`;
}
