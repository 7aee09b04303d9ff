import type { Dataset } from "../dataset.ts";
import { avatarClasses, avatarColumns, avatarLabels } from "./labels.ts";
import { type AvatarOptions, drawAvatars } from "./write.ts";

/**
 * Drawn avatars as a data set in memory, as `loadDataset` would read what `writeAvatars` writes: with the
 * columns of classes, and those of measures that `also` names.
 *
 * ```ts
 * const { columns } = avatarDataset({ count: 8, size: 32, seed: 7, also: ["tilt"] });
 * columns.map(({ name }) => name); // hair, style, eyes, skin, glasses, tilt
 * ```
 */
export function avatarDataset(options: AvatarOptions & { also?: readonly string[] }): Dataset {
  const { count, size, seed, also = [] } = options;
  const { images, attributes } = drawAvatars(options);
  const table = attributes.map(avatarLabels);
  const names = avatarColumns.filter((it) => avatarClasses.includes(it) || also.includes(it));
  const columns = names.map((name) => ({
    name,
    classes: [...new Set(table.map((row) => row[name]))].sort(),
  }));
  const labels = columns.map(({ name, classes }) =>
    Int32Array.from(table, (row) => classes.indexOf(row[name]))
  );
  const fingerprint = `avatars ${seed}, ${count} of ${size}x${size}: ${names.join(", ")}`;
  return { count, size, columns, images, labels, problems: [], fingerprint };
}
