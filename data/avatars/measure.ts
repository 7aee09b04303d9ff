// What colour the hair of an avatar has, from its pixels alone: the check that generated pictures obey
// their label. It knows the palette and where hair is on every avatar, and nothing of the picture.

import { type Colour, HAIR_COLOURS, type HairColour } from "./palette.ts";

/** The crown: hair in every style and at every tilt, above the fringe and inside the outline. */
const CROWN = { left: 0.38, right: 0.62, top: 0.16, bottom: 0.34 };

/** Brightness counts less than hue: generated pictures get hues right before light and shade. */
const BRIGHTNESS_WEIGHT = 0.6;

/**
 * The class of hair colour that most pixels of the crown are nearest to, for an avatar of CHW bytes
 * (`3 * size * size`), drawn or generated.
 *
 * ```ts
 * import { randomAttributes } from "./attributes.ts";
 * import { drawAvatar } from "./draw.ts";
 * const avatar = drawAvatar({ ...randomAttributes(7, 0), hair: "green" }, 32);
 * measureHairColour(avatar, 32); // "green"
 * ```
 */
export function measureHairColour(image: Uint8Array, size: number): HairColour {
  const names = Object.keys(HAIR_COLOURS) as HairColour[];
  const targets = names.map((name) => opponent(HAIR_COLOURS[name]));
  const votes = new Int32Array(names.length);
  const plane = size * size;
  for (let y = Math.round(CROWN.top * size); y < CROWN.bottom * size; y++) {
    for (let x = Math.round(CROWN.left * size); x < CROWN.right * size; x++) {
      const at = y * size + x;
      const pixel = opponent([image[at], image[plane + at], image[2 * plane + at]]);
      const distances = targets.map((target) =>
        Math.hypot(target[0] - pixel[0], target[1] - pixel[1], target[2] - pixel[2])
      );
      votes[distances.indexOf(Math.min(...distances))]++;
    }
  }
  return names[votes.indexOf(Math.max(...votes))];
}

/** Brightness, red against green, and yellow against blue. */
function opponent([red, green, blue]: Colour): Colour {
  return [
    BRIGHTNESS_WEIGHT * (red + green + blue) / Math.sqrt(3),
    (red - green) / Math.sqrt(2),
    (red + green - 2 * blue) / Math.sqrt(6),
  ];
}
