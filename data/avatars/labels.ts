// What is said of an avatar in words, as columns of labels.

import type { AvatarAttributes } from "./attributes.ts";

/** Columns of classes, and then those of measures. */
const CLASSES = ["hair", "style", "eyes", "skin", "glasses"] as const;
const MEASURES = ["tilt", "hair_length", "smile"] as const;

/** The label columns of avatars. */
export const avatarColumns = [...CLASSES, ...MEASURES] as const;

/** Those whose values are classes, not numbers. */
export const avatarClasses: readonly string[] = CLASSES;

/** An avatar's labels. Measures are decimal fractions, which `loadDataset` tells from classes. */
export function avatarLabels(
  { hair, style, eyes, skin, glasses, tilt, hairLength, smile }: AvatarAttributes,
): Readonly<Record<typeof avatarColumns[number], string>> {
  const number = (value: number): string => value.toFixed(4);
  return {
    hair,
    style,
    eyes,
    skin,
    glasses: glasses ? "yes" : "no",
    tilt: number(tilt),
    hair_length: number(hairLength),
    smile: number(smile),
  };
}
