// Adaptive discriminator augmentation: Karras, Aittala, Hellsten, Laine, Lehtinen, Aila, "Training Generative
// Adversarial Networks with Limited Data", NeurIPS 2020, arXiv:2006.06676, sections 2 and 3, appendix B. Pictures are
// changed before discriminators see them, each change with a probability that follows how far the discriminator
// overfits: below some 0.8 what is changed does not leak into what is drawn.
//
// Of the paper's changes of pixels, geometry and colour, arbitrary rotations are left out, and pictures are
// resampled bilinearly, mirrored at their edges.

import { definePlugin, type Plugin, type Step } from "kao/plugin";
import {
  abs,
  add,
  arange,
  cast,
  clamp,
  concat,
  cos,
  div,
  exp,
  floor,
  full,
  ge,
  type Generator,
  gt,
  le,
  lt,
  matmul,
  mean,
  mul,
  permute,
  relu,
  reshape,
  sign,
  sin,
  slice,
  sub,
  type Tensor,
  Variable,
  where,
} from "kao/engine";

const CHANGES = ["flip", "turn", "translation", "scale", "color"] as const;
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
        const [count, , , size] = images.shape, chance = new Chance(random, { p: p.value, count });
        const moves = changes.some((change) => change !== "color");
        const warped = moves ? warp(images, drawWarp(chance, { size, changes })) : images;
        return changes.includes("color") ? recolor(warped, drawColor(chance)) : warped;
      },
      metrics: {
        signs: ({ real }) => mean(sign(real.source)),
        p({ real }: Step) {
          const sum = add(signs, mean(sign(real.source))), count = add(batches, 1);
          const due = cast(ge(count, INTERVAL), "f32"), pending = sub(1, due);
          const moved = mul(sign(sub(mul(sum, 1 / INTERVAL), target)), mul(due, stride));
          const next = clamp(add(p, moved), { min: 0, max: 1 });
          p.assign(next);
          signs.assign(mul(sum, pending));
          batches.assign(mul(count, pending));
          return next;
        },
      },
    };
  },
});

/** Draws what happens to each picture, `[batch, 1, 1, 1]`: each with a probability, else what changes nothing. */
class Chance {
  readonly #random: Generator;
  readonly #p: Tensor;
  readonly #shape: readonly number[];

  constructor(random: Generator, { p, count }: { p: Tensor; count: number }) {
    this.#random = random;
    this.#p = p;
    this.#shape = [count, 1, 1, 1];
  }

  normal(deviation: number): Tensor {
    return this.#maybe(mul(this.#random.normal(this.#shape), deviation));
  }

  /** Even within `most` of 0. */
  within(most: number): Tensor {
    return this.#maybe(mul(sub(this.#random.uniform(this.#shape), 0.5), 2 * most));
  }

  /** A whole number from 0 to below `high`, in f32. */
  whole(high: number): Tensor {
    return this.#maybe(cast(this.#random.randint(high, this.#shape), "f32"));
  }

  #maybe(drawn: Tensor): Tensor {
    return where(lt(this.#random.uniform(this.#shape), this.#p), drawn, 0);
  }
}

/** Along one axis, what is `x` pixels from the middle is moved to `factor * x + shift`; both `[batch, 1, 1, 1]`. */
export interface AxisChange {
  readonly factor: Tensor;
  readonly shift: Tensor;
}

/** A change of geometry: rows are swapped for columns where `swap`, `[batch, 1, 1, 1]`, is 1; then the axes are changed. */
export interface Warp {
  readonly swap: Tensor;
  readonly down: AxisChange;
  readonly across: AxisChange;
}

function drawWarp(
  chance: Chance,
  { size, changes }: { size: number; changes: readonly Change[] },
): Warp {
  const has = (change: Change): boolean => changes.includes(change);
  const none = full([1, 1, 1, 1], 0);
  const mirrored = has("flip") ? chance.whole(2) : none;
  // By quarters of a circle: rows for columns where odd; then upside down for 1 and 2, mirrored for 2 and 3.
  const quarters = has("turn") ? chance.whole(4) : none;
  const is = (yes: Tensor): Tensor => cast(yes, "f32");
  const upsideDown = mul(is(ge(quarters, 1)), is(le(quarters, 2)));
  const turned = mul(opposite(is(ge(quarters, 2))), opposite(mirrored));
  const scale = (deviation: number): Tensor => has("scale") ? chance.normal(deviation) : none;
  const both = scale(0.2), stretch = scale(0.2);
  const axis = (direction: Tensor, exponent: Tensor): AxisChange => {
    const by = exp(mul(exponent, Math.LN2));
    const whole = has("translation") ? floor(add(chance.within(size / 8), 0.5)) : none;
    return { factor: mul(direction, by), shift: add(mul(whole, by), scale(size / 8)) };
  };
  return {
    swap: sub(quarters, mul(floor(mul(quarters, 0.5)), 2)),
    down: axis(opposite(upsideDown), sub(both, stretch)),
    across: axis(turned, add(both, stretch)),
  };
}

/** -1 for 1, and 1 for 0. */
const opposite = (yes: Tensor): Tensor => sub(1, mul(yes, 2));

/** Pictures `[batch, 3, size, size]`, warped: between pixels straight, beyond the edges mirrored. */
export function warp(images: Tensor, { swap, down, across }: Warp): Tensor {
  const [, , height, width] = images.shape;
  const swapped = where(gt(swap, 0), permute(images, [0, 1, 3, 2]), images);
  const moved = matmul(resampling(down, height), swapped);
  return matmul(moved, resampling(across, width), { transposeB: true });
}

/** The matrix `[batch, 1, length, length]` that makes a changed row or column of one: products, as their derivative is one. */
function resampling({ factor, shift }: AxisChange, length: number): Tensor {
  const pixels = arange(length, { dtype: "f32" }), middle = (length - 1) / 2;
  const to = reshape(sub(pixels, middle), [1, 1, length, 1]);
  // Where each pixel comes from: counted from the edge, and folded there.
  const from = add(div(sub(to, shift), factor), middle + 0.5);
  const round = sub(from, mul(floor(mul(from, 0.5 / length)), 2 * length));
  const folded = sub(length, abs(sub(round, length)));
  const at = clamp(sub(folded, 0.5), { min: 0, max: length - 1 });
  return relu(sub(1, abs(sub(at, pixels))));
}

/**
 * A change of colour, each `[batch, 1, 1, 1]`: `light`, the mean of the channels, becomes `gain * light + offset`; what
 * colours differ from it is stretched by `chroma`, and turned by `angle` about the axis of greys.
 */
export interface Recolor {
  readonly gain: Tensor;
  readonly offset: Tensor;
  readonly chroma: Tensor;
  readonly angle: Tensor;
}

function drawColor(chance: Chance): Recolor {
  const brightness = chance.normal(0.2), contrast = exp(mul(chance.normal(0.5), Math.LN2));
  const inverted = opposite(chance.whole(2)), angle = chance.within(Math.PI);
  const saturation = exp(mul(chance.normal(1), Math.LN2));
  const gain = mul(contrast, inverted);
  return { gain, offset: mul(brightness, gain), chroma: mul(contrast, saturation), angle };
}

/** Pictures `[batch, 3, height, width]` in other colours. */
export function recolor(images: Tensor, { gain, offset, chroma, angle }: Recolor): Tensor {
  const light = mean(images, { dim: 1, keepdim: true }), colour = sub(images, light);
  const [r, g, b] = [0, 1, 2].map((c) => slice(colour, [null, [c, c + 1]]));
  // The cross product with the axis of greys.
  const across = mul(concat([sub(b, g), sub(r, b), sub(g, r)], { dim: 1 }), 1 / Math.sqrt(3));
  const turned = add(mul(colour, cos(angle)), mul(across, sin(angle)));
  return add(add(mul(light, gain), offset), mul(turned, chroma));
}

export default ada;
