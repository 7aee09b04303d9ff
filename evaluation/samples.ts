import { HostGenerator } from "../engine/mod.ts";
import type { Dataset } from "../data/mod.ts";
import {
  Categorical,
  type Condition,
  type PictureRequest,
  type PictureSource,
} from "../plugin/mod.ts";
import { type LabelledPictures, shuffled } from "./pictures.ts";

/** What a run's conditions have to do with the label columns of a data set. */
export interface AskedColumn {
  /** The condition's place among all. */
  readonly condition: number;
  /** The column's place in the data set. */
  readonly column: number;
  /** For each class of the column, that of the condition; -1 where the run does not know it. */
  readonly classes: readonly number[];
}

/** The label columns that a run can be asked by: its categorical conditions that have their names. */
export function askedColumns(
  conditions: readonly Condition[],
  { columns }: Pick<Dataset, "columns">,
): AskedColumn[] {
  return conditions.flatMap((condition, index) => {
    const column = columns.findIndex(({ name }) => name === condition.name);
    if (column < 0 || !(condition instanceof Categorical)) return [];
    const classes = columns[column].classes.map((name) => condition.classes.indexOf(name));
    return [{ condition: index, column, classes }];
  });
}

/**
 * Requests that ask for the labels of real pictures, drawn at random from `data`: all columns of one picture
 * together, so that what goes together in the data does so here. What else describes a picture is drawn as the
 * run has it.
 */
export async function labelledRequests(
  pictures: PictureSource,
  data: Dataset,
  options: { count: number; seed: number },
): Promise<{ requests: PictureRequest[]; labels: Record<string, Int32Array> }> {
  const { count, seed } = options;
  const asked = askedColumns(pictures.conditions, data);
  const known = Array.from({ length: data.count }, (_, i) => i).filter((i) =>
    asked.every(({ column, classes }) => (classes[data.labels[column][i]] ?? -1) >= 0)
  );
  const generator = new HostGenerator(seed), rounds = Math.ceil(count / Math.max(1, known.length));
  const models = Array.from({ length: rounds }, () => [...shuffled(known.length, generator)])
    .flat().slice(0, count).map((i) => known[i]);
  const drawn = await pictures.requests(Array.from({ length: count }, (_, i) => seed + i));
  const requests = drawn.map(({ z, values }, i) => ({
    z,
    values: asked.reduce(
      (all, { condition, column, classes }) =>
        all.with(condition, [classes[data.labels[column][models[i]]]]),
      values,
    ),
  }));
  const labels = data.columns.map(({ name }, c) => [
    name,
    asked.some(({ column }) => column === c)
      ? Int32Array.from(models, (i) => data.labels[c][i])
      : new Int32Array(count).fill(-1),
  ]);
  return { requests, labels: Object.fromEntries(labels) };
}

/** Draws so many samples that have the labels of real pictures. */
export async function drawSamples(
  pictures: PictureSource,
  data: Dataset,
  options: { count: number; seed: number; onProgress?: (done: number, total: number) => void },
): Promise<LabelledPictures> {
  const { count, onProgress } = options, { size } = pictures, bytes = 3 * size ** 2;
  const { requests, labels } = await labelledRequests(pictures, data, options);
  const images = new Uint8Array(count * bytes);
  for (let start = 0; start < count; start += PART) {
    const part = requests.slice(start, start + PART);
    images.set(await pictures.draw(part), start * bytes);
    onProgress?.(start + part.length, count);
  }
  return { count, size, images, labels };
}

/** Samples between two reports of progress. */
const PART = 128;
