import { formatShape } from "../dtype.ts";
import { add, detach, mul } from "../ops/elementwise.ts";
import { batchNorm, batchNormInference } from "../ops/normalization.ts";
import { asTensor } from "../ops/source.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { Variable } from "../variable.ts";
import { Module, type Parameter } from "./module.ts";
import { filled } from "./weights.ts";

/**
 * Batch normalisation of each channel of [N, C, H, W] (or [N, C]): in training by the statistics of
 * the batch, which also move the running ones, otherwise by the running ones.
 */
export class BatchNorm2d extends Module {
  /** [channels], the gain, 1 at first; none unless affine. */
  readonly weight: Parameter | undefined;
  /** [channels], the shift, 0 at first; none unless affine. */
  readonly bias: Parameter | undefined;
  /** [channels], the moving mean of batches, 0 at first. */
  readonly runningMean: Variable;
  /** [channels], the moving unbiased variance of batches, 1 at first. */
  readonly runningVar: Variable;
  readonly #eps: number;
  readonly #momentum: number;

  /**
   * A layer for images of `channels` channels.
   *
   * @param options.eps added to the variance, 1e-5.
   * @param options.momentum the share of the batch in the new running statistics, 0.1.
   * @param options.affine whether a gain and a shift are learned, true.
   */
  constructor(
    channels: number,
    options: { eps?: number; momentum?: number; affine?: boolean } = {},
  ) {
    super();
    this.#eps = options.eps ?? 1e-5;
    this.#momentum = options.momentum ?? 0.1;
    const { affine = true } = options;
    this.weight = affine ? filled([channels], 1) : undefined;
    this.bias = affine ? filled([channels], 0) : undefined;
    this.runningMean = new Variable(new Float32Array(channels), [channels]);
    this.runningVar = new Variable(new Float32Array(channels).fill(1), [channels]);
  }

  /**
   * In training only inside `compile`, because running statistics are assigned.
   *
   * @throws {RangeError} in training where a channel has a single element, which has no variance.
   */
  forward(x: TensorLike): Tensor {
    const { weight, bias } = this, eps = this.#eps;
    const input = asTensor(x);
    if (!this.training) {
      const { runningMean: mean, runningVar: variance } = this;
      return batchNormInference(input, { mean, variance, weight, bias, eps });
    }
    const { output, mean, variance } = batchNorm(input, { weight, bias, eps });
    const count = input.size / mean.size;
    if (count === 1) {
      throw new RangeError(
        `Cannot train BatchNorm2d on tensor ${formatShape(input.shape)}: more than one element a ` +
          `channel is needed`,
      );
    }
    this.#move(this.runningMean, mean);
    this.#move(this.runningVar, mul(variance, count / (count - 1)));
    return output;
  }

  #move(running: Variable, batch: Tensor): void {
    const share = this.#momentum;
    running.assign(add(mul(running, 1 - share), mul(detach(batch), share)));
  }
}
