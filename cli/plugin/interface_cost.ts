// What the interface of plugins costs by itself: AC-GAN's classifier as a plugin, against the same written by hand.

import { Batches, type Dataset, UserError } from "../../data/mod.ts";
import {
  compile,
  type Compiled,
  HostGenerator,
  read,
  type Tensor,
  tensor,
} from "../../engine/mod.ts";
import {
  termWeights,
  toTensors,
  type TrainSettings,
  trainStep,
  Trial,
} from "../../training/mod.ts";
import { classifier } from "./avatars.ts";
import { median } from "../median.ts";
import { handWritten } from "./hand_written.ts";

type Step = Compiled<Record<string, Tensor>>;

/** Both ways to a step. */
export interface Ways {
  readonly plugins: Way;
  readonly byHand: Way;
}

/** One way to a step, and what came out of it. */
export interface Way {
  readonly dispatches: number;
  /** Milliseconds of each step. */
  readonly times: readonly number[];
  /** Milliseconds of JavaScript among them, until the step's kernels are queued. */
  readonly calls: readonly number[];
  /** Losses and accuracies of the last step. */
  readonly results: Readonly<Record<string, number>>;
}

/** Takes steps of both ways in turns, from the same weights, on the same pictures and noise. */
export async function compareWays(
  dataset: Dataset,
  { settings, rounds }: { settings: TrainSettings; rounds: number },
): Promise<Ways> {
  const { model } = await Trial.setUp(dataset, { settings, plugins: [classifier] });
  const { conditions } = model, { batch, generator: { latent } } = settings;
  const names = conditions.map(({ name }) => name);
  const { generator, discriminator } = settings;
  if (generator.architecture || discriminator.architecture) {
    throw new UserError("What is written by hand is the architecture dcgan: choose such a preset");
  }
  const networks = { ...settings, generator, discriminator };
  const manual = handWritten(networks, dataset.columns.filter(({ name }) => names.includes(name)));
  await copyWeights(model, manual);
  const weights = termWeights(model, settings);
  const k = conditions.length;
  const given = ([images, z1, z2, ...values]: readonly Tensor[]) => ({
    images,
    values: values.slice(0, k),
    forD: { z: z1, values: values.slice(k, 2 * k) },
    forG: { z: z2, values: values.slice(2 * k) },
  });
  const plugins: Step = compile((...args: Tensor[]) => trainStep(model, given(args), { weights }), {
    name: "plugins",
  });
  const byHand: Step = compile((...args: Tensor[]) => {
    const { images, values, forD, forG } = given(args);
    return manual.step(images, values, forD, forG);
  }, { name: "by hand" });

  const batches = new Batches(dataset, { batch, seed: 1, flip: false }),
    random = new HostGenerator(1);
  const inputsAt = (at: number): Tensor[] => {
    const labelled = (step: number) =>
      toTensors(batches.at(step), { size: dataset.size, columns: dataset.columns, conditions });
    const { images, values } = labelled(at);
    const noise = () =>
      tensor(Float32Array.from({ length: batch * latent }, () => random.normal()), [batch, latent]);
    const pixels = Float32Array.from(batches.at(at).images, (byte) => byte / 127.5 - 1);
    return [
      ...[tensor(pixels, images.shape), noise(), noise()],
      ...[...values, ...labelled(at + 1).values, ...labelled(at + 2).values],
    ];
  };

  const steps = { plugins, byHand };
  const times: Record<keyof Ways, number[]> = { plugins: [], byHand: [] };
  const calls: Record<keyof Ways, number[]> = { plugins: [], byHand: [] };
  const results: Record<string, Record<string, number>> = {};
  let inputs: Tensor[] = [];
  for (let round = -2; round < rounds; round++) { // The first two trace and compile.
    inputs = inputsAt(round + 2);
    // Whoever comes second finds the inputs warm: they take turns in that, too.
    const order = ["plugins", "byHand"] as const;
    for (const which of round % 2 === 0 ? order : order.toReversed()) {
      const start = performance.now();
      const made = steps[which](...inputs);
      const called = performance.now();
      const numbers = await read(Object.values(made));
      if (round >= 0) {
        times[which].push(performance.now() - start);
        calls[which].push(called - start);
      }
      results[which] = Object.fromEntries(
        Object.keys(made).map((name, i) => [name, numbers[i][0]]),
      );
    }
  }
  const way = (which: keyof typeof steps): Way => ({
    dispatches: steps[which].footprint(...inputs).dispatches,
    times: times[which],
    calls: calls[which],
    results: results[which],
  });
  return { plugins: way("plugins"), byHand: way("byHand") };
}

/** Both, and their ratio, in words. */
export function describeWays({ plugins, byHand }: Ways): string {
  const ratio = median(plugins.times.map((time, i) => time / byHand.times[i]));
  const ms = ({ times }: Way): string => `${median(times).toPrecision(3)} ms`;
  const percent = 100 * (ratio - 1);
  return `${ms(plugins)}, ${plugins.dispatches} dispatches; by hand ${ms(byHand)}, ` +
    `${byHand.dispatches} dispatches (${percent < 0 ? "" : "+"}${percent.toFixed(1)} %)`;
}

async function copyWeights(
  { generator, discriminator }: Trial["model"],
  { G, D }: ReturnType<typeof handWritten>,
): Promise<void> {
  for (const [from, to] of [[generator, G], [discriminator, D]]) {
    const own = Object.values(from.stateDict()), other = Object.values(to.stateDict());
    const numbers = await read(own);
    other.forEach((variable, i) => variable.set(numbers[i]));
  }
}
