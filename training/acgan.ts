import {
  Adam,
  concat,
  ExponentialMovingAverage,
  Generator,
  HostGenerator,
  type Tensor,
  Variable,
} from "../engine/mod.ts";
import {
  type DiscriminatorNetwork,
  type GeneratorNetwork,
  makeDiscriminator,
  makeGenerator,
  type MakeNormalization,
} from "../models/mod.ts";
import type { Condition } from "../plugin/mod.ts";
import type { TrainSettings } from "./config.ts";
import { LearningRates, type RateSettings } from "./learning_rate.ts";
import { Plugins } from "./plugins.ts";
import { seedOf } from "./seeds.ts";

/** The settings that decide which variables a model has. */
export type ModelSettings =
  & Pick<TrainSettings, "size" | "generator" | "discriminator" | "seed" | "betas">
  & RateSettings;

/** Everything that one run trains: two networks, the average of one, two optimisers, and counters. */
export class Acgan {
  readonly generator: GeneratorNetwork;
  /** The generator whose weights and running statistics are averages over the last steps. */
  readonly average: GeneratorNetwork;
  readonly discriminator: DiscriminatorNetwork;
  /** Moves {@linkcode average}, batch norm's running statistics included, towards the generator. */
  readonly averaging: ExponentialMovingAverage;
  readonly optimizers: { readonly generator: Adam; readonly discriminator: Adam };
  /** The optimisers' step lengths, and those of plugins. */
  readonly rates: LearningRates;
  /** Noise and classes of the fakes. */
  readonly random: Generator;
  /** Dropout and noise in the discriminator, if it has any. */
  readonly #disturbance: Generator | undefined;
  /** Steps done. */
  readonly step: Variable = new Variable(new Int32Array(1), [], { name: "step" });
  readonly conditions: readonly Condition[];
  readonly plugins: Plugins;

  /** @param options.plugins whose conditions are among the conditions; none by default. */
  constructor(
    settings: ModelSettings,
    conditions: readonly Condition[],
    options: { plugins?: Plugins } = {},
  ) {
    const { seed, betas } = settings;
    this.conditions = conditions;
    this.plugins = options.plugins ?? new Plugins();
    this.rates = this.plugins.rates ?? new LearningRates(settings);
    const { normalization } = this.plugins;
    this.generator = newGenerator(settings, conditions, { normalization });
    this.average = newGenerator(settings, conditions, { normalization }).eval();
    this.averaging = new ExponentialMovingAverage(this.generator, { average: this.average });
    let random: Generator | undefined;
    this.discriminator = newDiscriminator(settings, conditions, {
      // Made when it is asked for: most networks draw nothing, and have nothing in their checkpoints.
      random: () => random ??= new Generator(seedOf(seed, "discriminator noise")),
    });
    this.#disturbance = random;
    this.plugins.parametrize(this.discriminator, { seed });
    this.optimizers = {
      generator: new Adam(this.generator.namedParameters(), { lr: this.rates.generator, betas }),
      discriminator: new Adam(this.discriminator.namedParameters(), {
        lr: this.rates.discriminator,
        betas,
      }),
    };
    this.random = new Generator(seedOf(seed, "steps"));
  }

  /** Every source of random numbers of a step, those of plugins under their names. */
  get generators(): Record<string, Generator> {
    return {
      steps: this.random,
      ...(this.#disturbance && { disturbance: this.#disturbance }),
      ...this.plugins.generators,
    };
  }

  /** What the networks have learnt, by the names that it has in a checkpoint. */
  weights(): Record<string, Variable> {
    return {
      ...under("G", this.generator.stateDict()),
      ...under("D", this.discriminator.stateDict()),
      ...under("ema.G", this.average.stateDict()),
    };
  }

  /** Every variable by the name that it has in a checkpoint: all that a run needs to go on exactly. */
  state(): Record<string, Variable> {
    return {
      ...this.weights(),
      ...under("optim.G", this.optimizers.generator.state()),
      ...under("optim.D", this.optimizers.discriminator.state()),
      ...this.plugins.state(),
      random: this.random.state,
      ...(this.#disturbance && { "random.D": this.#disturbance.state }),
      step: this.step,
    };
  }
}

/** Whether the discriminator recovers a condition by a head. */
export function hasHead(condition: Condition): condition is Condition & Required<Headed> {
  return condition.headSize > 0;
}

type Headed = Pick<Condition, "loss" | "score">;

/** A fresh generator for these conditions; `normalization` is that of a plugin, if one brings it. */
export function newGenerator(
  settings: Pick<TrainSettings, "generator" | "seed">,
  conditions: readonly Condition[],
  options: { normalization?: MakeNormalization } = {},
): GeneratorNetwork {
  const codeSize = conditions.reduce((sum, condition) => sum + condition.codeSize, 0);
  const generator = new HostGenerator(seedOf(settings.seed, "generator"));
  return makeGenerator(settings.generator, codeSize, { ...options, generator });
}

/** A fresh discriminator for these conditions; `random` gives what its dropout and noise are drawn from. */
export function newDiscriminator(
  settings: Pick<TrainSettings, "size" | "discriminator" | "seed">,
  conditions: readonly Condition[],
  { random = () => new Generator(0) }: { random?: () => Generator } = {},
): DiscriminatorNetwork {
  const { size, seed } = settings;
  return makeDiscriminator(settings.discriminator, size, {
    heads: Object.fromEntries(
      conditions.filter(hasHead).map(({ name, headSize }) => [name, headSize]),
    ),
    generator: new HostGenerator(seedOf(seed, "discriminator")),
    random,
  });
}

/** The codes of all conditions side by side, `[batch, sum of code sizes]`. */
export function encodeAll(conditions: readonly Condition[], values: readonly Tensor[]): Tensor {
  return concat(conditions.map((condition, i) => condition.encode(values[i])), { dim: 1 });
}

/** Puts `prefix.` before every name. */
export function under<T>(prefix: string, named: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(named).map(([name, x]) => [`${prefix}.${name}`, x]));
}
