/** Rows of cells as columns; of some, by their place, the cells stand to the right. */
export function columns(
  rows: readonly (readonly string[])[],
  { numeric }: { numeric: readonly number[] },
): string {
  const widths = rows[0].map((_, at) => Math.max(...rows.map((row) => row[at].length)));
  return rows.map((row) =>
    row.map((cell, at) =>
      numeric.includes(at) ? cell.padStart(widths[at]) : cell.padEnd(widths[at])
    ).join("  ").trimEnd()
  ).join("\n");
}
