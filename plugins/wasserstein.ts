// The Wasserstein loss with a gradient penalty: Arjovsky, Chintala, Bottou, "Wasserstein GAN", ICML 2017,
// arXiv:1701.07875; Gulrajani, Ahmed, Arjovsky, Dumoulin, Courville, "Improved Training of Wasserstein GANs",
// NeurIPS 2017, arXiv:1704.00028, equation 3. The discriminator's difference between real pictures and fakes is
// a distance as long as its slope is at most 1; the penalty asks for a slope of 1 on the way between them.

import { definePlugin, type Objective, type Plugin } from "kao/plugin";
import { add, detach, grad, mean, mul, neg, norm, square, sub, sum, type Tensor } from "kao/engine";

/** D: mean(fake) - mean(real); G: -mean(fake). */
export const wassersteinLoss: Objective = {
  real: (logits) => neg(mean(logits)),
  fake: (logits) => mean(logits),
  generator: (logits) => neg(mean(logits)),
};

const wasserstein: Plugin = definePlugin({
  name: "wasserstein",
  version: "1.0.0",
  help: "The Wasserstein loss, with a gradient penalty between real pictures and fakes (WGAN-GP)",
  paper: "Gulrajani et al. 2017, arXiv:1704.00028, equation 3",
  options: {
    lambda: {
      type: "number",
      min: 0,
      default: 10,
      help: "Weight of the penalty; without it nothing bounds the loss",
    },
  },
  setup: ({ lambda }, { random }) => ({
    objective: wassersteinLoss,
    discriminatorTerms: {
      penalty: {
        weight: lambda,
        value({ real, fake, judge }) {
          const share = random.uniform([real.images.shape[0], 1, 1, 1]);
          const at = between(real.images, fake.images, { share });
          return unitSlopePenalty((x) => judge(x, real.values).source, { at });
        },
      },
    },
  }),
});

/** `share` of each real picture and the rest of a fake; `share` is `[batch, 1, 1, 1]` in [0, 1). */
export function between(real: Tensor, fake: Tensor, { share }: { share: Tensor }): Tensor {
  return add(mul(share, real), mul(sub(1, share), fake));
}

/**
 * `mean((|gradient of source for a picture| - 1)^2)`, a scalar, at pictures `[batch, 3, height, width]`.
 * Its gradients are gradients of gradients.
 */
export function unitSlopePenalty(
  source: (images: Tensor) => Tensor,
  { at }: { at: Tensor },
): Tensor {
  const x = detach(at);
  const [gradients] = grad(sum(source(x)), [x]);
  return mean(square(sub(norm(gradients, { dim: [1, 2, 3] }), 1)));
}

export default wasserstein;
