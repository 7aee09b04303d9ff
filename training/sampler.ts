import {
  compile,
  type Compiled,
  HostGenerator,
  type KernelSite,
  read,
  type Tensor,
  tensor,
} from "../engine/mod.ts";
import type { GeneratorNetwork } from "../models/mod.ts";
import type {
  Condition,
  NoiseOptions,
  PictureRequest,
  PictureSource,
  RandomSource,
} from "../plugin/mod.ts";
import { encodeAll } from "./acgan.ts";
import { encodeMixed, isMixed, sharesOf } from "./mixes.ts";
import { noiseOf } from "./noise.ts";
import { seedOf } from "./seeds.ts";

/** Values of conditions by name. */
export type GivenValues = Readonly<Record<string, readonly number[]>>;

/** Pictures are drawn so many at once; more would take more memory, not less time. */
const CHUNK = 16;

/**
 * Draws pictures with a generator in inference mode. A picture depends on its own request alone, not on
 * those that it is drawn together with.
 */
export class Sampler implements PictureSource {
  /** Side of the pictures in pixels. */
  readonly size: number;
  readonly conditions: readonly Condition[];
  readonly #latent: number;
  readonly #draw: Compiled<Tensor>;
  readonly #drawMixed: Compiled<Tensor>;

  constructor(generator: GeneratorNetwork, conditions: readonly Condition[]) {
    const { latent, size } = generator.eval();
    this.size = size;
    this.conditions = conditions;
    this.#latent = latent;
    this.#draw = compile(
      (z: Tensor, ...values: Tensor[]) => generator.forward(z, encodeAll(conditions, values)),
      { name: "sample" },
    );
    this.#drawMixed = compile(
      (z: Tensor, weights: Tensor, ...values: Tensor[]) =>
        generator.forward(z, encodeMixed(conditions, values, weights)),
      { name: "sample mixes" },
    );
  }

  /** The kernels that it runs and that come in several variants. */
  sites(): readonly KernelSite[] {
    const z = new Float32Array(this.#latent);
    const values = this.conditions.map((condition) => condition.showcase()[0].value);
    return this.#draw.sites(...this.#tensors(new Array(CHUNK).fill({ z, values })));
  }

  /** Draws the pictures that are asked for, in their order: `[count, 3, size, size]` as bytes. */
  async draw(requests: readonly PictureRequest[]): Promise<Uint8Array> {
    const bytes = 3 * this.size ** 2;
    const pictures = new Uint8Array(requests.length * bytes);
    for (let start = 0; start < requests.length; start += CHUNK) {
      // The last chunk is filled up, so that one plan serves all.
      const chunk = Array.from({ length: CHUNK }, (_, i) => requests[start + i] ?? requests[start]);
      const [images] = await read([
        chunk.some(isMixed)
          ? this.#drawMixed(...this.#mixedTensors(chunk))
          : this.#draw(...this.#tensors(chunk)),
      ]);
      const wanted = Math.min(CHUNK, requests.length - start) * bytes;
      pictures.set(toBytes(images.subarray(0, wanted)), start * bytes);
    }
    return pictures;
  }

  /** A chunk's noise, and its values of each condition. */
  #tensors(chunk: readonly PictureRequest[]): Tensor[] {
    const values = this.conditions.map((condition, k) =>
      condition.tensor(chunk.map((request) => request.values[k]))
    );
    return [this.#noise(chunk), ...values];
  }

  /** A chunk's noise, the weights of its shares, and its values of each condition, share by share. */
  #mixedTensors(chunk: readonly PictureRequest[]): Tensor[] {
    const { weights, values } = sharesOf(chunk, this.conditions);
    return [this.#noise(chunk), weights, ...values];
  }

  #noise(chunk: readonly PictureRequest[]): Tensor {
    return tensor(Float32Array.from(chunk.flatMap(({ z }) => [...z])), [CHUNK, this.#latent]);
  }

  /**
   * The request that belongs to each seed: its own noise, and values from the conditions' priors but for
   * those that `given` fixes. The same seed asks for the same picture whatever else is drawn; its further
   * attempts have other noise and the same values.
   */
  async requests(
    seeds: readonly number[],
    given: GivenValues = {},
    noise: NoiseOptions = {},
  ): Promise<PictureRequest[]> {
    const source = seededRows(seeds);
    const drawn = await read(
      this.conditions.map((condition) => condition.sample(source, seeds.length)),
    );
    return seeds.map((seed, i) => ({
      z: noiseOf(seed, this.#latent, noise),
      values: this.conditions.map(({ name }, k) => {
        const width = drawn[k].length / seeds.length;
        return given[name] ?? [...drawn[k].subarray(i * width, (i + 1) * width)];
      }),
    }));
  }
}

/** Numbers in [-1, 1] as bytes. */
function toBytes(numbers: ArrayLike<number>): Uint8ClampedArray {
  return Uint8ClampedArray.from(numbers, (x) => (x + 1) * 127.5);
}

/** Random numbers of which row i belongs to seed i. */
function seededRows(seeds: readonly number[]): RandomSource {
  const hosts = seeds.map((seed) => new HostGenerator(seedOf(seed, "picture values")));
  const rows = (shape: readonly number[], next: (host: HostGenerator) => number) => {
    const length = shape.slice(1).reduce((a, b) => a * b, 1);
    const numbers = hosts.flatMap((host) => Array.from({ length }, () => next(host)));
    return tensor(Float32Array.from(numbers), shape);
  };
  return {
    uniform: (shape) => rows(shape, (host) => host.uniform()),
    normal: (shape) => rows(shape, (host) => host.normal()),
  };
}
