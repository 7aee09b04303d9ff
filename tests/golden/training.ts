// Golden cases that are training: optimisers, moving averages, and steps of a whole ACGAN, all through
// compiled functions and the engine's own layers.

import {
  Adam,
  AdamW,
  add,
  BatchNorm2d,
  binaryCrossEntropyWithLogits as bce,
  compile,
  concat,
  Conv2d,
  crossEntropy,
  ExponentialMovingAverage,
  flatten,
  grad,
  leakyRelu,
  Linear,
  Module,
  oneHot,
  Parameter,
  pixelShuffle,
  read,
  relu,
  reshape,
  RMSprop,
  SGD,
  stack,
  type StoredTensor,
  tanh,
  type Tensor,
  tensor,
  type TypedArray,
  type Variable,
} from "../../engine/mod.ts";
import type { Attributes } from "./cases.ts";
import { discriminatorTerms, draganPoint, gradientNorms, part, unitPenalty } from "./gan_math.ts";

export type StoredInputs = Readonly<Record<string, StoredTensor>>;

/** Results by their golden names: `out`, or the name of an extra. */
export type Results = Record<string, TypedArray | readonly number[]>;

/** A golden case that is more than one graph. */
export type Program = (
  inputs: StoredInputs,
  attributes: Attributes,
) => Results | Promise<Results>;

/** Element `at` of the first axis. */
function at({ shape, data }: StoredTensor, step: number): Tensor {
  const size = data.length / shape[0];
  return tensor(data.slice(step * size, (step + 1) * size) as TypedArray, shape.slice(1));
}

/** A parameter with the numbers of a golden tensor. */
function parameter({ data, shape }: StoredTensor): Parameter {
  return new Parameter(data.slice() as TypedArray, shape);
}

function joined(parts: readonly TypedArray[]): Float32Array<ArrayBuffer> {
  return new Float32Array(parts.flatMap((numbers) => [...numbers]));
}

async function readNamed(variables: Readonly<Record<string, Tensor | Variable>>): Promise<Results> {
  const numbers = await read(Object.values(variables));
  return Object.fromEntries(Object.keys(variables).map((name, i) => [name, numbers[i]]));
}

function adamOf(
  parameters: Record<string, Variable>,
  { lr, betas, eps, adam_eps: adamEps }: Attributes,
): Adam {
  return new Adam(parameters, { lr, betas, eps: adamEps ?? eps });
}

const OPTIMIZERS = { adam: Adam, adamw: AdamW, sgd: SGD, rmsprop: RMSprop };

const optimizer: Program = async ({ param, grads }, { kind, weight_decay, ...options }) => {
  const x = parameter(param);
  const chosen = new OPTIMIZERS[kind as keyof typeof OPTIMIZERS]({ x }, {
    ...options,
    weightDecay: weight_decay,
  });
  const step = compile((gradient) => chosen.step([gradient]));
  const path: TypedArray[] = [];
  for (let t = 0; t < grads.shape[0]; t++) {
    step(at(grads, t));
    path.push(...await read([x]));
  }
  return { out: joined(path), ...await readNamed(withoutSuffix(".x", chosen.state())) };
};

class Single extends Module {
  constructor(readonly x: Parameter) {
    super();
  }
}

const ema: Program = async ({ ema: start, params }, { decay }) => {
  const source = new Single(parameter(start)), average = new Single(parameter(start));
  const averaging = new ExponentialMovingAverage(source, { average });
  const step = compile(() => averaging.update(decay));
  const path: TypedArray[] = [];
  const size = source.x.size;
  for (let t = 0; t < params.shape[0]; t++) {
    source.x.set(params.data.slice(t * size, (t + 1) * size) as TypedArray);
    step();
    path.push(...await read([averaging.stateDict().x]));
  }
  return { out: joined(path) };
};

/** conv1, conv2, ... and bn0, bn1, ... as fields of one module. */
class Net extends Module {
  protected readonly layers: Record<string, Linear | Conv2d | BatchNorm2d> = {};

  constructor(protected readonly attributes: Attributes) {
    super();
  }

  override members(): Record<string, unknown> {
    return this.layers;
  }

  protected norm(x: Tensor, k: number): Tensor {
    return this.layers[`bn${k}`].forward(x);
  }

  protected addNorm(k: number, channels: number): void {
    const { eps, momentum } = this.attributes;
    this.layers[`bn${k}`] = new BatchNorm2d(channels, { eps, momentum });
  }
}

class Generator extends Net {
  readonly #channels: number;

  constructor(weights: StoredInputs, attributes: Attributes) {
    super(attributes);
    const [features, inputs] = weights["fc.weight"].shape;
    this.#channels = weights["bn0.weight"].shape[0];
    this.layers.fc = new Linear(inputs, features);
    this.addNorm(0, this.#channels);
    for (let k = 1; k <= attributes.g_stages; k++) {
      const [outputs, channels] = weights[`conv${k}.weight`].shape;
      this.layers[`conv${k}`] = new Conv2d(channels, outputs, {
        kernelSize: 3,
        padding: 1,
        bias: false,
      });
      this.addNorm(k, outputs / 4);
    }
    const [colours, channels] = weights["out.weight"].shape;
    this.layers.out = new Conv2d(channels, colours, { kernelSize: 3, padding: 1 });
    this.loadStateDict(weights);
  }

  forward(z: Tensor, c: Tensor): Tensor {
    const { classes, start, g_stages: stages } = this.attributes;
    const { fc, out } = this.layers;
    let h = fc.forward(concat([z, oneHot(c, classes)], { dim: 1 }));
    h = relu(this.norm(reshape(h, [-1, this.#channels, start, start]), 0));
    for (let k = 1; k <= stages; k++) {
      h = relu(this.norm(pixelShuffle(this.layers[`conv${k}`].forward(h), 2), k));
    }
    return tanh(out.forward(h));
  }
}

class Discriminator extends Net {
  constructor(weights: StoredInputs, attributes: Attributes) {
    super(attributes);
    for (let k = 1; k <= attributes.d_stages; k++) {
      const [outputs, channels] = weights[`conv${k}.weight`].shape;
      this.layers[`conv${k}`] = new Conv2d(channels, outputs, {
        kernelSize: 4,
        stride: 2,
        padding: 1,
        bias: k === 1,
      });
      if (k > 1) this.addNorm(k, outputs);
    }
    for (const head of ["src", "cls"]) {
      const [outputs, inputs] = weights[`${head}.weight`].shape;
      this.layers[head] = new Linear(inputs, outputs);
    }
    this.loadStateDict(weights);
  }

  forward(x: Tensor): { src: Tensor; cls: Tensor } {
    const { d_stages: stages, slope: negativeSlope } = this.attributes;
    let h = leakyRelu(this.layers.conv1.forward(x), { negativeSlope });
    for (let k = 2; k <= stages; k++) {
      h = leakyRelu(this.norm(this.layers[`conv${k}`].forward(h), k), { negativeSlope });
    }
    h = flatten(h, { start: 1 });
    return { src: this.layers.src.forward(h), cls: this.layers.cls.forward(h) };
  }
}

const total = (terms: readonly Tensor[]): Tensor => terms.reduce((a, b) => add(a, b));

const prefixed = <T>(prefix: string, values: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, value]));

const withoutSuffix = <T>(suffix: string, values: Record<string, T>): Record<string, T> =>
  Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name.replace(suffix, ""), value]),
  );

/** Gradients of a loss for a module's parameters under their names, after one step along them. */
function train(loss: Tensor, module: Module, adam: Adam): Record<string, Tensor> {
  const parameters = module.namedParameters();
  const gradients = grad(loss, Object.values(parameters));
  adam.step(gradients);
  return Object.fromEntries(Object.keys(parameters).map((name, i) => [name, gradients[i]]));
}

const acganTrain: Program = async (inputs, attributes) => {
  const generator = new Generator(part(inputs, "G."), attributes);
  const discriminator = new Discriminator(part(inputs, "D."), attributes);
  const adamG = adamOf(generator.namedParameters(), attributes);
  const adamD = adamOf(discriminator.namedParameters(), attributes);
  const step = compile((real, y, zD, cD, zG, cG) => {
    const fake = generator.forward(zD, cD);
    const onReal = discriminator.forward(real), onFake = discriminator.forward(fake);
    const dTerms = discriminatorTerms(onReal, onFake, { y, c: cD });
    const gradientsD = train(total(dTerms), discriminator, adamD);
    const { src, cls } = discriminator.forward(generator.forward(zG, cG));
    const gTerms = [bce(src, 1), crossEntropy(cls, cG)];
    const gradientsG = train(total(gTerms), generator, adamG);
    return {
      d_terms: stack(dTerms),
      g_terms: stack(gTerms),
      "step1.fake": fake,
      ...prefixed("step1.grad.D.", gradientsD),
      ...prefixed("step1.grad.G.", gradientsG),
    };
  });
  const results: Results = {}, dTerms: TypedArray[] = [], gTerms: TypedArray[] = [];
  for (let t = 0; t < inputs.real.shape[0]; t++) {
    const args = ["real", "y", "z_d", "c_d", "z_g", "c_g"].map((name) => at(inputs[name], t));
    const { d_terms, g_terms, ...first } = step(...args);
    if (t === 0) Object.assign(results, await readNamed(first));
    const [d, g] = await read([d_terms, g_terms]);
    dTerms.push(d);
    gTerms.push(g);
  }
  const sum = (terms: TypedArray): number => [...terms].reduce((a, b) => a + b);
  return {
    ...results,
    out: joined(dTerms.map((d, t) => new Float32Array([sum(d), sum(gTerms[t])]))),
    d_terms: joined(dTerms),
    g_terms: joined(gTerms),
    ...await readNamed(prefixed("final.G.", generator.stateDict())),
    ...await readNamed(prefixed("final.D.", discriminator.stateDict())),
  };
};

const draganTrain: Program = async (inputs, attributes) => {
  const discriminator = new Discriminator(part(inputs, "D."), attributes);
  const adam = adamOf(discriminator.namedParameters(), attributes);
  const step = compile((real, fake, y, c, u) => {
    const onReal = discriminator.forward(real), onFake = discriminator.forward(fake);
    const { norms } = gradientNorms((x) => discriminator.forward(x), draganPoint(real, u));
    const penalty = unitPenalty(norms, attributes.lambda);
    const loss = add(total(discriminatorTerms(onReal, onFake, { y, c })), penalty);
    const gradients = train(loss, discriminator, adam);
    return {
      out: stack([loss, penalty]),
      "step1.norms": norms,
      ...prefixed("step1.grad.D.", gradients),
    };
  });
  const results: Results = {}, path: TypedArray[] = [];
  for (let t = 0; t < inputs.real.shape[0]; t++) {
    const args = ["real", "fake", "y", "c", "u"].map((name) => at(inputs[name], t));
    const { out, ...first } = step(...args);
    if (t === 0) Object.assign(results, await readNamed(first));
    path.push(...await read([out]));
  }
  const final = await readNamed(prefixed("final.D.", discriminator.stateDict()));
  return { ...results, ...final, out: joined(path) };
};

/** Every training operation by its golden name. */
export const trainings: Readonly<Record<string, Program>> = {
  optimizer,
  ema,
  acgan_train: acganTrain,
  acgan_dragan_d_train: draganTrain,
};
