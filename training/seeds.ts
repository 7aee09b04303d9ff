/** What random numbers are drawn for. Their streams must not repeat each other. */
const PURPOSES = [
  "generator",
  "discriminator",
  "steps",
  "picture noise",
  "picture values",
] as const;

/** Seeds that people give are whole numbers from 0 to this. */
export const LARGEST_SEED: number = 2 ** 32 - 1;

/** The engine's seed for one purpose, from the seed that was given. */
export function seedOf(seed: number, purpose: typeof PURPOSES[number]): number {
  return seed + PURPOSES.indexOf(purpose) * 2 ** 32;
}
