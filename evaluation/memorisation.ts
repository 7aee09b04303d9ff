import { type Nearest, nearest } from "../metrics/mod.ts";
import type { Judged } from "./accuracy.ts";
import { FEATURES } from "./classifier.ts";
import { type Gallery, type Neighbour, plate } from "./gallery.ts";
import { pick } from "./pictures.ts";
import type { DistanceQuantiles, Memorisation, Report } from "./report.ts";

/** How many of the samples that are nearest to a training picture are shown. */
const SHOWN = 8;

/**
 * Compares distances of samples to their nearest training pictures, mirror images included, with those of
 * pictures that the run was not trained on: `novel`, which may be none.
 *
 * @param known the training pictures, and then their mirror images in the same order.
 */
export async function memorisation(
  known: Judged,
  options: {
    samples: Judged;
    novel: Judged;
    onProgress: (done: number, total: number) => void;
  },
): Promise<{ figures: Report["neighbours"]; shown: Gallery["nearest"] }> {
  const { samples, novel, onProgress } = options, { of: all } = known, { size } = all;
  const count = all.count / 2;
  const total = 2 * (samples.of.count + novel.of.count);
  let before = 0;
  const told = (count: number) => {
    const start = before;
    before += count;
    return (done: number) => onProgress(start + done, total);
  };
  const inPixels = ({ of: { images, count } }: Judged): Nearest => {
    const length = 3 * size ** 2;
    const found = nearest(images, all.images, {
      length,
      width: size,
      norm: "l1",
      onProgress: told(count),
    });
    return { ...found, distance: found.distance.map((sum) => sum / length) };
  };
  const inFeatures = ({ of: { count }, opinion }: Judged): Nearest =>
    nearest(opinion.features, known.opinion.features, {
      length: FEATURES,
      norm: "l2",
      onProgress: told(count),
    });
  const [pixels, features] = [inPixels, inFeatures].map((find) => {
    return { samples: find(samples), novel: find(novel) };
  });

  const neighbour = async ({ index, distance }: Nearest, i: number): Promise<Neighbour> => ({
    index: index[i] % count,
    mirrored: index[i] >= count,
    distance: distance[i],
    plate: await plate(pick(all, [index[i]]).images, size, 1),
  });
  const { distance } = pixels.samples;
  const nearestOnes = [...distance.keys()].sort((a, b) => distance[a] - distance[b]).slice(
    0,
    SHOWN,
  );
  return {
    figures: { pixels: compared(pixels), features: compared(features) },
    shown: await Promise.all(nearestOnes.map(async (i) => ({
      sample: await plate(pick(samples.of, [i]).images, size, 1),
      pixels: await neighbour(pixels.samples, i),
      features: await neighbour(features.samples, i),
    }))),
  };
}

function compared({ samples, novel }: { samples: Nearest; novel: Nearest }): Memorisation {
  const { distance } = samples, real = novel.distance.length > 0 ? quantiles(novel) : null;
  return {
    samples: quantiles(samples),
    real,
    nearerThanTwentieth: real &&
      distance.filter((x) => x < real.twentieth).length / distance.length,
  };
}

function quantiles({ distance }: Nearest): DistanceQuantiles {
  const sorted = distance.slice().sort();
  const at = (share: number): number => {
    const place = share * (sorted.length - 1), below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  return { least: sorted[0], twentieth: at(0.05), median: at(0.5) };
}
