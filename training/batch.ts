import { type Tensor, tensor } from "../engine/mod.ts";
import type { Batch, Batches, Dataset, LabelColumn } from "../data/mod.ts";
import type { Condition } from "../plugin/mod.ts";
import { readValues } from "./values.ts";

/** A batch as the tensors that a compiled step takes: `[batch, 3, size, size]` bytes, and values read from labels. */
export function toTensors(
  batch: Batch,
  about: {
    size: number;
    columns: readonly LabelColumn[];
    conditions: readonly Condition[];
  },
): { images: Tensor; values: Tensor[] } {
  const { size, columns, conditions } = about, { mirrored } = batch;
  const classes = Object.fromEntries(columns.map(({ name }, i) => [name, batch.labels[i]]));
  const count = batch.images.length / (3 * size * size);
  return {
    images: tensor(batch.images, [count, 3, size, size]),
    values: readValues(conditions, { classes, mirrored }),
  };
}

/** The arguments of a compiled step that learns from `batches` batches: of each, pictures and values. */
export function stepArguments(
  pictures: Batches,
  step: number,
  about: Parameters<typeof toTensors>[1] & { batches: number },
): Tensor[] {
  return Array.from({ length: about.batches }, (_, i) => {
    const { images, values } = toTensors(pictures.at(step * about.batches + i), about);
    return [images, ...values];
  }).flat();
}

/** Pictures `start` up to, but not with, `end` of a data set. */
export function sliceBatch(dataset: Dataset, start: number, end: number): Batch {
  const bytes = 3 * dataset.size * dataset.size;
  return {
    images: dataset.images.slice(start * bytes, end * bytes),
    labels: dataset.labels.map((column) => column.slice(start, end)),
    mirrored: new Uint8Array(end - start),
  };
}
