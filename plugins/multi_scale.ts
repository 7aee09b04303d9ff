// Multi-scale discrimination: Wang, Liu, Zhu, Tao, Kautz, Catanzaro, "High-Resolution Image Synthesis and
// Semantic Manipulation with Conditional GANs" (pix2pixHD), CVPR 2018, arXiv:1711.11585, section 3.2. Further
// discriminators look at smaller copies of the pictures, where a patch is more of the face.
//
// The variant `fused` is LMV-ACGAN's (Zhang, Ma, Computer Science 48(1), 2021): what the discriminator itself
// sees at its several scales is put together, and judged once more.

import { definePlugin, type Judged, type Judgement, type Parts, UserError } from "kao/plugin";
import type { Discriminator, Plugin, Setup, Step } from "kao/plugin";
import {
  abs,
  add,
  avgPool2d,
  concat,
  Conv2d,
  detach,
  globalAvgPool,
  type HostGenerator,
  init,
  instanceNorm,
  leakyRelu,
  Linear,
  mean,
  Module,
  reshape,
  type Shape,
  sub,
  type Tensor,
} from "kao/engine";

/** How discriminators of pictures pooled once, twice, three times are called. */
const SCALES = ["half", "quarter", "eighth"];

const multiScale: Plugin = definePlugin({
  name: "multi-scale",
  version: "1.0.0",
  help:
    "Further discriminators on smaller copies of the pictures (pix2pixHD), with feature matching",
  paper: "Wang et al. 2018, arXiv:1711.11585, section 3.2",
  options: {
    variant: {
      type: "choice",
      choices: ["pooled", "fused"],
      default: "pooled",
      help: "A discriminator for each smaller copy, or one more judgement by all of D's own scales",
    },
    scales: {
      type: "integer",
      min: 1,
      max: SCALES.length,
      default: 2,
      help: "Smaller copies of the pictures, each half the one before (pooled)",
    },
    channels: {
      type: "integer",
      min: 1,
      max: 1024,
      default: 32,
      help: "Channels of the first convolution, doubled by each further one; fused: hidden units",
    },
    layers: {
      type: "integer",
      min: 1,
      max: 6,
      default: 2,
      help: "Convolutions of stride 2 before a logit a patch (pooled)",
    },
    norm: {
      type: "choice",
      choices: ["instance", "none"],
      default: "instance",
      help: "Normalisation after all convolutions but the first (pooled)",
    },
    featureMatching: {
      type: "number",
      min: 0,
      default: 1,
      help:
        "Weight of the generator's loss that matches features of fakes to those of real pictures",
    },
  },
  setup({ variant, featureMatching, ...widths }, setup) {
    return variant === "pooled"
      ? pooledParts({ ...widths, featureMatching }, setup)
      : fusedParts({ hidden: widths.channels, featureMatching }, setup);
  },
});

interface PatchOptions {
  readonly channels: number;
  readonly layers: number;
  readonly norm: "instance" | "none";
}

/** A discriminator for each smaller copy. */
function pooledParts(
  { scales, featureMatching, ...widths }: PatchOptions & {
    readonly scales: number;
    readonly featureMatching: number;
  },
  { size, weights }: Setup,
): Parts {
  const smallest = size / 2 ** (scales + widths.layers);
  if (smallest < 2) {
    throw new UserError(
      `pictures of ${size} pixels are too small for scales ${scales} and layers ${widths.layers}: ` +
        `${smallest} pixels a side would be left of 2 or more; use fewer`,
    );
  }
  return {
    discriminators: Object.fromEntries(
      SCALES.slice(0, scales).map((name, i) => [
        name,
        new PatchDiscriminator({ pooled: i + 1, ...widths }, weights),
      ]),
    ),
    generatorTerms: {
      features: {
        weight: featureMatching,
        value: ({ real, fake }) =>
          matchFeatures(featuresOf(real.discriminators), featuresOf(fake.discriminators)),
      },
    },
  };
}

/** One more judgement, by what D sees at all of its scales. */
function fusedParts(
  { hidden, featureMatching }: { readonly hidden: number; readonly featureMatching: number },
  { stages, weights }: Setup,
): Parts {
  const fusion = new Fusion({ stages, hidden }, weights);
  const judge = ({ features }: Judged): Judgement => fusion.forward(features);
  const adversarial = (pictures: "real" | "fake") => ({
    value: ({ objective, ...step }: Step) => objective[pictures](judge(step[pictures]).source),
  });
  return {
    networks: { fusion },
    discriminatorTerms: { adv_real: adversarial("real"), adv_fake: adversarial("fake") },
    generatorTerms: {
      adv: { value: ({ objective, fake }) => objective.generator(judge(fake).source) },
      features: {
        weight: featureMatching,
        value: ({ real, fake }) => matchFeatures(judge(real).features!, judge(fake).features!),
      },
    },
  };
}

function featuresOf(discriminators: Readonly<Record<string, Judgement>>): Tensor[] {
  return Object.values(discriminators).flatMap(({ features }) => features!);
}

/**
 * Feature matching: for each layer the mean distance between what it makes of real pictures, which is held
 * constant, and of fakes, on the mean of the batch; a scalar, summed over the layers `[batch, ...]`.
 *
 * Pix2pixHD compares a picture with the one that it should have been. Fakes from noise have no such
 * counterpart, so means are compared, as in Salimans et al. 2016 (arXiv:1606.03498), section 3.1.
 */
export function matchFeatures(real: readonly Tensor[], fake: readonly Tensor[]): Tensor {
  const typical = (features: Tensor): Tensor => mean(features, { dim: 0 });
  return real.map((features, i) => mean(abs(sub(typical(detach(features)), typical(fake[i])))))
    .reduce((a, b) => add(a, b));
}

/** Pictures at half their side: means of 3x3 windows, of which only what lies inside counts. */
export function halve(images: Tensor): Tensor {
  return avgPool2d(images, { kernelSize: 3, stride: 2, padding: 1, countIncludePad: false });
}

/**
 * A discriminator of patches: pictures are halved `pooled` times; 4x4 convolutions of stride 2 with
 * LeakyReLU 0.2, all but the first with instance norm; then a 3x3 convolution to one logit a place.
 */
export class PatchDiscriminator extends Module implements Discriminator {
  readonly convs: readonly Conv2d[];
  readonly out: Conv2d;
  readonly #pooled: number;
  readonly #normalized: boolean;

  constructor(
    { pooled, channels, layers, norm }: PatchOptions & { readonly pooled: number },
    generator: HostGenerator,
  ) {
    super();
    this.#pooled = pooled;
    this.#normalized = norm === "instance";
    const shape = { kernelSize: 4, stride: 2, padding: 1, generator };
    const widths = Array.from({ length: layers }, (_, i) => channels * 2 ** i);
    this.convs = widths.map((width, i) =>
      new Conv2d(widths[i - 1] ?? 3, width, { ...shape, bias: !this.#normalizes(i) })
    );
    this.out = new Conv2d(widths.at(-1)!, 1, { kernelSize: 3, padding: 1, generator });
    initialise(this, generator);
  }

  /** `source` is `[batch, 1, side, side]`, a logit a patch; `features` what each convolution gave. */
  forward(images: Tensor): Judgement {
    let x = images;
    for (let i = 0; i < this.#pooled; i++) x = halve(x);
    const features = this.convs.map((conv, i) => {
      const made = conv.forward(x);
      const y = this.#normalizes(i) ? instanceNorm(made) : made;
      return x = leakyRelu(y, { negativeSlope: 0.2 });
    });
    return { source: this.out.forward(x), features };
  }

  #normalizes(layer: number): boolean {
    return this.#normalized && layer > 0;
  }
}

/** Judges pictures by what a discriminator's stages made of them: each stage's mean over all places. */
class Fusion extends Module {
  readonly hidden: Linear;
  readonly out: Linear;
  readonly #stages: readonly Shape[];

  constructor(
    { stages, hidden }: { readonly stages: readonly Shape[]; readonly hidden: number },
    generator: HostGenerator,
  ) {
    super();
    this.#stages = stages;
    const channels = stages.reduce((sum, [channels]) => sum + channels, 0);
    this.hidden = new Linear(channels, hidden, { generator });
    this.out = new Linear(hidden, 1, { generator });
    initialise(this, generator);
  }

  /** `source` is `[batch]`; `features` the stages' means, and the hidden units. */
  forward(seen: readonly Tensor[]): Judgement {
    const means = seen.map((x, i) => globalAvgPool(reshape(x, [-1, ...this.#stages[i]])));
    const fused = leakyRelu(this.hidden.forward(concat(means, { dim: 1 })), { negativeSlope: 0.2 });
    return { source: reshape(this.out.forward(fused), [-1]), features: [...means, fused] };
  }
}

/** Weights from N(0, 0.02) and biases 0, as pix2pixHD's. */
function initialise(module: Module, generator: HostGenerator): void {
  for (const [name, parameter] of Object.entries(module.namedParameters())) {
    if (name.endsWith("bias")) init.zeros(parameter);
    else init.normal(parameter, { std: 0.02, generator });
  }
}

export default multiScale;
