import type { Tensor, TensorLike } from "../tensor.ts";
import { linear } from "../ops/linear.ts";
import type { Parameter } from "./module.ts";
import { WeightedLayer } from "./weighted_layer.ts";
import { weightAndBias, type WeightOptions } from "./weights.ts";

/** `x @ transpose(weight) + bias`: [..., inFeatures] to [..., outFeatures]. */
export class Linear extends WeightedLayer {
  /** [outFeatures, inFeatures] */
  readonly weight: Parameter;
  /** [outFeatures] */
  readonly bias: Parameter | undefined;

  /** A layer whose weights are drawn as PyTorch's. */
  constructor(inFeatures: number, outFeatures: number, options: WeightOptions = {}) {
    super();
    ({ weight: this.weight, bias: this.bias } = weightAndBias(
      [outFeatures, inFeatures],
      outFeatures,
      options,
    ));
  }

  /** The linear map of the last axis. */
  forward(x: TensorLike): Tensor {
    return linear(x, this.usedWeight, { bias: this.bias });
  }
}
