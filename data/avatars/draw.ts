// A head and shoulders in flat colours, painted from back to front. The picture's side is 1; the head
// leans about the chin, the shoulders stay.

import type { AvatarAttributes } from "./attributes.ts";
import { Canvas } from "./canvas.ts";
import {
  type Colour,
  EYE_COLOURS,
  HAIR_COLOURS,
  hueColour,
  mixColours,
  SKIN_TONES,
} from "./palette.ts";
import {
  above,
  below,
  circle,
  ellipse,
  grow,
  intersection,
  lock,
  outline,
  rotate,
  type Shape,
  union,
} from "./shapes.ts";

const BLACK: Colour = [30, 24, 38];
const WHITE: Colour = [255, 255, 255];
const BLUSH: Colour = [255, 96, 110];
const MOUTH: Colour = [150, 36, 52];
const FRAMES: Colour = [52, 40, 62];
const LARGEST_TILT = 15 * Math.PI / 180;

/** Paints shapes that lean with the head. */
type Paint = (shape: Shape, colour: Colour, opacity?: number) => void;

/**
 * Draws one avatar as planes (CHW bytes, `3 * size * size`).
 *
 * ```ts
 * import { randomAttributes } from "./attributes.ts";
 * const picture = drawAvatar({ ...randomAttributes(7, 0), hair: "pink" }, 64);
 * ```
 */
export function drawAvatar(attributes: AvatarAttributes, size: number): Uint8Array<ArrayBuffer> {
  const backdrop = hueColour(attributes.background);
  const canvas = new Canvas(size, {
    top: mixColours(WHITE, backdrop, 0.12),
    bottom: mixColours(WHITE, backdrop, 0.38),
  });
  const turn = { x: 0.5, y: 0.74, angle: attributes.tilt * LARGEST_TILT };
  const head: Paint = (shape, colour, opacity) =>
    canvas.paint(rotate(shape, turn), colour, opacity);

  paintHairBehind(head, attributes);
  paintBody(canvas, attributes);
  paintFace(head, attributes);
  paintMouth(head, attributes.smile);
  paintEyes(head, attributes);
  paintHairInFront(head, attributes);
  if (attributes.glasses) paintGlasses(head);
  return canvas.bytes();
}

function paintHairBehind(paint: Paint, { hair, style, hairLength }: AvatarAttributes): void {
  const colour = HAIR_COLOURS[hair];
  const shade = mixColours(colour, BLACK, 0.28);
  const edge = mixColours(colour, BLACK, 0.55);
  const draw = (shape: Shape, fill: Colour) => {
    paint(grow(shape, 0.012), edge);
    paint(shape, fill);
  };
  const end = (short: number, long: number) => short + (long - short) * hairLength;
  if (style === "short") {
    const y = end(0.52, 0.68);
    draw(
      union(lock([0.27, 0.42, 0.15], [0.29, y, 0.11]), lock([0.73, 0.42, 0.15], [0.71, y, 0.11])),
      shade,
    );
  } else if (style === "long") {
    const y = end(0.8, 1.1);
    draw(
      union(
        lock([0.3, 0.42, 0.17], [0.23, y, 0.15]),
        lock([0.7, 0.42, 0.17], [0.77, y, 0.15]),
        lock([0.5, 0.42, 0.2], [0.5, y, 0.2]),
      ),
      shade,
    );
  } else if (style === "ponytail") {
    const y = end(0.5, 0.92);
    draw(
      union(
        lock([0.74, 0.2, 0.07], [0.88, 0.34, 0.105]),
        lock([0.88, 0.34, 0.105], [0.87, y, 0.03]),
      ),
      colour,
    );
    paint(circle(0.745, 0.2, 0.05), edge);
  } else {
    const y = end(0.58, 0.98);
    for (const side of [-1, 1]) {
      const x = (offset: number) => 0.5 + side * offset;
      draw(
        union(
          lock([x(0.3), 0.24, 0.07], [x(0.4), 0.44, 0.1]),
          lock([x(0.4), 0.44, 0.1], [x(0.38), y, 0.025]),
        ),
        colour,
      );
      paint(circle(x(0.3), 0.235, 0.05), edge);
    }
  }
}

function paintBody(canvas: Canvas, { skin, clothes }: AvatarAttributes): void {
  const shirt = mixColours(hueColour(clothes), [130, 130, 150], 0.4);
  const shade = mixColours(SKIN_TONES[skin], MOUTH, 0.22);
  const shoulders = ellipse(0.5, 1.12, 0.38, 0.25);
  canvas.paint(grow(shoulders, 0.012), mixColours(shirt, BLACK, 0.5));
  canvas.paint(shoulders, shirt);
  canvas.paint(lock([0.5, 0.74, 0.075], [0.5, 0.9, 0.085]), shade);
}

function paintFace(paint: Paint, { skin }: AvatarAttributes): void {
  const colour = SKIN_TONES[skin];
  const edge = mixColours(colour, MOUTH, 0.45);
  const face = lock([0.5, 0.5, 0.265], [0.5, 0.705, 0.105]);
  for (const side of [-1, 1]) {
    const ear = ellipse(0.5 + side * 0.265, 0.57, 0.045, 0.065);
    paint(grow(ear, 0.01), edge);
    paint(ear, colour);
  }
  paint(grow(face, 0.01), edge);
  paint(face, colour);
  for (const side of [-1, 1]) paint(ellipse(0.5 + side * 0.165, 0.67, 0.05, 0.026), BLUSH, 0.35);
  paint(circle(0.5, 0.655, 0.01), edge);
}

function paintMouth(paint: Paint, smile: number): void {
  const half = 0.045 + 0.03 * smile;
  // Both lips are parabolas between the corners of the mouth; a frown bends them up in the middle.
  const corner = 0.715 - 0.02 * smile;
  const lip = (depth: number) => (x: number) =>
    corner + depth * (1 - Math.min(1, ((x - 0.5) / half) ** 2));
  const lower = -0.02 + 0.1 * smile;
  const upper = Math.min(lower, 0.012);
  const sides = (x: number) => Math.abs(x - 0.5) - half;
  const slope = 2 * Math.max(Math.abs(lower), 0.012) / half;
  const opening = intersection(below(lip(upper), slope), above(lip(lower), slope), sides);
  paint(grow(opening, 0.01), MOUTH);
}

function paintEyes(paint: Paint, { eyes, hair }: AvatarAttributes): void {
  const iris = EYE_COLOURS[eyes];
  const brow = mixColours(HAIR_COLOURS[hair], BLACK, 0.5);
  for (const side of [-1, 1]) {
    const x = 0.5 + side * 0.128;
    const white = ellipse(x, 0.575, 0.072, 0.083);
    paint(white, WHITE);
    paint(intersection(ellipse(x, 0.58, 0.056, 0.078), white), mixColours(iris, BLACK, 0.25));
    paint(intersection(ellipse(x, 0.592, 0.047, 0.062), white), iris);
    paint(ellipse(x, 0.575, 0.022, 0.035), BLACK);
    paint(intersection(outline(white, 0.026), (_, y) => y - 0.555), BLACK);
    paint(lock([x + side * 0.06, 0.535, 0.014], [x + side * 0.088, 0.52, 0.006]), BLACK);
    paint(circle(x - 0.02, 0.545, 0.02), WHITE);
    paint(
      lock([x - 0.045, 0.462 - side * 0.006, 0.009], [x + 0.045, 0.462 + side * 0.006, 0.009]),
      brow,
    );
  }
}

function paintHairInFront(paint: Paint, { hair, style, hairLength }: AvatarAttributes): void {
  const colour = HAIR_COLOURS[hair];
  const edge = mixColours(colour, BLACK, 0.55);
  const shine = mixColours(colour, WHITE, 0.45);
  const crown = ellipse(0.5, 0.42, 0.325, 0.325);
  // A fringe of pointed strands, longest at the temples.
  const fringe = (x: number) => {
    const strand = Math.abs(((x - 0.5) / 0.115 + 100.25) % 1 - 0.5);
    return 0.375 + 0.13 * strand + 0.9 * (x - 0.5) ** 2;
  };
  const temple = style === "short" ? 0.56 : 0.62 + 0.1 * hairLength;
  const strands = union(
    intersection(crown, above(fringe, 2.1)),
    lock([0.225, 0.4, 0.055], [0.215, temple, 0.012]),
    lock([0.775, 0.4, 0.055], [0.785, temple, 0.012]),
  );
  paint(grow(strands, 0.012), edge);
  paint(strands, colour);
  // Light falls on the crown as a band that follows its curve.
  const crest = outline(circle(0.5, 0.5, 0.3), 0.035);
  const left = (x: number) => Math.abs(x - 0.4) - 0.1;
  paint(intersection(crest, left, above(() => 0.4, 0)), shine, 0.8);
}

function paintGlasses(paint: Paint): void {
  for (const side of [-1, 1]) {
    const x = 0.5 + side * 0.128;
    const lens = ellipse(x, 0.58, 0.102, 0.1);
    paint(lens, WHITE, 0.16);
    paint(outline(lens, 0.022), FRAMES);
    paint(lock([x + side * 0.1, 0.565, 0.01], [x + side * 0.14, 0.55, 0.01]), FRAMES);
  }
  paint(lock([0.475, 0.57, 0.011], [0.525, 0.57, 0.011]), FRAMES);
}
