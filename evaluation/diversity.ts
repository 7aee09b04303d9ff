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
import { msSsim, msSsimWeights } from "../metrics/mod.ts";
import type { LabelledPictures } from "./pictures.ts";
import type { DiversityConvention } from "./report.ts";

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

/** Two different members. */
function pairOf(members: readonly number[], generator: HostGenerator): [number, number] {
  const a = Math.floor(generator.uniform() * members.length);
  const b = (a + 1 + Math.floor(generator.uniform() * (members.length - 1))) % members.length;
  return [members[a], members[b]];
}
