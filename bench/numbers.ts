// Weights and inputs out of a hash, the same in every language: so engines can be compared number by number.

import type { Module } from "../engine/mod.ts";

type Numbers = Float32Array<ArrayBuffer>;

/** The finaliser of MurmurHash3 (Appleby, 2011): 32 bits to 32 bits, each bit of which depends on all. */
function scramble(word: number): number {
  let x = word ^ (word >>> 16);
  x = Math.imul(x, 0x85ebca6b);
  x ^= x >>> 13;
  x = Math.imul(x, 0xc2b2ae35);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Numbers in [0, 1), multiples of 2^-24: number i is the upper bits of the hash of i and the seed. */
export function uniform(seed: number, length: number): Numbers {
  const key = scramble(Math.imul(seed, 0x9e3779b9) + 1);
  const numbers = new Float32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = (scramble(i ^ key) >>> 8) / 2 ** 24;
  return numbers;
}

/** Nearly normal numbers of mean 0 and variance 1: twelve of {@linkcode uniform} added up, less 6. */
export function gaussian(seed: number, length: number): Numbers {
  const sums = new Float64Array(length).fill(-6);
  for (let part = 0; part < 12; part++) {
    uniform(16 * seed + part, length).forEach((u, i) => sums[i] += u);
  }
  return new Float32Array(sums);
}

/** Whole numbers from 0 to `classes` - 1. */
export function labels(seed: number, length: number, classes: number): Int32Array<ArrayBuffer> {
  return Int32Array.from(uniform(seed, length), (u) => Math.floor(u * classes));
}

/** Numbers of {@linkcode uniform}, spread evenly around a middle. */
function around(middle: number, options: { reach: number; seed: number; length: number }): Numbers {
  const { reach, seed, length } = options;
  return uniform(seed, length).map((u) => middle + reach * (2 * u - 1));
}

/**
 * Sets a module's parameters, each from a seed of its own that counts up from `seed` in the order in which
 * the signal passes them: weights and biases to within 1 / sqrt(fan in) of 0, gains of batch norm to within
 * 0.1 of 1, its shifts to within 0.1 of 0.
 */
export function setParameters(module: Module, { seed }: { seed: number }): void {
  const parameters = module.namedParameters();
  // Fields of the last layers may be declared before those of numbered stages.
  const isLast = (name: string): number => Number(/^(out|src|cls)\./.test(name));
  const names = Object.keys(parameters).sort((a, b) => isLast(a) - isLast(b));
  for (const [i, name] of names.entries()) {
    const { shape } = parameters[name.replace(/bias$/, "weight")];
    const norm = shape.length === 1, bias = name.endsWith(".bias");
    const fanIn = shape.slice(1).reduce((product, length) => product * length, 1);
    const { size } = parameters[name];
    const reach = norm ? 0.1 : 1 / Math.sqrt(fanIn);
    parameters[name].set(around(norm && !bias ? 1 : 0, { reach, seed: seed + i, length: size }));
  }
}

/** Sets running statistics: means to within 0.1 of 0, variances to 0.35 up to 0.45. */
export function setRunningStatistics(module: Module, { seed }: { seed: number }): void {
  for (const [i, [name, variable]] of Object.entries(module.namedBuffers()).entries()) {
    const middle = name.endsWith("running_var") ? { at: 0.4, reach: 0.05 } : { at: 0, reach: 0.1 };
    const { at, reach } = middle;
    variable.set(around(at, { reach, seed: seed + i, length: variable.size }));
  }
}
