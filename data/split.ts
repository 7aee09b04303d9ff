import type { Dataset } from "./dataset.ts";
import { UserError } from "./errors.ts";
import { CounterRandom } from "./random.ts";

/**
 * Sets pictures aside that training does not see. Which ones depends on nothing but their pixels and
 * the seed: a picture stays on its side when others are added, renamed or relabelled, save for the few
 * at the border that a change of the count moves.
 *
 * `holdout` below 1 is a share of the pictures, from 1 on a number of them. Both parts keep the order.
 *
 * @throws {UserError} where no picture would be left to train on.
 */
export function splitDataset(
  dataset: Dataset,
  options: { holdout: number; seed: number },
): { train: Dataset; holdout: Dataset } {
  const { count } = dataset;
  const { holdout, seed } = options;
  const wanted = holdout < 1 ? Math.round(holdout * count) : holdout;
  if (!Number.isInteger(wanted) || wanted < 0 || wanted >= count) {
    throw new UserError(
      `Cannot hold out ${holdout} of ${count} pictures: give a share below 1 or a smaller number`,
    );
  }
  const random = new CounterRandom(seed, 0);
  const rank = Float64Array.from({ length: count }, (_, i) => random.bits(pixelHash(dataset, i)));
  const byRank = Array.from(rank.keys()).sort((a, b) => rank[a] - rank[b] || a - b);
  const ascending = (a: number, b: number) => a - b;
  const part = (name: string, picks: number[]) =>
    pick(dataset, { picks: picks.sort(ascending), name: `${name} ${wanted} ${seed}` });
  return {
    train: part("train", byRank.slice(wanted)),
    holdout: part("holdout", byRank.slice(0, wanted)),
  };
}

function pick(dataset: Dataset, options: { picks: readonly number[]; name: string }): Dataset {
  const { picks, name } = options, { files } = dataset;
  const bytes = 3 * dataset.size ** 2;
  const images = new Uint8Array(picks.length * bytes);
  picks.forEach((from, to) => {
    images.set(dataset.images.subarray(from * bytes, (from + 1) * bytes), to * bytes);
  });
  return {
    ...dataset,
    count: picks.length,
    images,
    labels: dataset.labels.map((column) => Int32Array.from(picks, (i) => column[i])),
    ...(files && { files: picks.map((i) => files[i]) }),
    fingerprint: `${dataset.fingerprint} ${name}`,
  };
}

/** FNV-1a over every 13th byte: pictures that agree in all of those may well share a side. */
function pixelHash(dataset: Dataset, index: number): number {
  const bytes = 3 * dataset.size ** 2;
  let hash = 0x811c9dc5;
  for (let at = index * bytes; at < (index + 1) * bytes; at += 13) {
    hash = Math.imul(hash ^ dataset.images[at], 0x01000193);
  }
  return hash >>> 0;
}
