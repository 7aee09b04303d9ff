import { HostGenerator } from "../engine/mod.ts";
import { type Dataset, UserError } from "../data/mod.ts";
import type { Condition, PictureRequest, PictureSource } from "../plugin/mod.ts";
import { type LabelledPictures, shuffled } from "./pictures.ts";

/** A condition that has the name of a label column, and the classes of one in common with it. */
interface AskedColumn {
  /** The condition's place among all. */
  readonly condition: number;
  /** The column's place in the data set. */
  readonly column: number;
  /** For each class of the column, the condition's value; undefined where the run does not know it. */
  readonly values: readonly (readonly number[] | undefined)[];
}

function askedColumns(
  conditions: readonly Condition[],
  { columns }: Pick<Dataset, "columns">,
): AskedColumn[] {
  return conditions.flatMap((condition, index) => {
    const column = columns.findIndex(({ name }) => name === condition.name);
    if (column < 0 || condition.kind !== "categorical") return [];
    const known = new Map(condition.showcase().map(({ label, value }) => [label, value]));
    const values = columns[column].classes.map((name) => known.get(name));
    return [{ condition: index, column, values }];
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
    asked.every(({ column, values }) => values[data.labels[column][i]] !== undefined)
  );
  if (known.length === 0) {
    const names = asked.map(({ column }) => data.columns[column].name).join(" and ");
    throw new UserError(
      `No picture of the data has a ${names} that the run knows: is it the data that it was trained on?`,
    );
  }
  const generator = new HostGenerator(seed), rounds = Math.ceil(count / known.length);
  const models = Array.from({ length: rounds }, () => [...shuffled(known.length, generator)])
    .flat().slice(0, count).map((i) => known[i]);
  const drawn = await pictures.requests(Array.from({ length: count }, (_, i) => seed + i));
  const requests = drawn.map(({ z, values }, i) => ({
    z,
    values: asked.reduce(
      (all, { condition, column, values: known }) =>
        all.with(condition, known[data.labels[column][models[i]]]!),
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
