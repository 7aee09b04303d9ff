import { binaryCrossEntropyWithLogits, type Tensor } from "../engine/mod.ts";

/**
 * What discriminators and the generator play for, as three losses of logits of any shape. Only one plugin
 * can choose it; it holds for the discriminator and for those that plugins add.
 */
export interface Objective {
  /** The discriminator's loss on real pictures. */
  real(logits: Tensor): Tensor;
  /** The discriminator's loss on fakes. */
  fake(logits: Tensor): Tensor;
  /** The generator's loss on its fakes. */
  generator(logits: Tensor): Tensor;
}

/** The non-saturating loss (Goodfellow et al., 2014, section 3), the objective unless a plugin chooses another. */
export const nonSaturating: Objective = {
  real: (logits) => binaryCrossEntropyWithLogits(logits, 1),
  fake: (logits) => binaryCrossEntropyWithLogits(logits, 0),
  generator: (logits) => binaryCrossEntropyWithLogits(logits, 1),
};
