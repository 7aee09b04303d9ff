// Convolution layers: the ops of ops/conv2d.ts with weights of their own.

import { conv2d, type ConvOptions, convTranspose2d, type Pair, pair } from "../ops/conv2d.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import type { Parameter } from "./module.ts";
import { WeightedLayer } from "./weighted_layer.ts";
import { weightAndBias, type WeightOptions } from "./weights.ts";

/** What convolution layers take; lengths are in pixels, for both axes or `[height, width]`. */
export interface Conv2dOptions extends WeightOptions, Omit<ConvOptions, "bias"> {
  /** The height and width of the kernels. */
  readonly kernelSize: Pair;
}

/** Cross-correlation of [N, inChannels, H, W] with a learned kernel for each pair of channels. */
export class Conv2d extends WeightedLayer {
  /** [outChannels, inChannels / groups, kernel height, kernel width] */
  readonly weight: Parameter;
  /** [outChannels] */
  readonly bias: Parameter | undefined;
  readonly #geometry: Omit<ConvOptions, "bias">;

  /** A layer whose weights are drawn as PyTorch's. */
  constructor(inChannels: number, outChannels: number, options: Conv2dOptions) {
    super();
    const { kernelSize, stride, padding, dilation, groups = 1 } = options;
    this.#geometry = { stride, padding, dilation, groups };
    ({ weight: this.weight, bias: this.bias } = weightAndBias(
      [outChannels, inChannels / groups, ...pair(kernelSize)],
      outChannels,
      options,
    ));
  }

  /** [N, inChannels, H, W] to [N, outChannels, H', W']. */
  forward(x: TensorLike): Tensor {
    return conv2d(x, this.usedWeight, { ...this.#geometry, bias: this.bias });
  }
}

/** The transpose of {@linkcode Conv2d} with its channels exchanged; with stride 2 it enlarges. */
export class ConvTranspose2d extends WeightedLayer {
  /** [inChannels, outChannels / groups, kernel height, kernel width] */
  readonly weight: Parameter;
  /** [outChannels] */
  readonly bias: Parameter | undefined;
  readonly #geometry: Omit<ConvOptions, "bias"> & { readonly outputPadding?: Pair };

  /** A layer whose weights are drawn as PyTorch's. */
  constructor(
    inChannels: number,
    outChannels: number,
    options: Conv2dOptions & { readonly outputPadding?: Pair },
  ) {
    super();
    const { kernelSize, stride, padding, outputPadding, dilation, groups = 1 } = options;
    this.#geometry = { stride, padding, outputPadding, dilation, groups };
    ({ weight: this.weight, bias: this.bias } = weightAndBias(
      [inChannels, outChannels / groups, ...pair(kernelSize)],
      outChannels,
      options,
    ));
  }

  /** [N, inChannels, H, W] to [N, outChannels, H', W']. */
  forward(x: TensorLike): Tensor {
    return convTranspose2d(x, this.usedWeight, { ...this.#geometry, bias: this.bias });
  }
}
