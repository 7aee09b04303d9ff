// The R1 penalty: Mescheder, Geiger, Nowozin, "Which Training Methods for GANs do actually Converge?", ICML 2018,
// arXiv:1801.04406, equation 9. At real pictures the discriminator's slope is held at 0, so that it comes to rest
// once fakes are like them. It can be taken lazily: Karras, Laine, Aittala, Hellsten, Lehtinen, Aila, "Analyzing and
// Improving the Image Quality of StyleGAN", CVPR 2020, arXiv:1912.04958, section 3.1.

import { definePlugin, type Plugin } from "kao/plugin";
import { detach, grad, mean, square, sum, type Tensor } from "kao/engine";

const r1: Plugin = definePlugin({
  name: "r1",
  version: "1.0.0",
  help: "The R1 penalty: the discriminator's slope at real pictures is kept near 0",
  paper: "Mescheder et al. 2018, arXiv:1801.04406, equation 9",
  options: {
    gamma: {
      type: "number",
      min: 0,
      default: 10,
      help: "Weight of the penalty, which is halved",
    },
    every: {
      type: "integer",
      min: 1,
      max: 1000,
      default: 1,
      help: "Steps of which the penalty is taken in one, with so many times its weight",
    },
  },
  setup: ({ gamma, every }) => ({
    discriminatorTerms: {
      penalty: {
        weight: gamma / 2,
        every,
        value: ({ real: { images, values }, judge }) =>
          squaredSlope((x) => judge(x, values).source, { at: images }),
      },
    },
  }),
});

/**
 * `mean(|gradient of source for a picture|^2)`, a scalar, at pictures `[batch, 3, height, width]`. Its
 * gradients are gradients of gradients.
 */
export function squaredSlope(
  source: (images: Tensor) => Tensor,
  { at }: { at: Tensor },
): Tensor {
  const x = detach(at);
  const [gradients] = grad(sum(source(x)), [x]);
  return mean(sum(square(gradients), { dim: [1, 2, 3] }));
}

export default r1;
