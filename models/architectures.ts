// The architectures that networks are chosen from: how each is made of its widths, and how those go with a size.

import type { Shape } from "../engine/mod.ts";
import {
  AcganDiscriminator,
  AcganGenerator,
  type DiscriminatorWidths,
  type GeneratorWidths,
} from "./acgan.ts";
import { checkBetween, checkList, checkWhole } from "./checks.ts";
import { GirlsmoeDiscriminator, type GirlsmoeWidths } from "./girlsmoe.ts";
import {
  type DiscriminatorNetwork,
  type DiscriminatorOptions,
  type GeneratorNetwork,
  type GeneratorOptions,
  halvedStages,
} from "./network.ts";
import {
  OdenaDiscriminator,
  type OdenaDiscriminatorWidths,
  OdenaGenerator,
  type OdenaGeneratorWidths,
  odenaStages,
} from "./odena.ts";
import { SrresnetGenerator, type SrresnetWidths } from "./srresnet.ts";
import { ZjusctDiscriminator, type ZjusctWidths } from "./zjusct.ts";

/** {@linkcode SrresnetWidths}, as a choice among others. */
export interface SrresnetSettings extends SrresnetWidths {
  readonly architecture: "srresnet";
}

/** A generator as plain data: its architecture, `dcgan` where none is named, and all its widths. */
export type GeneratorSettings = GeneratorWidths | OdenaGeneratorWidths | SrresnetSettings;

/** A discriminator as plain data: its architecture, `dcgan` where none is named, and all its widths. */
export type DiscriminatorSettings =
  | DiscriminatorWidths
  | OdenaDiscriminatorWidths
  | GirlsmoeWidths
  | ZjusctWidths;

/** What is known of each architecture. */
interface Architecture<W> {
  /** One line for `--help`. */
  readonly help: string;
  /** Widths to begin with, where the architecture alone was chosen. */
  readonly usual: W;
  /** The same for pictures of another size, as far as that is possible. */
  resized(widths: W, size: number): W;
}

/** What is known of a generator's. */
export interface GeneratorArchitecture<W> extends Architecture<W> {
  /** Side of the pictures that it draws, in pixels. */
  size(widths: W): number;
  /** How the size comes about. */
  why(widths: W): string;
  /** @throws {RangeError} where a width is none, with its name. */
  check(widths: W): void;
  /** A new network, for codes of a length. */
  make(widths: W, codeSize: number, options: GeneratorOptions): GeneratorNetwork;
}

/** What is known of a discriminator's. */
export interface DiscriminatorArchitecture<W> extends Architecture<W> {
  /** How often it halves the side. */
  halvings(widths: W): number;
  /** @throws {RangeError} where a width is none, with its name. */
  check(widths: W): void;
  /** Shapes `[channels, side, side]` of what its stages make of pictures of a size. */
  stages(widths: W, size: number): Shape[];
  /** A new network, for pictures of a size. */
  make(widths: W, size: number, options: DiscriminatorOptions): DiscriminatorNetwork;
}

/** Beyond this many channels, resizing adds none. */
const MOST_CHANNELS = 1024;

const dcganGenerator: GeneratorArchitecture<GeneratorWidths> = {
  help: "3x3 convolutions with PixelShuffle",
  usual: { latent: 100, base: 4, channels: [512, 256, 128, 64, 32] },
  size: ({ base, channels }) => base * 2 ** (channels.length - 1),
  why: ({ base }) =>
    `from a first feature map of ${base}x${base}, every channel width after the first doubles the side`,
  check({ latent, base, channels }) {
    checkFirstMap({ latent, base });
    checkList("generator.channels", channels);
  },
  resized(widths, size) {
    const stages = Math.log2(size / widths.base);
    if (!Number.isInteger(stages) || stages < 1) return widths;
    const kept = widths.channels.slice(-(stages + 1));
    while (kept.length < stages + 1) kept.unshift(Math.min(2 * kept[0], MOST_CHANNELS));
    return { ...widths, channels: kept };
  },
  make: (widths, codeSize, options) => new AcganGenerator(widths, codeSize, options),
};

const odenaGenerator: GeneratorArchitecture<OdenaGeneratorWidths> = {
  help: "the paper's 5x5 transposed convolutions",
  usual: { architecture: "odena", latent: 100, base: 8, channels: [768, 384, 256, 192] },
  size: ({ base, channels }) => base * 2 ** channels.length,
  why: ({ base }) =>
    `from a first feature map of ${base}x${base}, every channel width doubles the side`,
  check({ latent, base, channels }) {
    checkFirstMap({ latent, base });
    checkList("generator.channels", channels);
  },
  resized: (widths, size) => withBase(widths, size / 2 ** widths.channels.length),
  make: (widths, codeSize, options) => new OdenaGenerator(widths, codeSize, options),
};

const srresnetGenerator: GeneratorArchitecture<SrresnetSettings> = {
  help: "residual blocks at one size, then PixelShuffle",
  usual: { architecture: "srresnet", latent: 128, base: 8, channels: 64, blocks: 16, stages: 3 },
  size: ({ base, stages }) => base * 2 ** stages,
  why: ({ base, stages }) =>
    `from a first feature map of ${base}x${base}, its ${stages} stages double the side ${stages} times`,
  check({ latent, base, channels, blocks, stages }) {
    checkFirstMap({ latent, base });
    checkWhole("generator.channels", channels);
    checkWhole("generator.blocks", blocks);
    checkWhole("generator.stages", stages, { least: 0 });
  },
  resized: (widths, size) => withBase(widths, size / 2 ** widths.stages),
  make: (widths, codeSize, options) => new SrresnetGenerator(widths, codeSize, options),
};

const dcganDiscriminator: DiscriminatorArchitecture<DiscriminatorWidths> = {
  help: "4x4 convolutions of stride 2 with batch norm",
  usual: { channels: [64, 128, 256, 512] },
  halvings: ({ channels }) => channels.length,
  check: ({ channels }) => checkList("discriminator.channels", channels),
  resized(widths, size) {
    // Down to 4x4 pixels.
    const stages = Math.log2(size) - 2;
    if (!Number.isInteger(stages) || stages < 1) return widths;
    const kept = widths.channels.slice(0, stages);
    while (kept.length < stages) kept.push(Math.min(2 * kept.at(-1)!, MOST_CHANNELS));
    return { ...widths, channels: kept };
  },
  stages: halvedStages,
  make: (widths, size, options) => new AcganDiscriminator(widths, size, options),
};

const odenaDiscriminator: DiscriminatorArchitecture<OdenaDiscriminatorWidths> = {
  help: "the paper's 3x3 convolutions with dropout and noise",
  // How strong the noise is, the paper's table does not say.
  usual: {
    architecture: "odena",
    channels: [16, 32, 64, 128, 256, 512],
    dropout: 0.5,
    noise: 0.1,
  },
  halvings: ({ channels }) => Math.ceil(channels.length / 2),
  check({ channels, dropout, noise }) {
    checkList("discriminator.channels", channels);
    checkBetween("discriminator.dropout", dropout, { high: 1 });
    checkBetween("discriminator.noise", noise);
  },
  resized: (widths) => widths,
  stages: odenaStages,
  make: (widths, size, options) => new OdenaDiscriminator(widths, size, options),
};

const girlsmoeDiscriminator: DiscriminatorArchitecture<GirlsmoeWidths> = {
  help: "MakeGirlsMoe's residual blocks without batch norm",
  usual: {
    architecture: "girlsmoe",
    channels: [32, 64, 128, 256, 512, 1024],
    blocks: [2, 4, 4, 4, 4, 0],
    kernels: [4, 4, 4, 3, 3, 3],
  },
  halvings: ({ channels }) => channels.length,
  check({ channels, blocks, kernels }) {
    checkList("discriminator.channels", channels);
    checkList("discriminator.blocks", blocks, { least: 0, length: channels.length });
    checkList("discriminator.kernels", kernels, { length: channels.length });
    for (const kernel of kernels) {
      if (kernel === 3 || kernel === 4) continue;
      throw new RangeError(
        `each of discriminator.kernels must be 3 or 4 to halve the side, not ${kernel}`,
      );
    }
  },
  resized(widths, size) {
    const { channels, blocks, kernels } = widths, most = mostHalvings(size);
    if (channels.length <= most) return widths;
    return {
      ...widths,
      channels: channels.slice(0, most),
      blocks: blocks.slice(0, most),
      kernels: kernels.slice(0, most),
    };
  },
  stages: halvedStages,
  make: (widths, size, options) => new GirlsmoeDiscriminator(widths, size, options),
};

const zjusctDiscriminator: DiscriminatorArchitecture<ZjusctWidths> = {
  help: "residual blocks, then a tower for real or fake and one for classes",
  usual: {
    architecture: "zjusct",
    channels: [32, 64, 128, 256, 512, 1024],
    towers: [512, 256],
  },
  halvings: ({ channels }) => channels.length,
  check({ channels, towers }) {
    checkList("discriminator.channels", channels);
    checkList("discriminator.towers", towers);
  },
  resized: (widths, size) => ({
    ...widths,
    channels: widths.channels.slice(0, Math.max(1, mostHalvings(size))),
  }),
  stages: halvedStages,
  make: (widths, size, options) => new ZjusctDiscriminator(widths, size, options),
};

/** Every generator's architecture by its name. */
export const generatorArchitectures = {
  dcgan: dcganGenerator,
  odena: odenaGenerator,
  srresnet: srresnetGenerator,
} as const;

/** Every discriminator's architecture by its name. */
export const discriminatorArchitectures = {
  dcgan: dcganDiscriminator,
  odena: odenaDiscriminator,
  girlsmoe: girlsmoeDiscriminator,
  zjusct: zjusctDiscriminator,
} as const;

/** The name of a generator's architecture. */
export type GeneratorName = keyof typeof generatorArchitectures;
/** The name of a discriminator's architecture. */
export type DiscriminatorName = keyof typeof discriminatorArchitectures;

/** The architecture of a network, by name. */
export function architectureOf<N extends string>(
  { architecture }: { readonly architecture?: N },
): N | "dcgan" {
  return architecture ?? "dcgan";
}

/** What is known of a generator's architecture. Widths are of the one that they name. */
function generatorOf(settings: GeneratorSettings): GeneratorArchitecture<GeneratorSettings> {
  const name = architectureOf(settings);
  if (Object.hasOwn(generatorArchitectures, name)) {
    return generatorArchitectures[name] as GeneratorArchitecture<never> as GeneratorArchitecture<
      GeneratorSettings
    >;
  }
  throw new RangeError(unknown("generator", name, generatorArchitectures));
}

/** What is known of a discriminator's architecture. */
function discriminatorOf(
  settings: DiscriminatorSettings,
): DiscriminatorArchitecture<DiscriminatorSettings> {
  const name = architectureOf(settings);
  if (Object.hasOwn(discriminatorArchitectures, name)) {
    return discriminatorArchitectures[name] as DiscriminatorArchitecture<
      never
    > as DiscriminatorArchitecture<DiscriminatorSettings>;
  }
  throw new RangeError(unknown("discriminator", name, discriminatorArchitectures));
}

function unknown(what: string, name: string, known: object): string {
  return `There is no ${what} "${name}": there are ${Object.keys(known).join(", ")}`;
}

/** A new generator, for codes of a length. */
export function makeGenerator(
  settings: GeneratorSettings,
  codeSize: number,
  options: GeneratorOptions,
): GeneratorNetwork {
  return generatorOf(settings).make(settings, codeSize, options);
}

/** A new discriminator, for pictures of a size. */
export function makeDiscriminator(
  settings: DiscriminatorSettings,
  size: number,
  options: DiscriminatorOptions,
): DiscriminatorNetwork {
  return discriminatorOf(settings).make(settings, size, options);
}

/** Shapes `[channels, side, side]` of what a discriminator's stages make of pictures of a size. */
export function discriminatorStages(settings: DiscriminatorSettings, size: number): Shape[] {
  return discriminatorOf(settings).stages(settings, size);
}

/** Both networks of a run, and the size of the pictures that they are for. */
export interface NetworkSettings {
  readonly size: number;
  readonly generator: GeneratorSettings;
  readonly discriminator: DiscriminatorSettings;
}

/** The same networks for pictures of another size, as far as their architectures can be resized. */
export function resizeNetworks(
  { generator, discriminator }: Omit<NetworkSettings, "size">,
  size: number,
): NetworkSettings {
  return {
    size,
    generator: generatorOf(generator).resized(generator, size),
    discriminator: discriminatorOf(discriminator).resized(discriminator, size),
  };
}

/** @throws {RangeError} where widths are none, or do not go with the size; the message names the setting. */
export function checkNetworks({ size, generator, discriminator }: NetworkSettings): void {
  const G = generatorOf(generator), D = discriminatorOf(discriminator);
  G.check(generator);
  D.check(discriminator);
  const drawn = G.size(generator);
  if (drawn !== size) {
    throw new RangeError(
      `The generator draws ${drawn}x${drawn} pictures, not ${size}x${size}: ${G.why(generator)}`,
    );
  }
  const halvings = D.halvings(discriminator);
  if (size % 2 ** halvings !== 0) {
    throw new RangeError(
      `A discriminator of ${discriminator.channels.length} channels halves the side ${halvings} times; ` +
        `${size} cannot be halved that often`,
    );
  }
}

function checkFirstMap({ latent, base }: { latent: number; base: number }): void {
  checkWhole("generator.latent", latent);
  checkWhole("generator.base", base);
}

/** Widths with another first map, if its side is one. */
function withBase<W extends { readonly base: number }>(widths: W, base: number): W {
  return Number.isInteger(base) && base >= 1 ? { ...widths, base } : widths;
}

/** How often a side can be halved. */
function mostHalvings(size: number): number {
  let halvings = 0;
  while (size % 2 ** (halvings + 1) === 0) halvings++;
  return halvings;
}
