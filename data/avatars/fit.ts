// What an avatar looks like, from its pixels: the drawing that comes nearest to it. A picture that a network
// made is measured so by the drawer itself, which no network can fool.

import { type AvatarAttributes, HAIR_STYLES } from "./attributes.ts";
import { drawAvatar } from "./draw.ts";
import { EYE_COLOURS, HAIR_COLOURS, SKIN_TONES } from "./palette.ts";

/** What a search over looks begins with, where nothing is known. */
const MIDDLE: AvatarAttributes = {
  hair: "brown",
  style: "short",
  eyes: "brown",
  skin: "tan",
  glasses: false,
  tilt: 0,
  hairLength: 0.5,
  smile: 0.5,
  background: 0.5,
  clothes: 0.5,
};

/** What there is to try for each attribute; large areas of a picture come first. */
const CANDIDATES: { readonly [K in keyof AvatarAttributes]: readonly AvatarAttributes[K][] } = {
  background: evenly(0, 7 / 8, 8),
  hair: keysOf(HAIR_COLOURS),
  skin: keysOf(SKIN_TONES),
  style: HAIR_STYLES,
  tilt: evenly(-1, 1, 9),
  hairLength: evenly(0, 1, 6),
  clothes: evenly(0, 7 / 8, 8),
  glasses: [false, true],
  eyes: keysOf(EYE_COLOURS),
  smile: evenly(0, 1, 6),
};

/** Those that are refined, by steps that begin at half of what lies between candidates. */
const REFINED = {
  tilt: { step: 0.125, least: -1 },
  hairLength: { step: 0.1, least: 0 },
  smile: { step: 0.1, least: 0 },
};

/** An avatar that was fitted to a picture. */
export interface FittedAvatar {
  readonly looks: AvatarAttributes;
  /** The mean absolute difference of its drawing to the picture, of a byte. */
  readonly distance: number;
}

/**
 * The looks of the drawn avatar whose picture comes nearest to `image` (CHW bytes, `3 * size * size`), by the
 * mean absolute difference: found attribute by attribute, in rounds, which is no proof that no other comes
 * nearer. What is `known` is taken as it is.
 *
 * ```ts
 * import { randomAttributes } from "./attributes.ts";
 * import { drawAvatar } from "./draw.ts";
 * const looks = { ...randomAttributes(7, 0), tilt: 0.4 };
 * fitAvatar(drawAvatar(looks, 32), { size: 32, known: { hair: looks.hair } }).looks.tilt; // near 0.4
 * ```
 */
export function fitAvatar(
  image: Uint8Array,
  options: { size: number; known?: Partial<AvatarAttributes> },
): FittedAvatar {
  const { size, known = {} } = options;
  let best: AvatarAttributes = { ...MIDDLE, ...known };
  let least = distance(image, drawAvatar(best, size));
  const consider = (attributes: AvatarAttributes) => {
    const found = distance(image, drawAvatar(attributes, size));
    if (found < least) [best, least] = [attributes, found];
  };
  const keys = (Object.keys(CANDIDATES) as (keyof AvatarAttributes)[])
    .filter((key) => known[key] === undefined);
  for (let before = Infinity; least < before;) {
    before = least;
    for (const key of keys) {
      const base = best;
      for (const value of CANDIDATES[key]) {
        if (value !== base[key]) consider({ ...base, [key]: value });
      }
    }
  }
  for (let fraction = 1; fraction >= 1 / 8; fraction /= 2) {
    for (const [key, { step, least }] of Object.entries(REFINED)) {
      if (known[key as keyof AvatarAttributes] !== undefined) continue;
      const base = best, from = base[key as keyof typeof REFINED];
      for (const value of [from - fraction * step, from + fraction * step]) {
        consider({ ...base, [key]: Math.min(1, Math.max(least, value)) });
      }
    }
  }
  return { looks: best, distance: least };
}

function distance(a: Uint8Array, b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += Math.abs(a[i] - b[i]);
  return sum / a.length;
}

function evenly(from: number, to: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => from + (to - from) * i / (count - 1));
}

function keysOf<K extends string>(record: Record<K, unknown>): K[] {
  return Object.keys(record) as K[];
}
