// The small parts that the report's page is written with.

import type { Plate } from "../gallery.ts";

/** Text as HTML shows it. */
export function escaped(text: string): string {
  const names: Record<string, string> = { "&": "amp", "<": "lt", ">": "gt", '"': "quot" };
  return text.replaceAll(/[&<>"]/g, (c) => `&${names[c]};`);
}

/** A share in per cent. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "–" : `${(100 * share).toFixed(0)}\u00a0%`;
}

/** A number in three digits. */
export function figure(x: number | null | undefined): string {
  if (x === null || x === undefined) return "–";
  return x !== 0 && Math.abs(x) < 0.001 ? x.toExponential(1) : String(Number(x.toPrecision(3)));
}

/** A picture with its bytes inside, `scale` times as large as its pixels. */
export function image(plate: Plate, { alt, scale }: { alt: string; scale: number }): string {
  const { width, height, png } = plate;
  return `<img alt="${escaped(alt)}" width="${width * scale}" height="${height * scale}" ` +
    `src="data:image/png;base64,${png.toBase64()}">`;
}

/** A table; cells are HTML already. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = (row: readonly string[], tag: string): string =>
    `<tr>${row.map((cell) => `<${tag}>${cell}</${tag}>`).join("")}</tr>`;
  return `<div class="scroll"><table><thead>${cells(head, "th")}</thead><tbody>` +
    `${rows.map((row) => cells(row, "td")).join("")}</tbody></table></div>`;
}

/** A part of the page, with what its figures mean. */
export function section(title: string, lead: string, body: string): string {
  return `<section><h2>${title}</h2><p class="lead">${lead}</p>${body}</section>`;
}
