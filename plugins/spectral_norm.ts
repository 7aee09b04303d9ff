// Spectral normalisation: Miyato, Kataoka, Koyama, Yoshida, "Spectral Normalization for Generative Adversarial
// Networks", 2018, arXiv:1802.05957, algorithm 1.

import { definePlugin } from "kao/plugin";
import { type HostGenerator, Module, spectralNorm, type Tensor, Variable } from "kao/engine";

/** A weight divided by its largest singular value, which a power iteration follows as the weight learns. */
class SpectralNorm extends Module {
  /** The estimate of the left singular vector, one number an output. */
  readonly u: Variable;
  readonly #dim: number;
  readonly #iterations: number;

  constructor(
    outputs: number,
    options: { dim: number; iterations: number; weights: HostGenerator },
  ) {
    super();
    const { dim, iterations, weights } = options;
    const numbers = Float32Array.from({ length: outputs }, () => weights.normal());
    const length = Math.hypot(...numbers);
    this.u = new Variable(numbers.map((x) => x / length), [outputs]);
    this.#dim = dim;
    this.#iterations = iterations;
  }

  /** In training each use takes a step of the iteration, as PyTorch's does. */
  forward(weight: Tensor): Tensor {
    const iterations = this.training ? this.#iterations : 0;
    const { output, u } = spectralNorm(weight, { u: this.u, dim: this.#dim, iterations });
    if (this.training) this.u.assign(u);
    return output;
  }
}

export default definePlugin({
  name: "spectral-norm",
  version: "1.0.0",
  help: "Divides each weight of the discriminator by its largest singular value",
  paper: "Miyato, Kataoka, Koyama, Yoshida, 2018, arXiv:1802.05957",
  options: {
    iterations: {
      type: "integer",
      min: 1,
      max: 100,
      default: 1,
      help: "Steps of the power iteration each time that a weight is used",
    },
  },
  setup: ({ iterations }, { weights }) => ({
    discriminatorWeight: ({ shape, dim }) =>
      new SpectralNorm(shape[dim], { dim, iterations, weights }),
  }),
});
