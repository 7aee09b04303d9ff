// The pictures of a report.

import { encodePng, grid, type LabelColumn } from "../data/mod.ts";
import { interpolate } from "../training/mod.ts";
import type { PictureSource } from "../plugin/mod.ts";
import { type LabelledPictures, pick } from "./pictures.ts";

/** A PNG with its size in pixels. */
export interface Plate {
  readonly png: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** A training picture that is the nearest to a sample. */
export interface Neighbour {
  /** By its place among training pictures. */
  readonly index: number;
  readonly mirrored: boolean;
  readonly distance: number;
  readonly plate: Plate;
}

/** Everything that is shown. */
export interface Gallery {
  /** For each label column, a strip of samples and one of real pictures a class; undefined where there are none. */
  readonly classes: Readonly<
    Record<string, readonly { name: string; samples?: Plate; real?: Plate }[]>
  >;
  /** One noise vector a row, one value of a condition a column. */
  readonly across: readonly { condition: string; labels: readonly string[]; plate: Plate }[];
  /** One way from a picture to another a row. */
  readonly interpolations: Plate;
  /** Samples that are nearest to a training picture, in pixels. */
  readonly nearest: readonly { sample: Plate; pixels: Neighbour; features: Neighbour }[];
}

/** Pictures in a strip of samples, and in one of real pictures. */
const STRIP = { samples: 8, real: 4 };
/** Rows of the sheet of one condition, and of ways from one picture to another. */
const ROWS = 5, WAYS = 4, FRAMES = 12;

/** Lays pictures side by side, `columns` a row. */
export async function plate(images: Uint8Array, size: number, columns: number): Promise<Plate> {
  const { rgb, width, height } = grid(images, { size, columns, padding: 0 });
  return { png: await encodePng(rgb, { width, height }), width, height };
}

/** Strips of each class of each column. */
export async function classStrips(
  columns: readonly LabelColumn[],
  sets: { samples: LabelledPictures; real: LabelledPictures },
): Promise<Gallery["classes"]> {
  const result: Record<string, { name: string; samples?: Plate; real?: Plate }[]> = {};
  for (const { name: column, classes } of columns) {
    result[column] = await Promise.all(classes.map(async (name, label) => ({
      name,
      samples: await strip(sets.samples, { column, label, count: STRIP.samples }),
      real: await strip(sets.real, { column, label, count: STRIP.real }),
    })));
  }
  return result;
}

async function strip(
  pictures: LabelledPictures,
  { column, label, count }: { column: string; label: number; count: number },
): Promise<Plate | undefined> {
  const picks: number[] = [];
  const labels = pictures.labels[column];
  for (let i = 0; i < labels.length && picks.length < count; i++) {
    if (labels[i] === label) picks.push(i);
  }
  if (picks.length === 0) return undefined;
  return await plate(pick(pictures, picks).images, pictures.size, picks.length);
}

/** For each condition, the same noise and other values along a row, one value of the condition a column. */
export async function acrossValues(
  source: PictureSource,
  { seed }: { seed: number },
): Promise<Gallery["across"]> {
  const rows = await source.requests(Array.from({ length: ROWS }, (_, i) => seed + i));
  return await Promise.all(source.conditions.map(async ({ name, showcase }, index) => {
    const shown = showcase.call(source.conditions[index]);
    const requests = rows.flatMap(({ z, values }) =>
      shown.map(({ value }) => ({ z, values: values.with(index, value) }))
    );
    const images = await source.draw(requests);
    return {
      condition: name,
      labels: shown.map(({ label }) => label),
      plate: await plate(images, source.size, shown.length),
    };
  }));
}

/** Ways from the picture of one seed to that of the next. */
export async function interpolations(
  source: PictureSource,
  { seed }: { seed: number },
): Promise<Plate> {
  const ends = await source.requests(Array.from({ length: 2 * WAYS }, (_, i) => seed + i));
  const requests = Array.from(
    { length: WAYS },
    (_, i) => {
      const [from, to] = [ends[2 * i], ends[2 * i + 1]];
      const way = { conditions: source.conditions, frames: FRAMES };
      return interpolate([from, { ...to, values: from.values }], way);
    },
  ).flat();
  return await plate(await source.draw(requests), source.size, FRAMES);
}
