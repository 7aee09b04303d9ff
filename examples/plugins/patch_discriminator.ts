// A second discriminator that judges small patches rather than whole pictures: Isola, Zhu, Zhou, Efros,
// "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017, section 3.2.2.
//
//   deno task train faces --out runs/patches --plugin ./examples/plugins/patch_discriminator.ts

import { Conv2d, type HostGenerator, leakyRelu, Module, type Tensor } from "kao/engine";
import { definePlugin, type Judgement } from "kao/plugin";

/** Three convolutions: each logit sees a patch of 22 x 22 pixels. */
class PatchDiscriminator extends Module {
  readonly conv1: Conv2d;
  readonly conv2: Conv2d;
  readonly out: Conv2d;

  constructor(channels: number, generator: HostGenerator) {
    super();
    const halving = { kernelSize: 4, stride: 2, padding: 1, generator };
    this.conv1 = new Conv2d(3, channels, halving);
    this.conv2 = new Conv2d(channels, 2 * channels, halving);
    this.out = new Conv2d(2 * channels, 1, { kernelSize: 4, padding: 1, generator });
  }

  /** Pictures `[n, 3, size, size]` to a logit a patch, `[n, 1, size / 4 - 1, size / 4 - 1]`. */
  forward(images: Tensor): Judgement {
    const edges = leakyRelu(this.conv1.forward(images), { negativeSlope: 0.2 });
    const parts = leakyRelu(this.conv2.forward(edges), { negativeSlope: 0.2 });
    return { source: this.out.forward(parts) };
  }
}

export default definePlugin({
  name: "patch-discriminator",
  version: "1.0.0",
  help: "A second discriminator, which judges patches",
  paper: "Isola et al. 2017, arXiv:1611.07004, section 3.2.2",
  options: {
    channels: { type: "integer", min: 1, default: 32, help: "Channels of its first convolution" },
  },
  setup: ({ channels }, { weights }) => ({
    discriminators: { patch: new PatchDiscriminator(channels, weights) },
  }),
});
