// One-sided label smoothing: Salimans, Goodfellow, Zaremba, Cheung, Radford, Chen, "Improved Techniques for
// Training GANs", NeurIPS 2016, arXiv:1606.03498, section 3.4. The discriminator is to be sure of real pictures
// only so far. Fakes are not smoothed: that would keep the generator where it is wrong.

import { definePlugin, nonSaturating, type Objective, type Plugin } from "kao/plugin";
import { binaryCrossEntropyWithLogits } from "kao/engine";

/** The non-saturating loss, but for real pictures, whose target is `target` in place of 1. */
export function smoothed(target: number): Objective {
  return { ...nonSaturating, real: (logits) => binaryCrossEntropyWithLogits(logits, target) };
}

const labelSmoothing: Plugin = definePlugin({
  name: "label-smoothing",
  version: "1.0.0",
  help:
    "The non-saturating loss, with real pictures taken for real only so far (one-sided smoothing)",
  paper: "Salimans et al. 2016, arXiv:1606.03498, section 3.4",
  options: {
    target: {
      type: "number",
      min: 0.5,
      max: 1,
      default: 0.9,
      help: "How sure the discriminator is to be of real pictures",
    },
  },
  setup: ({ target }) => ({ objective: smoothed(target) }),
});

export default labelSmoothing;
