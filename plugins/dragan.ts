// DRAGAN's gradient penalty: Kodali, Abernethy, Hays, Kira, "On Convergence and Stability of GANs", 2017,
// arXiv:1705.07215, section 2.3. Near real pictures the discriminator's slope is held at a length, so that
// it cannot grow the steep cliffs there that a generator falls off.

import { definePlugin, type Plugin } from "kao/plugin";
import { add, detach, grad, mean, mul, norm, square, std, sub, sum, type Tensor } from "kao/engine";

const dragan: Plugin = definePlugin({
  name: "dragan",
  version: "1.0.0",
  help: "DRAGAN's gradient penalty: the discriminator's slope around real pictures is kept near k",
  paper: "Kodali et al. 2017, arXiv:1705.07215, section 2.3",
  options: {
    lambda: { type: "number", min: 0, default: 10, help: "Weight of the penalty" },
    k: { type: "number", min: 0, default: 1, help: "Length that the gradient is to have" },
    noise: {
      type: "number",
      min: 0,
      max: 10,
      default: 0.5,
      help: "How far from the pictures gradients are taken, in their standard deviations",
    },
  },
  setup: ({ lambda, k, noise }, { random }) => ({
    discriminatorTerms: {
      penalty: {
        weight: lambda,
        value({ real: { images, values }, judge }) {
          const near = perturb(images, { u: random.uniform(images.shape), noise });
          return slopePenalty((x) => judge(x, values).source, { at: near, k });
        },
      },
    },
  }),
});

/** Pictures with `noise` standard deviations of the batch times `u` added: u is uniform in [0, 1). */
export function perturb(images: Tensor, { u, noise }: { u: Tensor; noise: number }): Tensor {
  return add(images, mul(mul(std(images), noise), u));
}

/**
 * `mean((|gradient of source for a picture| - k)^2)`, a scalar, at pictures `[batch, 3, height, width]`.
 * Its gradients are gradients of gradients.
 */
export function slopePenalty(
  source: (images: Tensor) => Tensor,
  { at, k }: { at: Tensor; k: number },
): Tensor {
  const x = detach(at);
  const [gradients] = grad(sum(source(x)), [x]);
  return mean(square(sub(norm(gradients, { dim: [1, 2, 3] }), k)));
}

export default dragan;
