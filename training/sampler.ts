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
import { encodeAll } from "./acgan.ts";
import type { Condition, PictureRequest, PictureSource, RandomSource } from "../plugin/mod.ts";
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

  constructor(generator: GeneratorNetwork, conditions: readonly Condition[]) {
    const { latent, size } = generator.eval();
    this.size = size;
    this.conditions = conditions;
    this.#latent = latent;
    this.#draw = compile(
      (z: Tensor, ...values: Tensor[]) => generator.forward(z, encodeAll(conditions, values)),
      { name: "sample" },
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
      const [images] = await read([this.#draw(...this.#tensors(chunk))]);
      const wanted = Math.min(CHUNK, requests.length - start) * bytes;
      pictures.set(toBytes(images.subarray(0, wanted)), start * bytes);
    }
    return pictures;
  }

  /** A chunk's noise, and its values of each condition. */
  #tensors(chunk: readonly PictureRequest[]): Tensor[] {
    const z = Float32Array.from(chunk.flatMap((request) => [...request.z]));
    const values = this.conditions.map((condition, k) =>
      condition.tensor(chunk.map((request) => request.values[k]))
    );
    return [tensor(z, [CHUNK, this.#latent]), ...values];
  }

  /**
   * The request that belongs to each seed: its own noise, and values from the conditions' priors but for
   * those that `given` fixes. The same seed asks for the same picture whatever else is drawn.
   */
  async requests(seeds: readonly number[], given: GivenValues = {}): Promise<PictureRequest[]> {
    const source = seededRows(seeds);
    const drawn = await read(
      this.conditions.map((condition) => condition.sample(source, seeds.length)),
    );
    return seeds.map((seed, i) => ({
      z: noiseOf(seed, this.#latent),
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

/** The noise vector of a seed. */
function noiseOf(seed: number, length: number): Float32Array {
  const host = new HostGenerator(seedOf(seed, "picture noise"));
  return Float32Array.from({ length }, () => host.normal());
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

/**
 * The way from one picture to another in `frames` pictures, both ends included: spherical interpolation
 * (Shoemake, 1985) of the noise. Noise of many dimensions lies near a sphere; a straight line would cut
 * through its inside, where there are no pictures. What is shown stays what the first picture shows.
 */
export function interpolate(
  from: PictureRequest,
  to: PictureRequest,
  options: { frames: number },
): PictureRequest[] {
  const { frames } = options;
  return Array.from({ length: frames }, (_, i) => ({
    z: slerp(from.z, to.z, { t: frames === 1 ? 0 : i / (frames - 1) }),
    values: from.values,
  }));
}

function slerp(a: Float32Array, b: Float32Array, { t }: { t: number }): Float32Array {
  const dot = (x: Float32Array, y: Float32Array) =>
    x.reduce((sum, value, i) => sum + value * y[i], 0);
  const cosine = dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
  const angle = Math.acos(Math.min(1, Math.max(-1, cosine)));
  if (angle < 1e-6) return a; // Both point the same way.
  const from = Math.sin((1 - t) * angle) / Math.sin(angle);
  const to = Math.sin(t * angle) / Math.sin(angle);
  return a.map((value, i) => from * value + to * b[i]);
}
