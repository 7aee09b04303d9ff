import type { DistanceQuantiles, Memorisation } from "./report.ts";

/** Compares distances of samples to their nearest training pictures with those of held-out pictures. */
export function memorisation(samples: Float64Array, real: Float64Array | undefined): Memorisation {
  const ofReal = real && real.length > 0 ? quantiles(real) : null;
  return {
    samples: quantiles(samples),
    real: ofReal,
    nearerThanTwentieth: ofReal &&
      samples.filter((distance) => distance < ofReal.twentieth).length / samples.length,
  };
}

function quantiles(distances: Float64Array): DistanceQuantiles {
  const sorted = distances.slice().sort();
  const at = (share: number): number => {
    const place = share * (sorted.length - 1), below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  return { least: sorted[0], twentieth: at(0.05), median: at(0.5) };
}
