// Layers without weights, for use in a Sequential.

import { cast } from "../ops/cast.ts";
import { ge, leakyRelu, mul, relu, tanh } from "../ops/elementwise.ts";
import type { Generator } from "../ops/random.ts";
import { asTensor } from "../ops/source.ts";
import { pixelShuffle } from "../ops/spatial.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { Module } from "./module.ts";

/** `max(x, 0)`. */
export class ReLU extends Module {
  /** The activations of `x`, element by element. */
  forward(x: TensorLike): Tensor {
    return relu(x);
  }
}

/** `x` where positive, else `negativeSlope * x`. */
export class LeakyReLU extends Module {
  /** A layer of the given slope, 0.01. */
  constructor(readonly negativeSlope = 0.01) {
    super();
  }

  /** The activations of `x`, element by element. */
  forward(x: TensorLike): Tensor {
    return leakyRelu(x, { negativeSlope: this.negativeSlope });
  }
}

/** The hyperbolic tangent. */
export class Tanh extends Module {
  /** The activations of `x`, element by element. */
  forward(x: TensorLike): Tensor {
    return tanh(x);
  }
}

/** Depth to space: [N, C * r * r, H, W] to [N, C, H * r, W * r]. */
export class PixelShuffle extends Module {
  /** A layer that enlarges both sides `r` times. */
  constructor(readonly r: number) {
    super();
  }

  /** The channels of `x` as pixels. */
  forward(x: TensorLike): Tensor {
    return pixelShuffle(x, this.r);
  }
}

/**
 * In training, zeros each element with probability `p` and divides the others by 1 - p, so that the
 * mean stays (Srivastava et al. 2014, section 10).
 */
export class Dropout extends Module {
  readonly #generator: Generator;

  /**
   * A layer that drops each element with probability `p`.
   *
   * @throws {RangeError} where `p` is not in [0, 1).
   */
  constructor(readonly p: number, options: { generator: Generator }) {
    super();
    if (!(p >= 0 && p < 1)) {
      throw new RangeError(`Cannot drop out with probability ${p}: not in [0, 1)`);
    }
    this.#generator = options.generator;
  }

  /** In training only inside `compile`, because the generator's state is assigned. */
  forward(x: TensorLike): Tensor {
    const input = asTensor(x);
    if (!this.training || this.p === 0) return input;
    const kept = cast(ge(this.#generator.uniform(input.shape), this.p), "f32");
    return mul(input, mul(kept, 1 / (1 - this.p)));
  }
}
