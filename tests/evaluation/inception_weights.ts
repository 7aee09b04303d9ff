// Weights of Inception v3 by a formula, the same ones as inception.py makes.

import type { StoredTensor } from "../../engine/mod.ts";
import type { ConvLayer } from "../../evaluation/inception_layers.ts";

/** `count` numbers in [0, 1) that look random, and depend on `key`. */
export function hashed(key: string, count: number): Float64Array {
  let seed = 0x811c9dc5;
  for (const character of key) seed = Math.imul(seed ^ character.charCodeAt(0), 0x01000193);
  const numbers = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    let h = (i + seed) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    numbers[i] = ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
  }
  return numbers;
}

/** The state dict of some convolutions. */
export function inceptionWeights(layers: readonly ConvLayer[]): Record<string, StoredTensor> {
  const tensors: Record<string, StoredTensor> = {};
  const put = (key: string, shape: readonly number[], from: number, to: number): void => {
    const size = shape.reduce((a, b) => a * b);
    const data = Float32Array.from(hashed(key, size), (u) => from + (to - from) * u);
    tensors[key] = { dtype: "f32", shape, data };
  };
  for (const { step: { name }, shape } of layers) {
    // The variance of what comes in stays, where half of it is 0.
    const bound = Math.sqrt(6 / (shape[1] * shape[2] * shape[3]));
    put(`${name}.conv.weight`, shape, -bound, bound);
    put(`${name}.bn.weight`, [shape[0]], 0.5, 1.5);
    put(`${name}.bn.bias`, [shape[0]], -0.5, 0.5);
    put(`${name}.bn.running_mean`, [shape[0]], -0.5, 0.5);
    put(`${name}.bn.running_var`, [shape[0]], 0.5, 1.5);
  }
  return tensors;
}

/** Pictures of random pixels, `[count, 3, size, size]`. */
export function hashedPictures(count: number, size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(hashed(`${size} pixels`, count * 3 * size ** 2), (u) => 256 * u);
}
