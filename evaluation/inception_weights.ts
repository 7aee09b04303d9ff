// Inception v3 from a safetensors file of a PyTorch state dict.

import { UserError } from "../data/mod.ts";
import { decodeSafetensors, type Shape, type StoredTensor } from "../engine/mod.ts";
import { asUserError } from "../training/mod.ts";
import { type FoldedConv, Inception } from "./inception.ts";
import {
  type ConvLayer,
  convolutions,
  INCEPTION_FEATURES,
  inceptionSteps,
  type InceptionVariant,
} from "./inception_layers.ts";

/** Added to the variances of batch norm. */
const EPS = 1e-3;
/** Classes tell the variants apart: those of the graph of 2015 were ImageNet's and some of its own. */
const VARIANTS: Readonly<Record<number, InceptionVariant>> = {
  1008: "2015-12-05",
  1000: "torchvision",
};
/** The tensors of each convolution. */
const PARTS = ["conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var"];
/** Tensors that features do not need. */
const UNUSED = /^(AuxLogits|fc)\.|\.num_batches_tracked$/;
const REMEDY = "docs/evaluation.md says which weights fit, and how to write them";

/** A network with what identifies its weights. */
export interface LoadedInception {
  readonly network: Inception;
  /** The name of the file. */
  readonly file: string;
  /** SHA-256 of the file, in hexadecimal digits. */
  readonly sha256: string;
}

/**
 * Reads the weights of Inception v3. `fc.weight` tells by its number of classes which variant they are of; where it
 * is left out, they are taken for the one of FID.
 *
 * @throws {UserError} of one line, where the file cannot be read, is of another format, or a tensor is missing, of
 * another shape or type, not finite, or not of this network.
 */
export async function loadInception(path: string): Promise<LoadedInception> {
  const bytes = await asUserError(`Cannot read ${path}`, () => Deno.readFile(path));
  const tensors = parsed(path, bytes);
  const variant = variantOf(path, tensors);
  const layers = convolutions(inceptionSteps(variant));
  checkNames(path, tensors, layers);
  const network = new Inception(variant, foldConvolutions(path, tensors, layers));
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  const file = path.split(/[/\\]/).at(-1)!;
  return { network, file, sha256: new Uint8Array(digest).toHex() };
}

function parsed(path: string, bytes: Uint8Array): Record<string, StoredTensor> {
  // torch.save writes a ZIP archive, and before 2020 a bare pickle.
  const saved = (bytes[0] === 0x50 && bytes[1] === 0x4b) || (bytes[0] === 0x80 && bytes[1] <= 5);
  if (saved && bytes[8] !== 0x7b) {
    throw new UserError(
      `${path} looks like a file of torch.save, and a safetensors file is needed: docs/evaluation.md has the ` +
        `three lines of Python that convert it`,
    );
  }
  try {
    return decodeSafetensors(bytes).tensors;
  } catch (error) {
    throw new UserError(`${path} is no whole safetensors file: ${(error as Error).message}`);
  }
}

function variantOf(
  path: string,
  tensors: Readonly<Record<string, StoredTensor>>,
): InceptionVariant {
  const { "fc.weight": fc } = tensors;
  if (!fc) return "2015-12-05";
  const [classes, features] = fc.shape, variant = VARIANTS[classes];
  if (variant && features === INCEPTION_FEATURES && fc.shape.length === 2) return variant;
  const known = Object.entries(VARIANTS).map(([classes, name]) =>
    `${shown([Number(classes), INCEPTION_FEATURES])} of ${name}`
  );
  throw new UserError(
    `${path}: "fc.weight" is ${shown(fc.shape)}, where ${
      known.join(" or ")
    } is needed to tell which network ` +
      `it is: ${REMEDY}`,
  );
}

/** Every tensor that is there has to be of the network, or not needed. */
function checkNames(
  path: string,
  tensors: Readonly<Record<string, StoredTensor>>,
  layers: readonly ConvLayer[],
): void {
  const known = new Set(layers.flatMap(({ step }) => PARTS.map((part) => `${step.name}.${part}`)));
  const odd = Object.keys(tensors).find((key) => !known.has(key) && !UNUSED.test(key));
  if (odd === undefined) return;
  throw new UserError(
    `${path}: "${odd}" ${shown(tensors[odd].shape)} is not of Inception v3: ${REMEDY}`,
  );
}

/** Weights with the batch norm after them folded in: the same function with one multiplication less. */
export function foldConvolutions(
  path: string,
  tensors: Readonly<Record<string, StoredTensor>>,
  layers: readonly ConvLayer[],
): Map<string, FoldedConv> {
  const numbers = (key: string, shape: Shape): Float32Array<ArrayBuffer> =>
    numbersOf(path, { key, shape, tensor: tensors[key] });
  return new Map(
    layers.map(({ step: { name }, shape }) => {
      const [weight, gain, shift, mean, variance] = PARTS.map((part, i) =>
        numbers(`${name}.${part}`, i === 0 ? shape : [shape[0]])
      );
      const bias = new Float32Array(shape[0]), length = weight.length / shape[0];
      for (let channel = 0; channel < shape[0]; channel++) {
        const factor = gain[channel] / Math.sqrt(variance[channel] + EPS);
        bias[channel] = shift[channel] - mean[channel] * factor;
        for (let i = channel * length; i < (channel + 1) * length; i++) weight[i] *= factor;
      }
      return [name, { weight, shape, bias }];
    }),
  );
}

function numbersOf(
  path: string,
  { key, shape, tensor }: { key: string; shape: Shape; tensor: StoredTensor | undefined },
): Float32Array<ArrayBuffer> {
  const refuse = (what: string): never => {
    throw new UserError(`${path}: "${key}" ${what}: ${REMEDY}`);
  };
  if (!tensor) return refuse(`is missing, where Inception v3 has ${shown(shape)}`);
  if (shown(tensor.shape) !== shown(shape)) {
    return refuse(`is ${shown(tensor.shape)}, where Inception v3 has ${shown(shape)}`);
  }
  if (tensor.dtype !== "f32" && tensor.dtype !== "f16") {
    return refuse(`is ${tensor.dtype}, where real numbers are needed`);
  }
  const least = key.endsWith("running_var") ? 0 : -Infinity;
  const odd = tensor.data.findIndex((x) => !(Number.isFinite(x) && x >= least));
  if (odd >= 0) return refuse(`has ${tensor.data[odd]} for its number ${odd}`);
  return Float32Array.from(tensor.data);
}

function shown(shape: Shape): string {
  return `[${shape.join(", ")}]`;
}
