// What a drawn avatar looks like, and how looks are drawn at random.

import { CounterRandom } from "../random.ts";
import {
  EYE_COLOURS,
  type EyeColour,
  HAIR_COLOURS,
  type HairColour,
  SKIN_TONES,
  type SkinTone,
} from "./palette.ts";

/** Hair styles, as class names. */
export const HAIR_STYLES = ["long", "ponytail", "short", "twintails"] as const;

/** The name of a hair style. */
export type HairStyle = typeof HAIR_STYLES[number];

/** Everything that decides how an avatar is drawn. */
export interface AvatarAttributes {
  readonly hair: HairColour;
  readonly style: HairStyle;
  readonly eyes: EyeColour;
  readonly skin: SkinTone;
  readonly glasses: boolean;
  /** How far the head leans to the right of the picture, -1 to 1 (15 degrees). */
  readonly tilt: number;
  /** 0 to 1, within what the style allows. */
  readonly hairLength: number;
  /** From a small frown at 0 to a laugh at 1. */
  readonly smile: number;
  /** The hue of what is behind the head, 0 to 1; not a label. */
  readonly background: number;
  /** The hue of the clothes, 0 to 1; not a label. */
  readonly clothes: number;
}

/**
 * The looks of avatar `index` of a seed, every attribute drawn uniformly and on its own.
 *
 * ```ts
 * const { hair, tilt } = randomAttributes(7, 0);
 * ```
 */
export function randomAttributes(seed: number, index: number): AvatarAttributes {
  const random = new CounterRandom(seed, index);
  const choose = <Name extends string>(purpose: number, names: readonly Name[]): Name =>
    names[random.integer(purpose, names.length)];
  const classes = <Name extends string>(colours: Record<Name, unknown>) =>
    Object.keys(colours) as Name[];
  return {
    hair: choose(0, classes(HAIR_COLOURS)),
    style: choose(1, HAIR_STYLES),
    eyes: choose(2, classes(EYE_COLOURS)),
    skin: choose(3, classes(SKIN_TONES)),
    glasses: random.uniform(4) < 0.3,
    tilt: 2 * random.uniform(5) - 1,
    hairLength: random.uniform(6),
    smile: random.uniform(7),
    background: random.uniform(8),
    clothes: random.uniform(9),
  };
}
