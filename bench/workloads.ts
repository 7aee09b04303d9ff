// The steps that speed is measured on: exactly stated, so that other engines can do the same arithmetic.

import {
  add,
  detach,
  grad,
  HostGenerator,
  mean,
  mul,
  norm,
  slice,
  square,
  std,
  sub,
  sum,
  type Tensor,
  tensor,
  type TypedArray,
} from "../engine/mod.ts";
import { type DiscriminatorNetwork, type PresetName, SrresnetGenerator } from "../models/mod.ts";
import { Categorical } from "../plugin/mod.ts";
import { encodeAll } from "../training/acgan.ts";
import { discriminatorTerms } from "../training/losses.ts";
import { momentOf } from "../training/moment.ts";
import { weigh } from "../training/terms.ts";
import { Acgan, presetSettings, trainStep } from "../training/mod.ts";
import { gaussian, labels, setParameters, setRunningStatistics, uniform } from "./numbers.ts";

/** A workload for one size of batch. */
export interface Workload {
  /** One step, to be compiled. */
  readonly step: (...inputs: Tensor[]) => Readonly<Record<string, Tensor>>;
  /** The step's inputs, from numbers that depend on `index` alone. */
  inputs(index: number): Tensor[];
  /** Results that a step is waited for by, few and small. */
  readonly awaited: readonly string[];
  /** Results by which engines are compared, and how to make figures of their numbers. */
  readonly compared: readonly string[];
  figures(numbers: readonly TypedArray[]): Record<string, number>;
}

/** How a workload is made, and the batch that it is measured at unless told. */
export interface WorkloadMaker {
  readonly summary: string;
  /** On an adapter that is the CPU, and on a GPU. */
  readonly batch: { readonly cpu: number; readonly gpu: number };
  make(batch: number): Workload;
}

const CLASSES = Array.from({ length: 12 }, (_, i) => `class ${i}`);

/** Where the numbers of weights start; those of inputs start at 1000. */
const SEEDS = { generator: 1, discriminator: 101, sampler: 201, running: 401, inputs: 1000 };
/** Numbers of seeds that the inputs of one step may use. */
const SEEDS_PER_STEP = 16;

/** The workloads by name. */
export const workloads = {
  "acgan64": {
    summary: "a training step of ACGAN, 64x64 pictures of 12 classes",
    batch: { cpu: 16, gpu: 64 },
    make: (batch) => acgan("acgan64", batch),
  },
  "moe-sample": {
    summary: "drawing 64x64 pictures by the SRResNet generator of MakeGirlsMoe",
    batch: { cpu: 16, gpu: 256 },
    make: sampling,
  },
  "acgan32": {
    summary: "a training step of ACGAN, 32x32 pictures of 12 classes",
    batch: { cpu: 32, gpu: 64 },
    make: (batch) => acgan("acgan32", batch),
  },
  "double-backward": {
    summary: "the discriminator's step of acgan32 with DRAGAN's gradient penalty",
    batch: { cpu: 16, gpu: 64 },
    make: doubleBackward,
  },
} as const satisfies Record<string, WorkloadMaker>;

/** The name of one of {@linkcode workloads}. */
export type WorkloadName = keyof typeof workloads;

/** Both networks of a preset, their weights from the hash. */
function networks(preset: PresetName): Acgan {
  const label = Categorical.fromLabels("label", CLASSES, Int32Array.from(CLASSES.keys()));
  const model = new Acgan(presetSettings(preset), [label]);
  setParameters(model.generator, { seed: SEEDS.generator });
  setParameters(model.discriminator, { seed: SEEDS.discriminator });
  return model;
}

/** What both training steps return and how it is compared: losses. */
function lossFigures(names: readonly string[]): Pick<Workload, "awaited" | "compared" | "figures"> {
  return {
    awaited: names,
    compared: names,
    figures: (numbers) => Object.fromEntries(names.map((name, i) => [name, numbers[i][0]])),
  };
}

function acgan(preset: "acgan32" | "acgan64", batch: number): Workload {
  const model = networks(preset);
  const { size, generator: { latent } } = presetSettings(preset);
  const total = (terms: Record<string, Tensor>, prefix: string): Tensor =>
    Object.keys(terms).filter((name) => name.startsWith(prefix)).map((name) => terms[name])
      .reduce((a, b) => add(a, b));
  return {
    step(images, y, z1, c1, z2, c2) {
      const forD = { z: z1, values: [c1] }, forG = { z: z2, values: [c2] };
      const terms = trainStep(model, { images, values: [y], forD, forG });
      return { loss_D: total(terms, "d."), loss_G: total(terms, "g.") };
    },
    inputs(index) {
      const seed = SEEDS.inputs + SEEDS_PER_STEP * index;
      const noise = (at: number) => tensor(gaussian(seed + at, batch * latent), [batch, latent]);
      const [y, c1, c2] = [1, 2, 3].map((at) => tensor(labels(seed + at, batch, CLASSES.length)));
      return [pictures(seed, [batch, 3, size, size]), y, noise(4), c1, noise(5), c2];
    },
    ...lossFigures(["loss_D", "loss_G"]),
  };
}

function doubleBackward(batch: number): Workload {
  const model = networks("acgan32");
  const { size, generator: { latent } } = presetSettings("acgan32");
  const { generator, discriminator, conditions, optimizers } = model;
  const shape = [batch, 3, size, size];
  return {
    step(images, y, z, c, u) {
      // Nothing differentiates the fakes: the discriminator alone learns.
      const fakes = detach(generator.forward(z, encodeAll(conditions, [c])));
      const moment = momentOf(model, "discriminator", {
        real: { images, values: { label: y } },
        fake: { images: fakes, values: { label: c } },
      });
      const { total } = weigh(discriminatorTerms(model), moment, { weights: {} });
      const loss = add(total, gradientPenalty(discriminator, images, u));
      optimizers.discriminator.minimize(loss);
      return { loss_D: loss };
    },
    inputs(index) {
      const seed = SEEDS.inputs + SEEDS_PER_STEP * index;
      const [y, c] = [1, 2].map((at) => tensor(labels(seed + at, batch, CLASSES.length)));
      const z = tensor(gaussian(seed + 4, batch * latent), [batch, latent]);
      const u = tensor(uniform(seed + 6, batch * 3 * size * size), shape);
      return [pictures(seed, shape), y, z, c, u];
    },
    ...lossFigures(["loss_D"]),
  };
}

/** DRAGAN's (Kodali et al., 2017): 10 mean((|gradient| - 1)^2) at real + std(real) / 2 * u. */
function gradientPenalty(discriminator: DiscriminatorNetwork, real: Tensor, u: Tensor): Tensor {
  const x = detach(add(real, mul(mul(std(real), 0.5), u)));
  const [gradients] = grad(sum(discriminator.forward(x).source), [x]);
  return mul(mean(square(sub(norm(gradients, { dim: [1, 2, 3] }), 1))), 10);
}

function sampling(batch: number): Workload {
  const widths = { latent: 128, base: 8, channels: 64, blocks: 16, stages: 3 }, attributes = 34;
  const size = widths.base * 2 ** widths.stages;
  const net = new SrresnetGenerator(widths, attributes, { generator: new HostGenerator(1) }).eval();
  setParameters(net, { seed: SEEDS.sampler });
  setRunningStatistics(net, { seed: SEEDS.running });
  return {
    step(z, code) {
      const images = net.forward(z, code);
      const corner = slice(images, [[0, 1], [0, 1], [0, 1], [0, 1]]);
      return { images, corner };
    },
    inputs(index) {
      const seed = SEEDS.inputs + SEEDS_PER_STEP * index;
      const code = uniform(seed + 1, batch * attributes).map((u) => Number(u < 0.25));
      return [
        tensor(gaussian(seed, batch * widths.latent), [batch, widths.latent]),
        tensor(code, [batch, attributes]),
      ];
    },
    awaited: ["corner"],
    compared: ["images"],
    figures([images]) {
      let sum = 0, squares = 0;
      for (const x of images) [sum, squares] = [sum + x, squares + x * x];
      return {
        mean: sum / images.length,
        mean_square: squares / images.length,
        first: images[0],
        inner: images[(size + 5) * size + 7], // [0, 1, 5, 7]
        last: images[images.length - 1],
      };
    },
  };
}

/** Noise in [-1, 1) in place of pictures: the arithmetic does not depend on what they show. */
function pictures(seed: number, shape: readonly number[]): Tensor {
  const length = shape.reduce((a, b) => a * b, 1);
  return tensor(uniform(seed, length).map((u) => 2 * u - 1), shape);
}
