// What the built-in plugins compute.

import { HostGenerator, warpAffine } from "../../engine/mod.ts";
import { type Colors, matrixOf, recolor, warp } from "../../plugins/ada.ts";
import { augmentations } from "../../plugins/diff_augment.ts";
import { matchFeatures, PatchDiscriminator } from "../../plugins/multi_scale.ts";
import { part } from "./gan_math.ts";
import type { Operation } from "./operations.ts";

/** Every operation of the family `plugins`. */
export const ofPlugins: Readonly<Record<string, Operation>> = {
  color: ({ images, ...draws }) => augmentations.color.apply(images, draws),
  translation: ({ images, ...draws }) => augmentations.translation.apply(images, draws),
  cutout: ({ images, ...draws }) => augmentations.cutout.apply(images, draws),
  warp_affine: ({ images, matrix }, { size }) =>
    warpAffine(images, matrix, { size: size ?? undefined }),
  ada_matrix: (moves) => matrixOf(moves),
  ada_warp: ({ images, matrix }) => warp(images, matrix),
  ada_color: ({ images, ...colors }) => recolor(images, colors as unknown as Colors),
  patch_discriminator: ({ images, ...weights }, { pooled, layers, norm, channels }) => {
    const net = new PatchDiscriminator({ pooled, layers, norm, channels }, new HostGenerator(0));
    // The weights of the case in place of the parameters, so that they can be differentiated for.
    net.convs.forEach((conv, i) => Object.assign(conv, part(weights, `convs.${i}.`)));
    Object.assign(net.out, part(weights, "out."));
    const { source, features = [] } = net.forward(images);
    return {
      out: source,
      extra: Object.fromEntries(features.map((feature, i) => [`feature${i}`, feature])),
    };
  },
  match_features: (inputs) =>
    matchFeatures(Object.values(part(inputs, "real")), Object.values(part(inputs, "fake"))),
};
