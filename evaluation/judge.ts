import {
  argmax,
  avgPool2d,
  compile,
  type Compiled,
  type KernelSite,
  read,
  type Tensor,
  tensor,
  upsampleBilinear,
} from "../engine/mod.ts";
import { fromBytes } from "../training/mod.ts";
import { type Classifier, FEATURES } from "./classifier.ts";
import type { LabelledPictures } from "./pictures.ts";

/** Pictures that are judged at once. */
const CHUNK = 64;

/** What a classifier says of pictures. */
export interface Opinion {
  /** `[count, FEATURES]`. */
  readonly features: Float32Array;
  /** For each label column, the class that each picture is taken for. */
  readonly guesses: Readonly<Record<string, Int32Array>>;
}

/** Asks a classifier, in inference mode, of pictures on the host. */
export class Judge {
  readonly #classifier: Classifier;
  readonly #columns: readonly string[];
  /** By the side that pictures are brought down to first. */
  readonly #programs = new Map<number, Compiled<Tensor[]>>();

  constructor(classifier: Classifier) {
    this.#classifier = classifier;
    this.#columns = Object.keys(classifier.heads);
  }

  /** The kernels that it runs and that come in several variants. */
  sites(size: number): readonly KernelSite[] {
    return this.#program(1).sites(chunkOf(new Uint8Array(CHUNK * 3 * size ** 2), size));
  }

  /**
   * What the classifier says of pictures. With `shrunk`, they are first brought down to a `shrunk`-th of
   * their side, by averages, and back up, linearly, so that all have what a picture of that size can show.
   */
  async ask(
    pictures: LabelledPictures,
    options: { shrunk?: number; onProgress?: (done: number, total: number) => void } = {},
  ): Promise<Opinion> {
    const { shrunk = 1, onProgress } = options;
    const { count, size, images } = pictures, bytes = 3 * size ** 2;
    const program = this.#program(shrunk);
    const features = new Float32Array(count * FEATURES);
    const guesses = this.#columns.map(() => new Int32Array(count));
    for (let start = 0; start < count; start += CHUNK) {
      const wanted = Math.min(CHUNK, count - start);
      // The last chunk is filled up, so that one plan serves all.
      const chunk = new Uint8Array(CHUNK * bytes);
      chunk.set(images.subarray(start * bytes, (start + wanted) * bytes));
      const [seen, ...said] = await read(program(chunkOf(chunk, size)));
      features.set(seen.subarray(0, wanted * FEATURES) as Float32Array, start * FEATURES);
      said.forEach((classes, c) => guesses[c].set(classes.subarray(0, wanted), start));
      onProgress?.(start + wanted, count);
    }
    return {
      features,
      guesses: Object.fromEntries(this.#columns.map((name, c) => [name, guesses[c]])),
    };
  }

  #program(shrunk: number): Compiled<Tensor[]> {
    const known = this.#programs.get(shrunk);
    if (known) return known;
    const made = compile((bytes: Tensor) => {
      let images = fromBytes(bytes);
      if (shrunk > 1) {
        images = upsampleBilinear(avgPool2d(images, { kernelSize: shrunk }), shrunk);
      }
      const { training } = this.#classifier;
      const { features, heads } = this.#classifier.eval().forward(images);
      this.#classifier.train(training);
      return [features, ...this.#columns.map((name) => argmax(heads[name], { dim: 1 }))];
    }, { name: "judge" });
    this.#programs.set(shrunk, made);
    return made;
  }
}

function chunkOf(bytes: Uint8Array<ArrayBuffer>, size: number): Tensor {
  return tensor(bytes, [CHUNK, 3, size, size]);
}
