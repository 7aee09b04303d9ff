import { asTensor } from "../ops/source.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { type Layer, Module } from "./module.ts";

/** Layers one after the other, named by their place: `0.weight`, `2.bias`. */
export class Sequential extends Module {
  readonly #layers: readonly Layer[];

  constructor(...layers: readonly Layer[]) {
    super();
    this.#layers = layers;
  }

  override members(): Record<string, unknown> {
    return { ...this.#layers };
  }

  forward(x: TensorLike): Tensor {
    return this.#layers.reduce((value, layer) => layer.forward(value), asTensor(x));
  }
}
