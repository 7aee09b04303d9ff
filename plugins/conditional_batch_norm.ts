// Conditional batch normalisation: de Vries, Strub, Mary, Larochelle, Pietquin, Courville, "Modulating early
// visual processing by language", 2017, arXiv:1707.00683, section 3; in a generator, with a gain and a shift for
// each class: Miyato, Koyama, "cGANs with Projection Discriminator", 2018, arXiv:1802.05637, appendix A.

import { definePlugin, type Normalization, type NormalizationSite } from "kao/plugin";
import {
  add,
  BatchNorm2d,
  init,
  Linear,
  Module,
  mul,
  Parameter,
  reshape,
  type Tensor,
} from "kao/engine";

/** Batch norm whose gain and shift are sums of what all pictures have and what each part of the code adds. */
class ConditionalBatchNorm extends Module implements Normalization {
  readonly norm: BatchNorm2d;
  /** `[channels]`, the gain without a code, 1 at first. */
  readonly weight: Parameter;
  /** `[channels]`, the shift without a code, 0 at first. */
  readonly bias: Parameter;
  /** What a code adds to the gain: for one class of many, a vector a class. Nothing at first. */
  readonly gain: Linear;
  /** What a code adds to the shift. */
  readonly shift: Linear;

  constructor({ channels, codeSize }: Pick<NormalizationSite, "channels" | "codeSize">) {
    super();
    this.norm = new BatchNorm2d(channels, { affine: false });
    this.weight = new Parameter(new Float32Array(channels).fill(1), [channels]);
    this.bias = new Parameter(new Float32Array(channels), [channels]);
    this.gain = new Linear(codeSize, channels, { bias: false });
    this.shift = new Linear(codeSize, channels, { bias: false });
    for (const { weight } of [this.gain, this.shift]) init.zeros(weight);
  }

  forward(x: Tensor, code: Tensor): Tensor {
    const overPixels = (t: Tensor): Tensor => reshape(t, [x.shape[0], x.shape[1], 1, 1]);
    const gain = overPixels(add(this.weight, this.gain.forward(code)));
    const shift = overPixels(add(this.bias, this.shift.forward(code)));
    return add(mul(this.norm.forward(x), gain), shift);
  }
}

export default definePlugin({
  name: "conditional-batch-norm",
  version: "1.0.0",
  help: "Batch norm of the generator with a gain and a shift for each class",
  paper: "de Vries et al., 2017, arXiv:1707.00683",
  normalization: (_options, site) => new ConditionalBatchNorm(site),
  setup: () => ({}),
});
