// How alike pictures of a class are: Odena, Olah, Shlens, 2017, section 4.3.

import {
  cast,
  compile,
  type Compiled,
  HostGenerator,
  read,
  type Tensor,
  tensor,
} from "../engine/mod.ts";
import type { LabelColumn } from "../data/mod.ts";
import { msSsim, msSsimWeights } from "../metrics/mod.ts";
import type { LabelledPictures } from "./pictures.ts";
import { type ColumnDiversity, type DiversityConvention, orNull } from "./report.ts";

/** Pairs that are compared at once. */
const CHUNK = 50;
/** The window of Wang et al.; pictures that are smaller have a smaller one. */
const WINDOW = 11, SIGMA = 1.5;
const MOST_SCALES = 5;

/** The convention for pictures of a size: as many of the five scales as the window fits into. */
export function diversityConvention(size: number, pairs: number): DiversityConvention {
  const windowSize = Math.min(WINDOW, size - 1 + size % 2);
  const fitting = 1 + Math.floor(Math.log2(size / windowSize));
  return {
    pairs,
    windowSize,
    sigma: SIGMA,
    weights: msSsimWeights(Math.min(MOST_SCALES, fitting)),
  };
}

/** Compares pictures of a class with each other. */
export class DiversityMeter {
  readonly convention: DiversityConvention;
  readonly #similarity: Compiled<Tensor>;

  constructor(size: number, options: { pairs: number }) {
    const { windowSize, sigma, weights } = this.convention = diversityConvention(
      size,
      options.pairs,
    );
    this.#similarity = compile(
      (x: Tensor, y: Tensor) =>
        msSsim(cast(x, "f32"), cast(y, "f32"), { range: 255, windowSize, sigma, weights }),
      { name: "ms-ssim" },
    );
  }

  /**
   * For each class of a label column, the mean MS-SSIM of random pairs of two of its pictures; null where
   * it has less than two.
   */
  async measure(
    pictures: LabelledPictures,
    column: string,
    options: { classes: number; seed: number; onClass?: () => void },
  ): Promise<(number | null)[]> {
    const { pairs } = this.convention, { classes, seed, onClass } = options;
    const members = Array.from({ length: classes }, (): number[] => []);
    pictures.labels[column].forEach((label, i) => label >= 0 && members[label].push(i));
    const generator = new HostGenerator(seed), means: (number | null)[] = [];
    for (const of of members) {
      const drawn = of.length < 2 ? [] : Array.from({ length: pairs }, () => pairOf(of, generator));
      means.push(drawn.length === 0 ? null : await this.#mean(pictures, drawn));
      onClass?.();
    }
    return means;
  }

  /** The mean over classes of {@linkcode measure}, by label column. */
  async means(
    pictures: LabelledPictures,
    columns: readonly LabelColumn[],
    { seed }: { seed: number },
  ): Promise<Record<string, number | null>> {
    const result: Record<string, number | null> = {};
    for (const { name, classes } of columns) {
      result[name] = meanOf(await this.measure(pictures, name, { classes: classes.length, seed }));
    }
    return result;
  }

  async #mean(
    { images, size }: LabelledPictures,
    pairs: readonly (readonly [number, number])[],
  ): Promise<number> {
    const bytes = 3 * size ** 2;
    let total = 0;
    for (let start = 0; start < pairs.length; start += CHUNK) {
      const some = pairs.slice(start, start + CHUNK);
      const sides = [0, 1].map((side) => {
        const chunk = new Uint8Array(CHUNK * bytes);
        some.forEach((pair, i) => {
          chunk.set(images.subarray(pair[side] * bytes, (pair[side] + 1) * bytes), i * bytes);
        });
        return tensor(chunk, [CHUNK, 3, size, size]);
      });
      const [similar] = await read([this.#similarity(sides[0], sides[1])]);
      for (const value of similar.subarray(0, some.length)) total += value;
    }
    return total / pairs.length;
  }
}

/** How alike pictures of a class are, samples beside real ones, by label column. */
export async function diversityByColumn(
  meter: DiversityMeter,
  columns: readonly LabelColumn[],
  options: {
    samples: LabelledPictures;
    real: LabelledPictures;
    seed: number;
    onProgress: (done: number, total: number) => void;
  },
): Promise<Record<string, ColumnDiversity>> {
  const { samples, real, seed, onProgress } = options;
  const total = 2 * columns.reduce((sum, { classes }) => sum + classes.length, 0);
  const result: Record<string, ColumnDiversity> = {};
  let done = 0;
  for (const { name, classes } of columns) {
    const measure = (of: LabelledPictures): Promise<(number | null)[]> =>
      meter.measure(of, name, {
        classes: classes.length,
        seed,
        onClass: () => onProgress(++done, total),
      });
    const [a, b] = [await measure(samples), await measure(real)];
    const greatest = Math.max(...told(b));
    result[name] = {
      mean: { samples: meanOf(a), real: meanOf(b) },
      classes: classes.map((name, i) => ({ name, samples: a[i], real: b[i] })),
      classesBelowRealMaximum: orNull(
        told(a).filter((x) => x <= greatest).length / told(a).length,
      ),
    };
  }
  return result;
}

/** The mean over the classes that have a figure. */
function meanOf(figures: readonly (number | null)[]): number | null {
  return orNull(told(figures).reduce((sum, x) => sum + x, 0) / told(figures).length);
}

function told(figures: readonly (number | null)[]): number[] {
  return figures.filter((x) => x !== null);
}

/** Two different members. */
function pairOf(members: readonly number[], generator: HostGenerator): [number, number] {
  const a = Math.floor(generator.uniform() * members.length);
  const b = (a + 1 + Math.floor(generator.uniform() * (members.length - 1))) % members.length;
  return [members[a], members[b]];
}
