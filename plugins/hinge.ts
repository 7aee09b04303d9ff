// The hinge loss: Lim, Ye, "Geometric GAN", 2017, arXiv:1705.02894, section 3.2, as Miyato, Kataoka, Koyama,
// Yoshida, "Spectral Normalization for Generative Adversarial Networks", ICLR 2018, arXiv:1802.05957, equations
// 16 and 17, write it. The discriminator is content with a margin, and learns from pictures inside it alone.

import { definePlugin, type Objective, type Plugin } from "kao/plugin";
import { add, mean, neg, relu, sub } from "kao/engine";

/** D: mean(relu(1 - real)) + mean(relu(1 + fake)); G: -mean(fake). */
export const hingeLoss: Objective = {
  real: (logits) => mean(relu(sub(1, logits))),
  fake: (logits) => mean(relu(add(1, logits))),
  generator: (logits) => neg(mean(logits)),
};

const hinge: Plugin = definePlugin({
  name: "hinge",
  version: "1.0.0",
  help: "The hinge loss: the discriminator learns from pictures inside its margin alone",
  paper: "Lim and Ye 2017, arXiv:1705.02894, section 3.2",
  setup: () => ({ objective: hingeLoss }),
});

export default hinge;
