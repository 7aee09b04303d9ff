// DiffAugment: Zhao, Liu, Lin, Zhu, Han, "Differentiable Augmentation for Data-Efficient GAN Training",
// NeurIPS 2020, arXiv:2006.10738. Every picture that discriminators see, real or fake, is changed at random,
// and fakes in a way that gradients pass through: the discriminator cannot learn few pictures by heart, and
// the generator does not learn to draw changed ones.

import { definePlugin, type Plugin } from "kao/plugin";
import {
  abs,
  add,
  arange,
  cast,
  eq,
  type Generator,
  lt,
  matmul,
  maximum,
  mean,
  mul,
  reshape,
  sub,
  type Tensor,
  where,
} from "kao/engine";

const NAMES = ["color", "translation", "cutout"] as const;

const diffAugment: Plugin = definePlugin({
  name: "diff-augment",
  version: "1.0.0",
  help:
    "DiffAugment: all pictures that discriminators see are changed at random, fakes differentiably",
  paper: "Zhao et al. 2020, arXiv:2006.10738, section 4",
  options: {
    policy: {
      type: "list",
      choices: NAMES,
      default: NAMES,
      help: "What is changed, one after the other",
    },
  },
  setup: ({ policy }, { random }) => ({
    augment: (images) =>
      policy.reduce((changed, name) => {
        const { draw, apply } = augmentations[name];
        return apply(changed, draw(random, images.shape));
      }, images),
  }),
});

/** Random numbers by name, one a picture: `[batch, 1, 1, 1]`. */
export type Draws = Readonly<Record<string, Tensor>>;

/** A random change of pictures, taken apart: what is drawn, and what is done by that. */
export interface Augmentation {
  /** Draws for pictures of a shape `[batch, channels, height, width]`. */
  draw(random: Generator, shape: readonly number[]): Draws;
  /** The changed pictures. */
  apply(images: Tensor, draws: Draws): Tensor;
}

/** Brightness, then saturation about the mean of the channels, then contrast about the picture's mean. */
const color: Augmentation = {
  draw(random, [batch]) {
    const uniform = () => random.uniform([batch, 1, 1, 1]);
    return { brightness: uniform(), saturation: uniform(), contrast: uniform() };
  },
  apply(images, { brightness, saturation, contrast }) {
    const brighter = add(images, sub(brightness, 0.5));
    const saturated = about(
      mean(brighter, { dim: 1, keepdim: true }),
      brighter,
      mul(saturation, 2),
    );
    const middle = mean(saturated, { dim: [1, 2, 3], keepdim: true });
    return about(middle, saturated, add(contrast, 0.5));
  },
};

/** Moves pictures by whole pixels, up to an eighth of their sides; what comes in is 0, a middle grey. */
const translation: Augmentation = {
  draw(random, [batch, , height, width]) {
    const shift = (length: number): Tensor => {
      const most = Math.round(length / 8);
      return sub(random.randint(2 * most + 1, [batch, 1, 1, 1]), most);
    };
    return { down: shift(height), right: shift(width) };
  },
  // Two products with matrices of zeros and ones. Choosing by index is as fast, but not its derivative:
  // that looks through a whole axis for each pixel.
  apply(images, { down, right }) {
    const [, , height, width] = images.shape;
    const moved = matmul(shiftMatrix(down, height), images);
    return matmul(moved, shiftMatrix(right, width), { transposeB: true });
  },
};

/** Paints a square of half the side, in place anywhere, partly outside too, with 0. */
const cutout: Augmentation = {
  draw(random, [batch, , height, width]) {
    // Squares of an even side have their middle between pixels, and so one more place to lie.
    const middle = (length: number): Tensor =>
      random.randint(length + 1 - Math.round(length / 2) % 2, [batch, 1, 1, 1]);
    return { row: middle(height), column: middle(width) };
  },
  apply(images, { row, column }) {
    const [, , height, width] = images.shape;
    /** How far each pixel of a side is from the middle, in half the square's sides. */
    const distance = (middle: Tensor, length: number): Tensor => {
      const side = Math.round(length / 2), even = 1 - side % 2;
      const from = sub(arange(length, { dtype: "f32" }), sub(cast(middle, "f32"), even / 2));
      return mul(abs(from), 2 / side);
    };
    const rows = reshape(distance(row, height), [-1, 1, height, 1]);
    return where(lt(maximum(rows, distance(column, width)), 1), 0, images);
  },
};

/** Every augmentation by the name that it has in `policy`. */
export const augmentations: Readonly<Record<typeof NAMES[number], Augmentation>> = {
  color,
  translation,
  cutout,
};

/** `x` with its distance from a middle changed by a factor. */
function about(middle: Tensor, x: Tensor, factor: Tensor): Tensor {
  return add(mul(sub(x, middle), factor), middle);
}

/** For each picture the matrix `[batch, 1, length, length]` that moves a column by `shift` towards its end. */
function shiftMatrix(shift: Tensor, length: number): Tensor {
  const to = reshape(arange(length), [1, 1, length, 1]);
  return cast(eq(to, add(arange(length), shift)), "f32");
}

export default diffAugment;
