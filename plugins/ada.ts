// Adaptive discriminator augmentation: Karras, Aittala, Hellsten, Laine, Lehtinen, Aila, "Training Generative
// Adversarial Networks with Limited Data", NeurIPS 2020, arXiv:2006.06676, sections 2 and 3, appendix B. Pictures are
// changed before discriminators see them, each change with a probability that follows how far the discriminator
// overfits: below some 0.8 what is changed does not leak into what is drawn.
//
// Of the paper's pipeline, the changes of pixels, geometry and colour are here, which it finds best; image-space filters,
// noise and cutout are not.

import { definePlugin, type Plugin, type Step } from "kao/plugin";
import {
  abs,
  add,
  cast,
  clamp,
  concat,
  cos,
  div,
  eq,
  exp,
  floor,
  full,
  ge,
  type Generator,
  gt,
  lt,
  matmul,
  mean,
  mul,
  reshape,
  sign,
  sin,
  slice,
  sqrt,
  sub,
  sum,
  type Tensor,
  tensor,
  type TensorLike,
  Variable,
  warpAffine,
  where,
} from "kao/engine";

const CHANGES = ["flip", "turn", "translation", "scale", "rotation", "color"] as const;
type Change = typeof CHANGES[number];

/** Batches from one adaptation to the next. */
const INTERVAL = 4;

const ada: Plugin = definePlugin({
  name: "ada",
  version: "1.0.0",
  help: "ADA: pictures are changed as often as the discriminator overfits, fakes differentiably",
  paper: "Karras et al. 2020, arXiv:2006.06676, sections 2 and 3",
  options: {
    changes: { type: "list", choices: CHANGES, default: CHANGES, help: "What is changed" },
    target: {
      type: "number",
      min: -1,
      max: 1,
      default: 0.6,
      help: "Mean sign of the logits of real pictures that is aimed at",
    },
    kimg: {
      type: "number",
      min: 0.001,
      default: 500,
      help: "Thousands of pictures in which the probability can go from 0 to 1",
    },
    start: { type: "number", min: 0, max: 1, default: 0, help: "Probability at the start" },
  },
  setup({ changes, target, kimg, start }, { batch, random }) {
    const p = new Variable([start], []);
    /** The sum of the mean signs of batches since the last adaptation, and how many those are. */
    const signs = new Variable([0], []), batches = new Variable([0], []);
    const stride = INTERVAL * batch / (1000 * kimg);
    return {
      state: { p, signs, batches },
      augment: (images) => {
        const [count, , height, width] = images.shape;
        const numbers = drawNumbers(random, { p: p.value, count, changes });
        const moves = movesOf(numbers, { height, width }), colors = colorsOf(numbers);
        const warped = Object.keys(moves).length > 0 ? warp(images, matrixOf(moves)) : images;
        return colors ? recolor(warped, colors) : warped;
      },
      metrics: {
        signs: ({ real }) => mean(sign(real.source)),
        p({ real }: Step) {
          const total = add(signs, mean(sign(real.source))), count = add(batches, 1);
          const due = cast(ge(count, INTERVAL), "f32"), pending = sub(1, due);
          const moved = mul(sign(sub(mul(total, 1 / INTERVAL), target)), mul(due, stride));
          const next = clamp(add(p, moved), { min: 0, max: 1 });
          p.assign(next);
          signs.assign(mul(total, pending));
          batches.assign(mul(count, pending));
          return next;
        },
      },
    };
  },
});

/** What is drawn for changes: numbers even in [-1, 1), or normal ones, in units, two of them at once. */
const DRAWN = {
  flip: { change: "flip", even: true, unit: 1 },
  turn: { change: "turn", even: true, unit: 2 },
  translation: { change: "translation", even: true, unit: 1 / 8 },
  scale: { change: "scale", even: false, unit: 0.2 },
  before: { change: "rotation", even: true, unit: Math.PI },
  stretch: { change: "scale", even: false, unit: 0.2 },
  after: { change: "rotation", even: true, unit: Math.PI },
  shift: { change: "scale", even: false, unit: 1 / 8 },
  brightness: { change: "color", even: false, unit: 0.2 },
  contrast: { change: "color", even: false, unit: 0.5 },
  inversion: { change: "color", even: true, unit: 1 },
  hue: { change: "color", even: true, unit: Math.PI },
  saturation: { change: "color", even: false, unit: 1 },
} as const satisfies Record<string, { change: Change; even: boolean; unit: number }>;

/** Numbers that are drawn for the changes there are to be, `[batch, 2]`: 0 where one does not happen. */
export type Numbers = Readonly<Partial<Record<keyof typeof DRAWN, Tensor>>>;

/** Draws for a batch of `count` pictures what happens with probability `p`, a scalar, to each of them. */
export function drawNumbers(
  random: Generator,
  { p, count, changes }: { p: Tensor; count: number; changes: readonly Change[] },
): Numbers {
  const names = (Object.keys(DRAWN) as (keyof typeof DRAWN)[])
    .filter((name) => changes.includes(DRAWN[name].change));
  const kinds = names.map((name) => DRAWN[name]), k = kinds.length;
  const those = (is: (kind: typeof kinds[number]) => boolean): Tensor =>
    gt(tensor(kinds.map((kind) => Number(is(kind))), [k, 1]), 0);
  const drawn = where(
    those(({ even }) => even),
    sub(mul(random.uniform([count, k, 2]), 2), 1),
    random.normal([count, k, 2]),
  );
  // There are two rotations: one or both happen with probability p.
  const likely = where(those(({ change }) => change === "rotation"), sub(1, sqrt(sub(1, p))), p);
  const happening = where(lt(random.uniform([count, k, 1]), likely), drawn, 0);
  // By a matrix product, whose result lies in memory: it is read at many places, and else would be drawn
  // anew at each of them.
  const units = new Float32Array(4 * k * k);
  kinds.forEach(({ unit }, i) => [0, 1].forEach((j) => units[(2 * i + j) * (2 * k + 1)] = unit));
  const numbers = matmul(reshape(happening, [count, 2 * k]), tensor(units, [2 * k, 2 * k]));
  return Object.fromEntries(
    names.map((name, i) => [name, slice(numbers, [null, [2 * i, 2 * i + 2]])]),
  );
}

/** The first of the numbers that were drawn, `[batch, 1, 1, 1]`. */
function single(numbers: Tensor): Tensor {
  return reshape(slice(numbers, [null, [0, 1]]), [numbers.shape[0], 1, 1, 1]);
}

/** 2 to the power of it. */
const factor = (exponent: Tensor): Tensor => exp(mul(exponent, Math.LN2));

/** 1 for one half of the even numbers, and 0 for the other, and where nothing happens. */
const half = (even: Tensor): Tensor => cast(lt(even, 0), "f32");

/** How pictures are moved, in this order; each `[batch, 1, 1, 1]`. Changes that are left out do not happen. */
export interface Moves {
  /** 1 where left and right are swapped, else 0. */
  readonly flip?: Tensor;
  /** Quarters of a circle, -2 to 1. */
  readonly turn?: Tensor;
  /** Whole pixels to the right and down, `[batch, 1, 1, 2]`. */
  readonly translation?: Tensor;
  readonly scale?: Tensor;
  /** An angle. */
  readonly before?: Tensor;
  /** Factor of the width, and divisor of the height. */
  readonly stretch?: Tensor;
  /** An angle. */
  readonly after?: Tensor;
  /** Pixels and parts of them to the right and down, `[batch, 1, 1, 2]`. */
  readonly shift?: Tensor;
}

/** The moves of pictures of a size by what was drawn. */
export function movesOf(
  { flip, turn, translation, scale, before, stretch, after, shift }: Numbers,
  { height, width }: { height: number; width: number },
): Moves {
  const both = (numbers: Tensor): Tensor =>
    mul(reshape(numbers, [numbers.shape[0], 1, 1, 2]), tensor([width, height]));
  return {
    ...(flip && { flip: half(single(flip)) }),
    ...(turn && { turn: floor(single(turn)) }),
    ...(translation && { translation: floor(add(both(translation), 0.5)) }),
    ...(scale && { scale: factor(single(scale)) }),
    ...(before && { before: single(before) }),
    ...(stretch && { stretch: factor(single(stretch)) }),
    ...(after && { after: single(after) }),
    ...(shift && { shift: both(shift) }),
  };
}

/**
 * The one matrix of some moves, `[batch, 2, 3]` as `warpAffine` takes it: of the offset from the middle of the
 * changed picture it makes the one that is shown there.
 */
export function matrixOf(moves: Moves): Tensor {
  const { flip, turn, translation, scale, before, stretch, after, shift } = moves;
  const [{ shape: [count] }] = Object.values(moves);
  const steps: MatrixStep[] = [];
  if (flip) steps.push(scaled(sub(1, mul(flip, 2)), 1));
  if (turn) {
    const is = (quarters: number): Tensor => cast(eq(turn, quarters), "f32");
    steps.push(turned(sub(is(0), is(-2)), sub(is(1), is(-1))));
  }
  if (translation) steps.push(moved(translation));
  if (scale) steps.push(scaled(div(1, scale), div(1, scale)));
  if (before) steps.push(turned(cos(before), sin(before)));
  if (stretch) steps.push(scaled(div(1, stretch), stretch));
  if (after) steps.push(turned(cos(after), sin(after)));
  if (shift) steps.push(moved(shift));
  const number = (value: number): Tensor => full([count, 1, 1, 1], value);
  const row = (right: number, down: number): Tensor => {
    const start: Row = [number(right), number(down), number(0)];
    return concat(steps.reduce((row, step) => step(row), start), { dim: 3 });
  };
  return reshape(concat([row(1, 0), row(0, 1)], { dim: 2 }), [count, 2, 3]);
}

/** A row `[p, q, r]` of a matrix, `p x + q y + r`. */
type Row = readonly [Tensor, Tensor, Tensor];

/** Multiplies a matrix, row by row, with one from the right: with the inverse of what is done to pictures. */
type MatrixStep = (row: Row) => Row;

const scaled =
  (x: TensorLike, y: TensorLike): MatrixStep => ([p, q, r]) => [mul(p, x), mul(q, y), r];

const turned = (cosine: Tensor, sine: Tensor): MatrixStep => ([p, q, r]) => [
  add(mul(p, cosine), mul(q, sine)),
  sub(mul(q, cosine), mul(p, sine)),
  r,
];

function moved(by: Tensor): MatrixStep {
  const [x, y] = [0, 1].map((axis) => slice(by, [null, null, null, [axis, axis + 1]]));
  return ([p, q, r]) => [p, q, sub(r, add(mul(p, x), mul(q, y)))];
}

/**
 * Pictures `[batch, 3, height, width]` moved by matrices `[batch, 2, 3]`; beyond their edges they go on mirrored. As in
 * the paper, they are resampled at twice their size, between a low-pass filter and its transpose. What a picture's
 * matrix leaves in place is not touched.
 */
export function warp(images: Tensor, matrix: Tensor): Tensor {
  const [count, , height, width] = images.shape;
  const fine = resample(images, { down: doubling(height), across: doubling(width) });
  // Offsets are twice as long there.
  const size = [2 * height + 2 * MARGIN, 2 * width + 2 * MARGIN] as const;
  const warped = warpAffine(fine, mul(matrix, tensor([1, 1, 2])), { size });
  const halved = resample(warped, { down: halving(height), across: halving(width) });
  const change = sum(abs(sub(matrix, tensor([1, 0, 0, 0, 1, 0], [2, 3]))), { dim: [1, 2] });
  return where(gt(reshape(change, [count, 1, 1, 1]), 0), halved, images);
}

/**
 * The low-pass filter of Daubechies' least asymmetric wavelet with 6 vanishing moments (sym6): orthogonal, so that
 * filtering to twice the size and back changes nothing.
 */
export const SYM6: readonly number[] = [
  ...[0.015404109327027373, 0.0034907120842174702, -0.11799011114819057, -0.048311742585633],
  ...[0.4910559419267466, 0.787641141030194, 0.3379294217276218, -0.07263752278646252],
  ...[-0.021060292512300564, 0.04472490177066578, 0.0017677118642428036, -0.007800708325034148],
];

/** Pixels of the doubled size beyond each edge that the filter reaches. */
const MARGIN = SYM6.length / 2;

/** The matrix `[2 * length, length]` that doubles a mirrored row. */
function doubling(length: number): Tensor {
  const matrix = new Float32Array(2 * length * length);
  for (let to = 0; to < 2 * length; to++) {
    for (let k = 0; k < SYM6.length; k++) {
      const from = (to + MARGIN - 1 - k) / 2;
      if (!Number.isInteger(from)) continue;
      const around = ((from % (2 * length)) + 2 * length) % (2 * length);
      const at = Math.min(around, 2 * length - 1 - around);
      matrix[to * length + at] += Math.SQRT2 * SYM6[k];
    }
  }
  return tensor(matrix, [2 * length, length]);
}

/** The matrix `[length, 2 * length + 2 * MARGIN]` that halves a row which goes on beyond its edges. */
function halving(length: number): Tensor {
  const across = 2 * length + 2 * MARGIN, matrix = new Float32Array(length * across);
  for (let to = 0; to < length; to++) {
    SYM6.forEach((weight, k) => matrix[to * across + 2 * to + k + 1] = Math.SQRT1_2 * weight);
  }
  return tensor(matrix, [length, across]);
}

/** Multiplies columns of pixels with one matrix, and rows of them with the other. */
const resample = (images: Tensor, by: { down: Tensor; across: Tensor }): Tensor =>
  matmul(matmul(by.down, images), by.across, { transposeB: true });

/** How colours are changed, in this order; each `[batch, 1, 1, 1]`. */
export interface Colors {
  /** Added to all channels. */
  readonly brightness: Tensor;
  /** Factor of all channels. */
  readonly contrast: Tensor;
  /** 1 where light is swapped for dark, 0 else. */
  readonly inversion: Tensor;
  /** An angle about the axis of greys. */
  readonly hue: Tensor;
  /** Factor of what channels differ from their mean. */
  readonly saturation: Tensor;
}

/** The colours by what was drawn. */
export function colorsOf(numbers: Numbers): Colors | undefined {
  const { brightness, contrast, inversion, hue, saturation } = numbers;
  if (!brightness || !contrast || !inversion || !hue || !saturation) return undefined;
  return {
    brightness: single(brightness),
    contrast: factor(single(contrast)),
    inversion: half(single(inversion)),
    hue: single(hue),
    saturation: factor(single(saturation)),
  };
}

/**
 * Pictures `[batch, 3, height, width]` in other colours: all changes as one affine map of a pixel's channels. It is
 * written as what is added to a pixel, so that where nothing is changed no bit is.
 */
export function recolor(images: Tensor, colors: Colors): Tensor {
  const { brightness, contrast, inversion, hue, saturation } = colors;
  const light = mean(images, { dim: 1, keepdim: true }), color = sub(images, light);
  const gain = mul(contrast, sub(1, mul(inversion, 2))), chroma = mul(contrast, saturation);
  const [r, g, b] = [0, 1, 2].map((c) => slice(color, [null, [c, c + 1]]));
  // The cross product with the axis of greys.
  const across = mul(concat([sub(b, g), sub(r, b), sub(g, r)], { dim: 1 }), 1 / Math.sqrt(3));
  const ofLight = add(mul(light, sub(gain, 1)), mul(brightness, gain));
  const ofColor = add(
    mul(color, sub(mul(chroma, cos(hue)), 1)),
    mul(across, mul(chroma, sin(hue))),
  );
  return add(images, add(ofLight, ofColor));
}

export default ada;
