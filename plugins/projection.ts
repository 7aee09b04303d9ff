// The projection discriminator: Miyato, Koyama, "cGANs with Projection Discriminator", ICLR 2018,
// arXiv:1802.05637, section 3. It does not tell classes: it judges whether a picture is real for its class, by
// the inner product of what it sees and a vector that it learns for each class.

import {
  type AskedLogit,
  Categorical,
  type CategoricalDescription,
  classColumns,
  type Condition,
  definePlugin,
  type Plugin,
  requireColumns,
  type Setup,
} from "kao/plugin";
import { Embedding, init, matmul, mul, oneHot, reshape, sum, type Tensor } from "kao/engine";

/** A class that the discriminator judges pictures for; without networks it can be asked for, but not trained. */
class ProjectedClass extends Categorical {
  readonly networks: { readonly embedding: Embedding };

  constructor(description: CategoricalDescription, { stages, weights }: Setup) {
    super(description);
    const [channels] = stages[stages.length - 1];
    this.networks = { embedding: new Embedding(this.classes.length, channels) };
    init.normal(this.networks.embedding.weight, { std: 0.02, generator: weights });
  }

  override get headSize(): number {
    return 0;
  }

  logit(features: Tensor, values: Tensor, _asked: AskedLogit): Tensor {
    return projection(features, values, { embedding: this.networks.embedding.weight.value });
  }
}

/**
 * `<e_y, sum of h over all places>` for features h, `[batch, channels * places]` flat, classes y `[batch]`, and
 * `[classes, channels]` vectors e: `[batch]`. A picture without a class, -1, has 0.
 */
export function projection(
  features: Tensor,
  classes: Tensor,
  { embedding }: { embedding: Tensor },
): Tensor {
  const [count, channels] = embedding.shape;
  const seen = sum(reshape(features, [features.shape[0], channels, -1]), { dim: 2 });
  // By a product: there is no row to be chosen for -1.
  return sum(mul(seen, matmul(oneHot(classes, count), embedding)), { dim: 1 });
}

const projectionPlugin: Plugin = definePlugin({
  name: "projection",
  version: "1.0.0",
  help: "The discriminator judges pictures for their classes, in place of telling classes",
  paper: "Miyato and Koyama 2018, arXiv:1802.05637, section 3",
  options: { columns: classColumns },
  columns: ({ columns }, all) => columns ?? all,
  setup: ({ columns }, setup) => ({
    conditions: requireColumns(columns, setup).map((described): Condition =>
      new ProjectedClass(described, setup)
    ),
  }),
});

export default projectionPlugin;
