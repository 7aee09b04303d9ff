// The least squares loss: Mao, Li, Xie, Lau, Wang, Smolley, "Least Squares Generative Adversarial Networks", ICCV
// 2017, arXiv:1611.04076, equation 9 (0 for fakes, 1 for real pictures) without its factors of a half. Fakes far
// on the right side of the boundary still teach the generator, where a sigmoid would be flat.

import { definePlugin, type Objective, type Plugin } from "kao/plugin";
import { mean, square, sub } from "kao/engine";

/** D: mean((real - 1)^2) + mean(fake^2); G: mean((fake - 1)^2). */
export const leastSquaresLoss: Objective = {
  real: (logits) => mean(square(sub(logits, 1))),
  fake: (logits) => mean(square(logits)),
  generator: (logits) => mean(square(sub(logits, 1))),
};

const leastSquares: Plugin = definePlugin({
  name: "least-squares",
  version: "1.0.0",
  help: "The least squares loss (LSGAN): the discriminator regresses to 1 and 0",
  paper: "Mao et al. 2017, arXiv:1611.04076, equation 9",
  setup: () => ({ objective: leastSquaresLoss }),
});

export default leastSquares;
