// The semi-supervised discriminator: Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen, "Improved Techniques
// for Training GANs", NeurIPS 2016, arXiv:1606.03498, section 5; Odena, "Semi-Supervised Learning with Generative
// Adversarial Networks", 2016, arXiv:1606.01583. Fake is one more class, of logit 0: a picture is real as far as
// it is of any class, and pictures without labels teach the classifier, too.

import {
  type AskedLogit,
  Categorical,
  classColumns,
  definePlugin,
  type Plugin,
  requireColumns,
} from "kao/plugin";
import { logsumexp, type Tensor } from "kao/engine";

/**
 * A class whose logits l say what is real, too: D = sigmoid(logsumexp(l)).
 *
 * The discriminator's own logit s is added: logsumexp(l) + s is the logsumexp of l + s, and classes are told by l
 * as by l + s. So s is what all classes have in common.
 */
class RealClass extends Categorical {
  logit(_features: Tensor, _values: Tensor, { head }: AskedLogit): Tensor {
    return logsumexp(head!, { dim: 1 });
  }
}

const sgan: Plugin = definePlugin({
  name: "sgan",
  version: "1.0.0",
  help: "Classes whose logits say what is real, too: for data with few labels (SGAN)",
  paper: "Salimans et al. 2016, arXiv:1606.03498, section 5",
  options: { columns: classColumns },
  columns: ({ columns }, all) => columns ?? all,
  setup: ({ columns }, setup) => ({
    conditions: requireColumns(columns, setup).map((described) => new RealClass(described)),
  }),
});

export default sgan;
