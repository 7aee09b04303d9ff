/** What random numbers are drawn for. Their streams must not repeat each other. */
const PURPOSES = [
  "generator",
  "discriminator",
  "steps",
  "picture noise",
  "picture values",
  "discriminator noise",
] as const;

/** Seeds that people give are whole numbers from 0 to this. */
export const LARGEST_SEED: number = 2 ** 32 - 1;

/** The engine's seed for one purpose, from the seed that was given. */
export function seedOf(seed: number, purpose: typeof PURPOSES[number]): number {
  return seed + PURPOSES.indexOf(purpose) * 2 ** 32;
}

/** The engine's seed of a purpose that has a name of its own, such as a plugin's; other than any above. */
export function seedOfName(seed: number, name: string): number {
  let hash = 0x811c9dc5; // FNV-1a.
  for (const byte of new TextEncoder().encode(name)) {
    hash = Math.imul(hash ^ byte, 0x01000193);
  }
  return seed + (2 ** 20 + (hash >>> 12)) * 2 ** 32;
}
