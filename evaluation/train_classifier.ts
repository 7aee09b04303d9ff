import {
  Adam,
  add,
  compile,
  HostGenerator,
  type KernelSite,
  logSoftmax,
  mul,
  neg,
  read,
  sum,
  type Tensor,
  tensor,
  Variable,
} from "../engine/mod.ts";
import { Batches, type Dataset } from "../data/mod.ts";
import { accuracyOf, confusion } from "../metrics/mod.ts";
import { type ChooseKernels, fromBytes } from "../training/mod.ts";
import { Classifier } from "./classifier.ts";
import { Judge } from "./judge.ts";
import { type LabelledPictures, picturesOf, shifted } from "./pictures.ts";

const BATCH = 64;
/** The greatest step size of Adam; from it the steps become shorter along half a cosine, to 0. */
const LR = 2e-3;
/** Every picture is seen so often, but for sets so large that fewer rounds show as many pictures. */
const EPOCHS = 16;
const MOST_PICTURES = 128_000;
const LEAST_STEPS = 64;
/** How often it is tried on held-out pictures, and after how many tries in a row without a better one it ends. */
const TRIES = 16, PATIENCE = 5;
/** Pictures are moved by up to this share of their side. */
const SHIFT = 1 / 16;

/** How far the training of a classifier has come. */
export interface ClassifierProgress {
  readonly step: number;
  readonly steps: number;
  readonly secondsLeft: number;
  /** Accuracy on held-out pictures by label column, as of the last try. */
  readonly accuracy: Readonly<Record<string, number>>;
}

/** A classifier with what it gets right of pictures that it was not trained on. */
export interface TrainedClassifier {
  readonly classifier: Classifier;
  readonly accuracy: Readonly<Record<string, number>>;
  /** Pictures that it saw until its best state, repeated ones counted again. */
  readonly picturesSeen: number;
}

/**
 * Trains a classifier on `train`, and keeps the state that was best on `heldOut` by the mean accuracy of
 * all columns. Pictures are mirrored and moved at random. The same data and seed give the same classifier
 * on the same adapter with the same kernels.
 */
export async function trainClassifier(
  { train, heldOut }: { train: Dataset; heldOut: Dataset },
  options: {
    seed: number;
    chooseKernels?: ChooseKernels;
    onProgress?: (progress: ClassifierProgress) => void;
  },
): Promise<TrainedClassifier> {
  const { seed, chooseKernels, onProgress } = options;
  const { size, columns, count } = train;
  const classes = Object.fromEntries(columns.map(({ name, classes }) => [name, classes.length]));
  const classifier = new Classifier(size, { classes, seed });
  const lr = new Variable(Float32Array.of(LR), [], { name: "lr" });
  const optimizer = new Adam(classifier.namedParameters(), { lr });
  const step = compile((bytes: Tensor, ...targets: Tensor[]) => {
    const { heads } = classifier.train().forward(fromBytes(bytes));
    const losses = columns.map(({ name }, c) => crossEntropyOf(heads[name], targets[c]));
    const loss = losses.reduce((total, each) => add(total, each));
    optimizer.minimize(loss);
    return loss;
  }, { name: "train classifier" });

  const batches = new Batches(train, { batch: BATCH, seed, flip: true });
  const moves = new HostGenerator(seed + 1);
  const inputs = (at: number): Tensor[] => {
    const { images, labels } = batches.at(at);
    const moved = shifted(images, { size, most: Math.round(size * SHIFT), generator: moves });
    return [
      tensor(moved, [BATCH, 3, size, size]),
      ...labels.map((column, c) => targetOf(column, columns[c].classes.length)),
    ];
  };
  const judge = new Judge(classifier), unseen = picturesOf(heldOut);
  const sites: KernelSite[] = [...step.sites(...inputs(0)), ...judge.sites(size)];
  await chooseKernels?.(sites);

  const shown = Math.min(EPOCHS * count, MOST_PICTURES);
  const steps = Math.max(LEAST_STEPS, Math.ceil(shown / BATCH / TRIES) * TRIES);
  const variables = Object.values(classifier.stateDict());
  const started = performance.now();
  let best = {
    mean: -1,
    accuracy: {} as Record<string, number>,
    at: 0,
    state: await read(variables),
  };
  let latest: Record<string, number> = {}, tries = 0;
  for (let at = 0; at < steps; at++) {
    lr.set(Float32Array.of(LR * (1 + Math.cos(Math.PI * at / steps)) / 2));
    const loss = step(...inputs(at));
    const done = at + 1;
    if (done % (steps / TRIES) === 0) {
      latest = accuracies(unseen, await judge.ask(unseen), classes);
      const mean = meanOf(Object.values(latest));
      if (mean > best.mean) {
        best = { mean, accuracy: latest, at: done, state: await read(variables) };
        tries = 0;
      } else if (++tries === PATIENCE) break;
      if (mean === 1) break;
    } else if (done % 8 === 0) {
      await read([loss]); // Steps are only enqueued: without this, progress would run ahead of them.
    } else continue;
    const seconds = (performance.now() - started) / 1000;
    onProgress?.({
      step: done,
      steps,
      secondsLeft: seconds / done * (steps - done),
      accuracy: latest,
    });
  }
  variables.forEach((variable, i) => variable.set(best.state[i]));
  // Kernel distances depend on the length of features: on held-out pictures they have a mean square of 1.
  const { features } = await judge.ask(unseen);
  const square = features.reduce((total, x) => total + x * x, 0) / features.length;
  if (square > 0) await classifier.scaleFeatures(1 / Math.sqrt(square));
  return { classifier: classifier.eval(), accuracy: best.accuracy, picturesSeen: best.at * BATCH };
}

/** The accuracy of guesses by label column. */
function accuracies(
  { labels }: LabelledPictures,
  { guesses }: { guesses: Readonly<Record<string, Int32Array>> },
  classes: Readonly<Record<string, number>>,
): Record<string, number> {
  return Object.fromEntries(
    Object.entries(guesses).map(([name, guess]) => [
      name,
      accuracyOf(confusion(labels[name], guess, { classes: classes[name] })),
    ]),
  );
}

/** One-hot rows; a label below 0, which is not known, is a row of zeros, and so has no part in the loss. */
function targetOf(labels: Int32Array, classes: number): Tensor {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, i) => label >= 0 && (rows[i * classes + label] = 1));
  return tensor(rows, [labels.length, classes]);
}

function crossEntropyOf(logits: Tensor, target: Tensor): Tensor {
  return neg(mul(sum(mul(logSoftmax(logits, { dim: 1 }), target)), 1 / BATCH));
}

function meanOf(numbers: readonly number[]): number {
  return numbers.reduce((total, n) => total + n, 0) / numbers.length;
}
