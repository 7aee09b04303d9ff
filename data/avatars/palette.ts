// The colours of drawn avatars. Hair colours lie far apart, so that a blurred picture still tells them.

/** Red, green and blue, 0 to 255. */
export type Colour = readonly [number, number, number];

/** Hair colours by class name. */
export const HAIR_COLOURS = {
  black: [44, 42, 56],
  blonde: [244, 208, 84],
  blue: [56, 112, 226],
  brown: [124, 74, 38],
  green: [62, 166, 84],
  pink: [248, 128, 182],
  purple: [136, 70, 196],
  red: [214, 44, 44],
} as const satisfies Record<string, Colour>;

/** Eye colours by class name. */
export const EYE_COLOURS = {
  blue: [40, 124, 240],
  brown: [136, 80, 36],
  green: [36, 164, 82],
  purple: [150, 66, 214],
  red: [222, 44, 56],
} as const satisfies Record<string, Colour>;

/** Skin tones by class name. */
export const SKIN_TONES = {
  dark: [154, 104, 76],
  light: [255, 228, 208],
  tan: [228, 176, 136],
} as const satisfies Record<string, Colour>;

/** The name of a class of hair colour. */
export type HairColour = keyof typeof HAIR_COLOURS;
/** The name of a class of eye colour. */
export type EyeColour = keyof typeof EYE_COLOURS;
/** The name of a class of skin tone. */
export type SkinTone = keyof typeof SKIN_TONES;

/** `amount` 0 is `from`, 1 is `to`. */
export function mixColours(from: Colour, to: Colour, amount: number): Colour {
  const channel = (i: number) => from[i] + (to[i] - from[i]) * amount;
  return [channel(0), channel(1), channel(2)];
}

/** A fully saturated colour; `hue` runs once around the colours from 0 to 1. */
export function hueColour(hue: number): Colour {
  const channel = (shift: number) =>
    255 * Math.min(1, Math.max(0, Math.abs(((hue + shift) % 1) * 6 - 3) - 1));
  return [channel(0), channel(2 / 3), channel(1 / 3)];
}
