// Labelled pictures in memory, and what is done to them on the host.

import { type Dataset, mirror } from "../data/mod.ts";
import type { HostGenerator } from "../engine/mod.ts";

/** Pictures with what is known of them: real ones, or samples with what they were asked to be. */
export interface LabelledPictures {
  readonly count: number;
  /** Side of the pictures in pixels. */
  readonly size: number;
  /** `[count, 3, size, size]` as bytes. */
  readonly images: Uint8Array<ArrayBuffer>;
  /** For each label column, each picture's class, or -1 where it is not known. */
  readonly labels: Readonly<Record<string, Int32Array>>;
}

/** The pictures of a data set with its labels by name. */
export function picturesOf(dataset: Dataset): LabelledPictures {
  const { count, size, columns } = dataset;
  const labels = columns.map(({ name }, c) => [name, dataset.labels[c]] as const);
  return {
    count,
    size,
    images: Uint8Array.from(dataset.images),
    labels: Object.fromEntries(labels),
  };
}

/** Some of the pictures, in the order of `picks`. */
export function pick(
  pictures: LabelledPictures,
  picks: ArrayLike<number> & Iterable<number>,
): LabelledPictures {
  const bytes = 3 * pictures.size ** 2;
  const images = new Uint8Array(picks.length * bytes);
  let to = 0;
  for (const from of picks) {
    images.set(pictures.images.subarray(from * bytes, (from + 1) * bytes), bytes * to++);
  }
  const labels = Object.entries(pictures.labels).map(([name, column]) =>
    [name, Int32Array.from(picks, (i) => column[i])] as const
  );
  return { ...pictures, count: picks.length, images, labels: Object.fromEntries(labels) };
}

/** The first so many pictures; all, where there are no more. */
export function first(pictures: LabelledPictures, count: number): LabelledPictures {
  return pick(pictures, Array.from({ length: Math.min(count, pictures.count) }, (_, i) => i));
}

/** Every picture mirrored, or those that `which` says. */
export function mirrored(
  pictures: LabelledPictures,
  which: (index: number) => boolean = () => true,
): LabelledPictures {
  const { size, count } = pictures, bytes = 3 * size ** 2;
  const images = pictures.images.slice();
  for (let i = 0; i < count; i++) {
    if (!which(i)) continue;
    mirror(images.subarray(i * bytes, (i + 1) * bytes), size);
  }
  return { ...pictures, images };
}

/** A random order of 0 .. count - 1 (Fisher-Yates). */
export function shuffled(count: number, generator: HostGenerator): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  for (let last = count - 1; last > 0; last--) {
    const other = Math.floor(generator.uniform() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
  return order;
}

/** Two pictures in one, the second after the first. */
export function joined(a: LabelledPictures, b: LabelledPictures): LabelledPictures {
  const images = new Uint8Array(a.images.length + b.images.length);
  images.set(a.images);
  images.set(b.images, a.images.length);
  const labels = Object.entries(a.labels).map(([name, column]) =>
    [name, Int32Array.of(...column, ...b.labels[name])] as const
  );
  return { ...a, count: a.count + b.count, images, labels: Object.fromEntries(labels) };
}

/**
 * Moves each picture of a batch `[n, 3, size, size]` by up to `most` pixels in both directions, and repeats
 * its edge where nothing is left to show.
 */
export function shifted(
  images: Uint8Array,
  { size, most, generator }: { size: number; most: number; generator: HostGenerator },
): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(images.length), plane = size ** 2;
  const inside = (x: number): number => Math.max(0, Math.min(size - 1, x));
  const shift = (): number => Math.floor(generator.uniform() * (2 * most + 1)) - most;
  for (let picture = 0; picture < images.length; picture += 3 * plane) {
    const down = shift(), right = shift();
    for (let row = 0; row < 3 * size; row++) {
      const channel = Math.floor(row / size), y = row % size;
      const from = picture + channel * plane + inside(y - down) * size;
      const to = picture + channel * plane + y * size;
      for (let x = 0; x < size; x++) result[to + x] = images[from + inside(x - right)];
    }
  }
  return result;
}
