import { asTensor } from "../ops/source.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { type Layer, Module } from "./module.ts";

/** Layers one after the other, named by their place: `0.weight`, `2.bias`. */
export class Sequential extends Module {
  readonly #layers: readonly Layer[];

  /** Layers in the order in which they are applied. */
  constructor(...layers: readonly Layer[]) {
    super();
    this.#layers = layers;
  }

  /** The layers by their place. */
  override members(): Record<string, unknown> {
    return { ...this.#layers };
  }

  /** The result of the last layer. */
  forward(x: TensorLike): Tensor {
    return this.#layers.reduce((value, layer) => layer.forward(value), asTensor(x));
  }
}
