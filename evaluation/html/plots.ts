// Plots as SVG: what is drawn takes its colours from the page, so that it follows light and dark.

import { escaped, figure } from "./markup.ts";

/** One line of a plot. */
export interface Series {
  readonly name: string;
  /** Which of the page's colours, from 1. */
  readonly colour: number;
  readonly dashed?: boolean;
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** How the axes of a plot are. */
export interface Axes {
  readonly x: string;
  readonly y: string;
  /** Values of x that are marked, under what names; by default round numbers. */
  readonly ticks?: readonly { readonly at: number; readonly label: string }[];
  /** Values of y that are shown in any case. */
  readonly range?: readonly [number, number];
}

/** A point of a scatter plot. */
export interface Dot {
  readonly name: string;
  readonly colour: number;
  readonly x: number;
  readonly y: number;
  /** Whether its name stands beside it. */
  readonly named?: boolean;
}

const WIDTH = 560, HEIGHT = 300;
const MARGIN = { left: 52, right: 16, top: 12, bottom: 40 };

/** Lines, each with a dot for those who point at it, and a legend. */
export function linePlot(series: readonly Series[], axes: Axes): string {
  const points = series.flatMap(({ points }) => points);
  if (points.length === 0) return "";
  const frame = frameOf(points, axes);
  const lines = series.map(({ name, colour, dashed, points }) => {
    const at = points.map(([x, y]) => `${frame.x(x)},${frame.y(y)}`).join(" ");
    const dots = points.length > 24
      ? []
      : points.map(([x, y]) =>
        `<circle cx="${frame.x(x)}" cy="${frame.y(y)}" r="3.5" class="fill${colour}">` +
        `<title>${escaped(name)}: ${figure(y)}</title></circle>`
      );
    return `<polyline points="${at}" class="stroke${colour}${dashed ? " dashed" : ""}">` +
      `<title>${escaped(name)}</title></polyline>${dots.join("")}`;
  });
  const legend = series.map(({ name, colour, dashed }) =>
    `<li><svg width="22" height="8"><line x1="1" x2="21" y1="4" y2="4" ` +
    `class="stroke${colour}${dashed ? " dashed" : ""}"/></svg>${escaped(name)}</li>`
  );
  return plot(frame.axes + lines.join(""), axes) + `<ul class="legend">${legend.join("")}</ul>`;
}

/** Room that a name takes beside its dot. */
const NAME = { width: 110, height: 14 };

/** Dots beside the line on which y is x; a name that would lie on an earlier one is left out. */
export function scatterPlot(dots: readonly Dot[], axes: Axes): string {
  if (dots.length === 0) return "";
  const values = dots.flatMap(({ x, y }) => [x, y]);
  const least = Math.min(...values),
    most = Math.max(...values),
    room = (most - least) * 0.08 || 0.1;
  const ends = [least - room, most + room] as const;
  const frame = frameOf([[ends[0], ends[0]], [ends[1], ends[1]]], axes);
  const names: Dot[] = [];
  for (const dot of dots.filter(({ named }) => named)) {
    const free = names.every(({ x, y }) =>
      Math.abs(frame.x(x) - frame.x(dot.x)) > NAME.width ||
      Math.abs(frame.y(y) - frame.y(dot.y)) > NAME.height
    );
    if (free) names.push(dot);
  }
  const drawn = dots.map(({ name, colour, x, y }) =>
    `<circle cx="${frame.x(x)}" cy="${frame.y(y)}" r="5" class="fill${colour} dot">` +
    `<title>${escaped(name)}: real ${figure(x)}, samples ${figure(y)}</title></circle>`
  );
  const named = names.map(({ name, x, y }) => {
    // To the left, for the diagonal is on the right; but not past the axis.
    const left = frame.x(x) - NAME.width > MARGIN.left;
    const place = left
      ? `x="${frame.x(x) - 9}" class="end"`
      : `x="${frame.x(x) + 9}" class="start"`;
    return `<text y="${frame.y(y) + 4}" ${place}>${escaped(name)}</text>`;
  });
  const diagonal = `<line x1="${frame.x(ends[0])}" y1="${frame.y(ends[0])}" x2="${
    frame.x(ends[1])
  }" y2="${frame.y(ends[1])}" class="guide"/>`;
  return plot(frame.axes + diagonal + drawn.join("") + named.join(""), axes);
}

function plot(inside: string, { x, y }: Axes): string {
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" class="plot">${inside}` +
    `<text x="${(MARGIN.left + WIDTH - MARGIN.right) / 2}" y="${HEIGHT - 4}" class="axis middle">` +
    `${escaped(x)}</text><text transform="translate(12 ${
      (MARGIN.top + HEIGHT - MARGIN.bottom) / 2
    }) rotate(-90)" class="axis middle">${escaped(y)}</text></svg>`;
}

interface Frame {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly axes: string;
}

function frameOf(points: readonly (readonly [number, number])[], axes: Axes): Frame {
  const xs = points.map(([x]) => x), ys = [...points.map(([, y]) => y), ...(axes.range ?? [])];
  const [x0, x1] = ends(xs), yTicks = roundTicks(...ends(ys));
  const y0 = Math.min(yTicks[0], ...ys), y1 = Math.max(yTicks[yTicks.length - 1], ...ys);
  const right = WIDTH - MARGIN.right, bottom = HEIGHT - MARGIN.bottom;
  const place = (x: number): number => Math.round(10 * x) / 10;
  const x = (value: number) =>
    place(MARGIN.left + (value - x0) / (x1 - x0) * (right - MARGIN.left));
  const y = (value: number) => place(bottom - (value - y0) / (y1 - y0) * (bottom - MARGIN.top));
  const across = yTicks.map((tick) =>
    `<line x1="${MARGIN.left}" x2="${right}" y1="${y(tick)}" y2="${y(tick)}" class="grid"/>` +
    `<text x="${MARGIN.left - 6}" y="${y(tick) + 4}" class="axis end">${figure(tick)}</text>`
  );
  const ticks = axes.ticks ??
    roundTicks(x0, x1).filter((at) => at >= x0 && at <= x1).map((at) => ({ at, label: short(at) }));
  const along = ticks.map(({ at, label }) =>
    `<text x="${x(at)}" y="${bottom + 16}" class="axis middle">${escaped(label)}</text>`
  );
  return { x, y, axes: across.join("") + along.join("") };
}

/** The least and the greatest number, apart from each other in any case. */
function ends(numbers: readonly number[]): [number, number] {
  const least = Math.min(...numbers), most = Math.max(...numbers);
  return least < most ? [least, most] : [least - 0.5, most + 0.5];
}

/** Some five round numbers that cover a range. */
function roundTicks(from: number, to: number): number[] {
  const rough = (to - from) / 5, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough)!;
  const start = Math.floor(from / step), end = Math.ceil(to / step);
  return Array.from(
    { length: end - start + 1 },
    (_, i) => Number(((start + i) * step).toPrecision(12)),
  );
}

function short(x: number): string {
  return Math.abs(x) >= 10_000 ? `${figure(x / 1000)}k` : String(x);
}
