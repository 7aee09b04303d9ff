import type { DiscriminatorWidths, GeneratorWidths } from "./acgan.ts";

/** The shape of a pair of networks, and how it is usually trained. */
export interface Preset {
  /** One line for `--help`. */
  readonly help: string;
  /** Side of the pictures in pixels: `base * 2 ** (number of PixelShuffle stages)`. */
  readonly size: number;
  readonly generator: GeneratorWidths;
  readonly discriminator: DiscriminatorWidths;
  readonly batch: number;
  /** Step size of Adam. */
  readonly lr: number;
}

/**
 * The networks that training knows by name. Every width in them is a setting that can be overridden;
 * a preset is only a good starting point.
 *
 * Multiply-adds a picture, forward: `acgan64` 306 M (generator) and 104 M (discriminator);
 * `acgan32` 58 M and 18 M; `small32` 5 M and 2 M.
 */
export const presets = {
  acgan64: {
    help: "64x64 pictures; for a GPU",
    size: 64,
    generator: { latent: 100, base: 4, channels: [512, 256, 128, 64, 32] },
    discriminator: { channels: [64, 128, 256, 512] },
    batch: 64,
    lr: 2e-4,
  },
  acgan32: {
    help: "32x32 pictures; for a GPU, or a patient CPU",
    size: 32,
    generator: { latent: 100, base: 4, channels: [256, 128, 64, 32] },
    discriminator: { channels: [64, 128, 256] },
    batch: 32,
    lr: 2e-4,
  },
  small32: {
    help: "32x32 pictures; narrow enough for a software adapter",
    size: 32,
    generator: { latent: 64, base: 4, channels: [64, 32, 16, 12] },
    discriminator: { channels: [32, 32, 64] },
    batch: 16,
    lr: 4e-4,
  },
} as const satisfies Record<string, Preset>;

/** The name of one of {@linkcode presets}. */
export type PresetName = keyof typeof presets;
