// The auxiliary discriminative classifier: Hou, Cao, Shen, Cheng, "Conditional GANs with Auxiliary Discriminative
// Classifier", ICML 2022, arXiv:2107.10060, section 4. One classifier of twice the classes tells a picture's class
// and whether it is real at once, and so tells the generator what of a class is missing in what it draws.

import {
  type Asked,
  Categorical,
  classColumns,
  type ConditionWeights,
  definePlugin,
  type Plugin,
  requireColumns,
} from "kao/plugin";
import { add, crossEntropy, logsumexp, reshape, slice, stack, sub, type Tensor } from "kao/engine";

/** A class that is told together with real or fake: the head's first half is for real pictures of each class. */
class DiscriminatedClass extends Categorical {
  readonly weights: ConditionWeights = { fake: 1 };

  override get headSize(): number {
    return 2 * this.classes.length;
  }

  override loss(head: Tensor, values: Tensor, asked: Asked): Tensor {
    if (asked.pictures === "real") return super.loss(head, values);
    const asFake = crossEntropy(head, add(values, this.classes.length));
    if (asked.network === "discriminator") return asFake;
    return sub(crossEntropy(head, values), asFake);
  }

  /** Real or fake, the class counts. */
  override score(head: Tensor, values: Tensor): Tensor {
    const count = this.classes.length;
    const either = stack([
      slice(head, [null, [0, count]]),
      slice(head, [null, [count, 2 * count]]),
    ]);
    return super.score(reshape(logsumexp(either, { dim: 0 }), [-1, count]), values);
  }
}

const adc: Plugin = definePlugin({
  name: "adc",
  version: "1.0.0",
  help: "Classes told together with real or fake, by one classifier of twice as many (ADC-GAN)",
  paper: "Hou et al. 2022, arXiv:2107.10060, section 4",
  options: { columns: classColumns },
  columns: ({ columns }, all) => columns ?? all,
  setup: ({ columns }, setup) => ({
    conditions: requireColumns(columns, setup).map((described) =>
      new DiscriminatedClass(described)
    ),
  }),
});

export default adc;
