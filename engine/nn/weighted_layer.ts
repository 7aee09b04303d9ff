// Weights that are used through a function of them, as PyTorch's torch.nn.utils.parametrize does it.

import type { Tensor, TensorLike } from "../tensor.ts";
import { Module, type Parameter } from "./module.ts";

/**
 * A function of a weight that a layer computes with in the weight's place, of the same shape. It is a module:
 * its variables belong to the layer, and its parameters learn with the weight.
 */
export interface Parametrization extends Module {
  /** What is used in place of the weight. */
  forward(weight: Tensor): Tensor;
}

/** A layer that multiplies by a weight: a convolution or a linear layer. */
export abstract class WeightedLayer extends Module {
  /** What it multiplies by, unless through {@linkcode parametrization}. */
  abstract readonly weight: Parameter;
  /**
   * What the weight is used through.
   *
   * @example
   * ```ts
   * import { assertEquals } from "@std/assert";
   * import { Device, Linear, Module, mul, read, sum, type Tensor, tensor } from "../mod.ts";
   * await Device.open();
   * class Twice extends Module {
   *   forward = (weight: Tensor): Tensor => mul(weight, 2);
   * }
   * const layer = new Linear(2, 1, { bias: false });
   * layer.weight.set([1, 2]);
   * layer.parametrization = new Twice();
   * assertEquals([...(await read([sum(layer.forward(tensor([1, 1])))]))[0]], [6]);
   * ```
   */
  parametrization: Parametrization | undefined = undefined;

  /** What the layer makes of `x`. */
  abstract forward(x: TensorLike): Tensor;

  /** The weight as the layer is to use it here and now. */
  protected get usedWeight(): TensorLike {
    return this.parametrization?.forward(this.weight.value) ?? this.weight;
  }
}
