import { embedding } from "../ops/indexing.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import type { HostGenerator } from "./host_generator.ts";
import { normal } from "./init.ts";
import { Module, type Parameter } from "./module.ts";
import { filled } from "./weights.ts";

/** A learned vector for each of `count` classes: i32 [...] to [..., features]. */
export class Embedding extends Module {
  /** [count, features], normal at first. */
  readonly weight: Parameter;

  /** A table of `count` vectors of `features` numbers. */
  constructor(count: number, features: number, options: { generator?: HostGenerator } = {}) {
    super();
    this.weight = filled([count, features], 0);
    normal(this.weight, options);
  }

  /** The vectors that the whole numbers of `index` name. */
  forward(index: TensorLike): Tensor {
    return embedding(index, this.weight);
  }
}
