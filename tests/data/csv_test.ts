import { assertEquals, assertThrows } from "@std/assert";
import { formatCsv, parseCsv } from "../../data/csv.ts";

Deno.test("A CSV of a spreadsheet is read: byte order mark, CRLF, no end of the last line", () => {
  assertEquals(parseCsv("\ufefffile,hair\r\na.png,pink\r\nb.png,"), [
    { line: 1, cells: ["file", "hair"] },
    { line: 2, cells: ["a.png", "pink"] },
    { line: 3, cells: ["b.png", ""] },
  ]);
});

Deno.test("Quoted cells hold commas, doubled quotes and line breaks, and lines stay counted", () => {
  assertEquals(parseCsv('"a, b","say ""hi"""\n\n"two\r\nlines",x\ny,""\n'), [
    { line: 1, cells: ["a, b", 'say "hi"'] },
    { line: 3, cells: ["two\r\nlines", "x"] },
    { line: 5, cells: ["y", ""] },
  ]);
});

Deno.test("A quote that is never closed names the line that opens it", () => {
  assertThrows(() => parseCsv('a\n"b\nc\n'), SyntaxError, "line 2");
});

Deno.test("What is written as CSV is read as it was", () => {
  const rows = [["file", "hair"], ["a, b.png", 'say "hi"'], [" spaced ", "two\nlines"], ["x", ""]];
  const read = parseCsv(rows.map(formatCsv).join(""));
  assertEquals(read.map(({ cells }) => cells), rows);
  assertEquals(formatCsv(["plain", "one word"]), "plain,one word\n");
});
