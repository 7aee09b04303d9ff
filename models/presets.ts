import {
  discriminatorArchitectures,
  type DiscriminatorSettings,
  generatorArchitectures,
  type GeneratorSettings,
} from "./architectures.ts";

/** The shape of a pair of networks, and how it is usually trained. */
export interface Preset {
  /** One line for `--help`. */
  readonly help: string;
  /** Side of the pictures in pixels. */
  readonly size: number;
  readonly generator: GeneratorSettings;
  readonly discriminator: DiscriminatorSettings;
  readonly batch: number;
  /** Step size of Adam. */
  readonly lr: number;
  /** Adam's decay rates of the first and second moments; 0.5 and 0.999 where left out. */
  readonly betas?: readonly [number, number];
  /** Updates of the discriminator for one of the generator, 1 where left out. */
  readonly dSteps?: number;
  /** Plugins that such networks are trained with, by name, with their options, unless others are named. */
  readonly plugins?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

const { srresnet } = generatorArchitectures;
const { odena, girlsmoe, zjusct } = discriminatorArchitectures;

/**
 * The networks that training knows by name. Every width in them is a setting that can be overridden;
 * a preset is only a good starting point. `kao models` says how large and how costly they are.
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
  odena128: {
    help: "128x128 pictures; AC-GAN's paper, ImageNet",
    size: 128,
    generator: { architecture: "odena", latent: 100, base: 8, channels: [768, 384, 256, 192] },
    discriminator: odena.usual,
    batch: 100,
    lr: 2e-4,
  },
  odena32: {
    help: "32x32 pictures; AC-GAN's paper, CIFAR-10",
    size: 32,
    generator: { architecture: "odena", latent: 100, base: 4, channels: [384, 192, 96] },
    discriminator: odena.usual,
    batch: 100,
    lr: 2e-4,
  },
  zjusct64: {
    help: "64x64 pictures; ZJUSCT's avatars, with spectral norm",
    size: 64,
    generator: { ...srresnet.usual, latent: 64 },
    discriminator: zjusct.usual,
    batch: 64,
    lr: 1e-4,
    betas: [0.5, 0.9],
    dSteps: 2,
    plugins: { "spectral-norm": {} },
  },
  girlsmoe64: {
    help: "64x64 pictures; MakeGirlsMoe's, with DRAGAN's penalty",
    size: 64,
    generator: srresnet.usual,
    discriminator: girlsmoe.usual,
    batch: 64,
    lr: 2e-4,
    plugins: { dragan: { lambda: 0.5 } },
  },
  girlsmoe128: {
    help: "128x128 pictures; MakeGirlsMoe's, with DRAGAN's penalty",
    size: 128,
    generator: { ...srresnet.usual, base: 16 },
    discriminator: girlsmoe.usual,
    batch: 64,
    lr: 2e-4,
    plugins: { dragan: { lambda: 0.5 } },
  },
} as const satisfies Record<string, Preset>;

/** The name of one of {@linkcode presets}. */
export type PresetName = keyof typeof presets;
