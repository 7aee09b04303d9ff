// The options that networks are chosen and widened by.

import { UserError } from "../data/mod.ts";
import {
  architectureOf,
  discriminatorArchitectures,
  type DiscriminatorName,
  generatorArchitectures,
  type GeneratorName,
  type NetworkSettings,
  resizeNetworks,
} from "../models/mod.ts";
import { flagOf, type GivenValues, type Options } from "../plugin/mod.ts";

const helpOf = (known: Readonly<Record<string, { readonly help: string }>>): string =>
  Object.entries(known).map(([name, { help }]) => `${name} (${help})`).join(", ");

/** What networks are, beside their preset; which widths there are depends on the architecture. */
export const networkOptions = {
  size: { type: "integer", min: 4, help: "Side of the pictures in pixels" },
  generator: {
    type: "choice",
    choices: Object.keys(generatorArchitectures) as GeneratorName[],
    help: `Architecture of the generator: ${helpOf(generatorArchitectures)}`,
  },
  discriminator: {
    type: "choice",
    choices: Object.keys(discriminatorArchitectures) as DiscriminatorName[],
    help: `Architecture of the discriminator: ${helpOf(discriminatorArchitectures)}`,
  },
  latent: { type: "integer", min: 1, max: 65536, help: "Length of the noise vector" },
  generatorBase: { type: "integer", min: 1, help: "Side of the generator's first feature map" },
  generatorChannels: {
    type: "list",
    placeholder: "n,n,...",
    help: "Channels of the generator, from the first map on; each further one doubles the side",
  },
  generatorBlocks: { type: "integer", min: 1, help: "Residual blocks of the generator" },
  generatorStages: {
    type: "integer",
    min: 0,
    help: "Stages of the generator after its blocks; each doubles the side",
  },
  discriminatorChannels: {
    type: "list",
    placeholder: "n,n,...",
    help: "Channels of the discriminator; each convolution halves the side",
  },
  discriminatorBlocks: {
    type: "list",
    placeholder: "n,n,...",
    help: "Residual blocks of each stage of the discriminator",
  },
  discriminatorKernels: {
    type: "list",
    placeholder: "n,n,...",
    help: "Side of the kernel by which each stage of the discriminator halves, 3 or 4",
  },
  discriminatorTowers: {
    type: "list",
    placeholder: "n,n,...",
    help: "Hidden features of the discriminator's towers, for real or fake and for classes",
  },
  dropout: { type: "number", min: 0, max: 1, help: "Share of D's activations that is dropped" },
  noise: { type: "number", min: 0, help: "Standard deviation of the noise on D's activations" },
} as const satisfies Options;

type Given = GivenValues<typeof networkOptions>;
type Width = keyof Omit<Given, "size" | "generator" | "discriminator">;

/** Which network has a width, and under which name. */
const widths: Readonly<Record<Width, readonly ["generator" | "discriminator", string]>> = {
  latent: ["generator", "latent"],
  generatorBase: ["generator", "base"],
  generatorChannels: ["generator", "channels"],
  generatorBlocks: ["generator", "blocks"],
  generatorStages: ["generator", "stages"],
  discriminatorChannels: ["discriminator", "channels"],
  discriminatorBlocks: ["discriminator", "blocks"],
  discriminatorKernels: ["discriminator", "kernels"],
  discriminatorTowers: ["discriminator", "towers"],
  dropout: ["discriminator", "dropout"],
  noise: ["discriminator", "noise"],
};

/**
 * Networks with the options that were given laid over them. Another architecture comes with its usual widths, and
 * for another size widths are resized, before those that were given are set.
 *
 * @throws {UserError} where a width is given that the architecture does not have, with the flag's name.
 */
export function networksOf(given: Given, from: NetworkSettings): NetworkSettings {
  const size = given.size ?? from.size;
  const chosen = {
    generator: given.generator === undefined || given.generator === architectureOf(from.generator)
      ? from.generator
      : generatorArchitectures[given.generator].usual,
    discriminator: given.discriminator === undefined ||
        given.discriminator === architectureOf(from.discriminator)
      ? from.discriminator
      : discriminatorArchitectures[given.discriminator].usual,
  };
  const resized = { ...from, ...chosen, size };
  // As it is where nothing of it is asked for: a run goes on with the widths that it has.
  if (chosen.generator !== from.generator || size !== from.size) {
    resized.generator = resizeNetworks(chosen as NetworkSettings, size).generator;
  }
  if (chosen.discriminator !== from.discriminator || size !== from.size) {
    resized.discriminator = resizeNetworks(chosen as NetworkSettings, size).discriminator;
  }
  const networks: Record<"generator" | "discriminator", Record<string, unknown>> = {
    generator: { ...resized.generator },
    discriminator: { ...resized.discriminator },
  };
  for (const key of Object.keys(widths) as Width[]) {
    if (given[key] === undefined) continue;
    const [network, name] = widths[key], had = networks[network];
    const flag = `--${flagOf(key, networkOptions[key])}`;
    if (!Object.hasOwn(had, name)) {
      const { architecture = "dcgan", ...others } = had;
      throw new UserError(
        `${flag}: the ${network} ${architecture} has no ${name}; it has ${
          Object.keys(others).join(", ")
        }`,
      );
    }
    had[name] = widthOf(flag, given[key], had[name]);
  }
  return { size, ...networks } as unknown as NetworkSettings;
}

/** The options that make networks what they are: {@linkcode networksOf} makes the same of them again. */
export function networkValues({ size, ...networks }: NetworkSettings): Given {
  const values: Record<string, unknown> = {
    size,
    generator: architectureOf<string>(networks.generator),
    discriminator: architectureOf<string>(networks.discriminator),
  };
  for (const key of Object.keys(widths) as Width[]) {
    const [network, name] = widths[key];
    const width = (networks[network] as unknown as Record<string, unknown>)[name];
    if (width === undefined) continue;
    values[key] = networkOptions[key].type === "list" ? [width].flat().map(String) : width;
  }
  return values;
}

/** A width as it was written, in the form that the architecture has it in: a number, or a list. */
function widthOf(flag: string, written: number | readonly string[], had: unknown): unknown {
  if (typeof written === "number") return written;
  const numbers = written.map((word) => {
    const number = Number(word);
    if (Number.isInteger(number) && number >= 0) return number;
    throw new UserError(`${flag} must be whole numbers above 0, not ${word}`);
  });
  if (Array.isArray(had)) return numbers;
  if (numbers.length === 1) return numbers[0];
  throw new UserError(`${flag} must be one number for this architecture, not ${written.join(",")}`);
}
