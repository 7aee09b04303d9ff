import { HostGenerator } from "../engine/mod.ts";
import type { NoiseOptions } from "../plugin/mod.ts";
import { seedOf } from "./seeds.ts";

/**
 * The noise vector of a seed: numbers from N(0, 1), or with `truncation` from a truncated normal distribution:
 * those further from 0 are drawn again (Brock, Donahue, Simonyan, "Large Scale GAN Training for High Fidelity
 * Natural Image Synthesis", ICLR 2019, section 3.1). What is near enough stays what it is without.
 */
export function noiseOf(
  seed: number,
  length: number,
  { truncation = Infinity, attempt = 0 }: NoiseOptions = {},
): Float32Array {
  if (!(truncation > 0)) throw new RangeError(`truncation must be above 0, not ${truncation}`);
  const host = new HostGenerator(seedOf(seed, "picture noise"));
  const next = (): number => {
    for (;;) {
      const x = host.normal();
      if (Math.abs(x) <= truncation) return x;
    }
  };
  for (let skipped = 0; skipped < attempt * length; skipped++) next();
  return Float32Array.from({ length }, next);
}
