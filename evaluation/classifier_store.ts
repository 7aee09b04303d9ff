// The classifier of a data set on disk, so that it is trained once.

import { type Dataset, UserError } from "../data/mod.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  read,
  type StoredDType,
  type StoredTensor,
} from "../engine/mod.ts";
import { asUserError, type ChooseKernels, exists, replaceFile } from "../training/mod.ts";
import { Classifier } from "./classifier.ts";
import {
  type ClassifierProgress,
  trainClassifier,
  type TrainedClassifier,
} from "./train_classifier.ts";

/** Counts up when the network or its training changes, for figures of different ones do not compare. */
const VERSION = 1;
/** Its own seed, so that runs of all seeds on the same data are judged by the same classifier. */
const SEED = 1;

/** A classifier from disk, or fresh from its training. */
export interface KeptClassifier extends TrainedClassifier {
  /** What identifies it: figures by classifiers of the same name compare. */
  readonly name: string;
  /** Whether it was on disk. */
  readonly reused: boolean;
}

/**
 * The classifier for a data set's label columns: that in `folder`, or else a new one, which is kept there.
 *
 * @throws {UserError} where there are no label columns, or the folder cannot be written.
 */
export async function keptClassifier(
  data: { train: Dataset; heldOut: Dataset },
  options: {
    folder: string;
    chooseKernels?: ChooseKernels;
    onProgress?: (progress: ClassifierProgress) => void;
    onMessage?: (message: string) => void;
  },
): Promise<KeptClassifier> {
  const { folder, onMessage = () => {} } = options, { train } = data;
  const { size, columns } = train;
  if (columns.length === 0) {
    throw new UserError(
      "Nothing can be told of pictures without a label column: the classifier that judges them learns from one",
    );
  }
  const names = columns.map(({ name }) => name).join("-");
  const hash = await shortHash(JSON.stringify([VERSION, train.fingerprint, size, columns]));
  const name = `${names}-${size}-v${VERSION}-${hash}`;
  const path = `${folder}/${name}.safetensors`;
  const kept = await load(path, train, onMessage);
  if (kept) return { ...kept, name, reused: true };

  onMessage(
    `Training the classifier that judges pictures by ${
      names.replaceAll("-", ", ")
    }, once for this data`,
  );
  const trained = await trainClassifier(data, { ...options, seed: SEED });
  const variables = trained.classifier.stateDict(), keys = Object.keys(variables);
  const numbers = await read(Object.values(variables));
  const tensors = keys.map((key, i): [string, StoredTensor] => {
    const { dtype, shape } = variables[key];
    return [key, { dtype: dtype as StoredDType, shape, data: numbers[i] }];
  });
  const { accuracy, picturesSeen } = trained;
  const about = JSON.stringify({ accuracy, picturesSeen });
  await asUserError(`Cannot write to ${folder}`, () => Deno.mkdir(folder, { recursive: true }));
  await replaceFile(path, encodeSafetensors(Object.fromEntries(tensors), { about }));
  return { ...trained, name, reused: false };
}

async function load(
  path: string,
  { size, columns }: Dataset,
  onMessage: (message: string) => void,
): Promise<TrainedClassifier | undefined> {
  if (!await exists(path)) return undefined;
  const bytes = await asUserError(`Cannot read ${path}`, () => Deno.readFile(path));
  try {
    const { tensors, metadata } = decodeSafetensors(bytes);
    const classes = Object.fromEntries(columns.map(({ name, classes }) => [name, classes.length]));
    const classifier = new Classifier(size, { classes, seed: SEED });
    classifier.loadStateDict(tensors);
    return { classifier: classifier.eval(), ...JSON.parse(metadata.about) };
  } catch (error) {
    onMessage(`${path} is damaged (${(error as Error).message}): training another classifier`);
    return undefined;
  }
}

async function shortHash(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex().slice(0, 12);
}
