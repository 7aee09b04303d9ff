import {
  abs,
  add,
  clamp,
  concat,
  exp,
  type Generator,
  type HostGenerator,
  Linear,
  mean,
  minimum,
  mul,
  neg,
  reshape,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../engine/mod.ts";
import { UserError } from "../data/mod.ts";
import type { Asked, Condition, Labels, NamedValue, RandomSource, Share } from "./condition.ts";

/** What is kept of a {@linkcode Continuous} condition. */
export interface ContinuousDescription {
  /** The label column, or the measure's name. */
  readonly name: string;
  /** What its numbers mean, for `--help`. */
  readonly help?: string;
  /** Quantiles of the data's numbers, evenly spaced from the least to the greatest. */
  readonly quantiles: readonly number[];
}

/** How the numbers of real pictures are known: by one of these. */
export interface ContinuousSource {
  /** The number of each class of the label column that has the condition's name. */
  readonly numbers?: readonly number[];
  /** A mirrored picture has the negative number: a tilt. */
  readonly odd?: boolean;
  /** A traced program over pictures `[batch, 3, size, size]` in [-1, 1] that gives `[batch]` numbers. */
  readonly measure?: (images: Tensor) => Tensor;
}

/** How a discriminator judges pictures for their numbers; see {@linkcode Continuous.withVicinity}. */
export interface Vicinity {
  /** `hard`: targets lie evenly within `width` of a picture's number; `soft`: normally, with this deviation. */
  readonly kind: "hard" | "soft";
  /**
   * In shares of half the range of the numbers. By default by Silverman's rule for a kernel estimate of N
   * numbers of deviation s, 1.06 s N^(-1/5), and for hard as much as makes the deviation the same.
   */
  readonly width?: number;
  /** Length of the discriminator's features. */
  readonly features: number;
  /** Draws the initial weights of the embedding. */
  readonly weights: HostGenerator;
  /** Draws the targets. */
  readonly random: Generator;
}

/** Stretches between quantiles, by which the prior is kept. */
const STRETCHES = 32;
/** Bumps along the range, by which the generator sees a number. */
const BUMPS = 8;
/** An error of the discriminator's regression that weighs as much as a class that is told by half. */
const TOLERANCE = 0.25;
/** Values in a sweep. */
const SWEEP = 7;

/**
 * A slider: a number that describes a picture. It enters the generator as itself, scaled to [-1, 1], and as
 * bumps along its range. The discriminator recovers it by regression (AC-GAN's classifier with a squared
 * error in place of cross-entropy), or judges pictures for it (see {@linkcode Continuous.withVicinity}).
 * Fakes are asked for as often as numbers occur in the data.
 *
 * Values are `[batch]`, scaled.
 */
export class Continuous implements Condition {
  readonly kind = "continuous";
  readonly name: string;
  readonly networks: { readonly embedding: Linear } | undefined;
  readonly read: Condition["read"];
  readonly measure: Condition["measure"];
  readonly #description: ContinuousDescription;
  readonly #vicinity: Required<Vicinity> | undefined;

  /**
   * Without a source it can be asked for, but not trained.
   *
   * @param options.count how many numbers the description is of.
   */
  constructor(
    description: ContinuousDescription,
    options: { source?: ContinuousSource; vicinity?: Vicinity; count?: number } = {},
  ) {
    const { source = {}, vicinity } = options;
    this.name = description.name;
    this.#description = description;
    const { numbers, odd = false, measure } = source;
    if (numbers) this.read = (labels) => this.#read(labels, { numbers, odd });
    if (measure) this.measure = (images) => this.#scaled(measure(images));
    if (vicinity) {
      const { weights, features, width = this.#silverman(vicinity.kind, options.count ?? 1) } =
        vicinity;
      this.#vicinity = { ...vicinity, width };
      this.networks = { embedding: new Linear(this.codeSize, features, { generator: weights }) };
    }
  }

  /**
   * The condition for numbers of the data, one a picture.
   *
   * @throws {UserError} where they are all the same, or one is not finite.
   */
  static fromNumbers(
    name: string,
    numbers: ArrayLike<number>,
    options: { help?: string; source: ContinuousSource; vicinity?: Vicinity },
  ): Continuous {
    const sorted = Float64Array.from(numbers).sort();
    const least = sorted[0], greatest = sorted[sorted.length - 1];
    if (!sorted.every(Number.isFinite)) {
      throw new UserError(`Cannot make a slider of ${name}: not every picture has a finite number`);
    }
    if (!(least < greatest)) {
      throw new UserError(`Cannot make a slider of ${name}: every picture has the number ${least}`);
    }
    const quantiles = Array.from({ length: STRETCHES + 1 }, (_, k) => {
      const at = k / STRETCHES * (sorted.length - 1), below = Math.floor(at);
      const above = Math.min(below + 1, sorted.length - 1);
      return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
    });
    const { help, ...rest } = options;
    const description = { name, ...(help && { help }), quantiles };
    return new Continuous(description, { ...rest, count: sorted.length });
  }

  /** The least and the greatest number of the data. */
  get range(): readonly [number, number] {
    const { quantiles } = this.#description;
    return [quantiles[0], quantiles[quantiles.length - 1]];
  }

  get help(): string {
    const [least, greatest] = this.range.map(short);
    const { help } = this.#description;
    return `${help ? `${help}, ` : ""}a number from ${least} to ${greatest}`;
  }

  get codeSize(): number {
    return 1 + BUMPS;
  }

  get headSize(): number {
    return this.#vicinity ? 0 : 1;
  }

  describe(): Record<string, unknown> {
    return { kind: this.kind, ...this.#description };
  }

  /** By the inverse of the cumulative distribution, straight between quantiles. */
  sample(random: RandomSource, batch: number): Tensor {
    const scaled = this.#description.quantiles.map((number) => this.#scale(number));
    const stretches = scaled.length - 1;
    const rises = Float32Array.from({ length: stretches }, (_, k) => scaled[k + 1] - scaled[k]);
    const starts = Float32Array.from({ length: stretches }, (_, k) => k);
    const at = sub(mul(random.uniform([batch, 1]), stretches), tensor(starts, [1, stretches]));
    const risen = mul(clamp(at, { min: 0, max: 1 }), tensor(rises, [1, stretches]));
    return add(sum(risen, { dim: 1 }), scaled[0]);
  }

  encode(values: Tensor): Tensor {
    const t = reshape(values, [values.shape[0], 1]);
    const spacing = 2 / (BUMPS - 1);
    const centres = Float32Array.from({ length: BUMPS }, (_, k) => -1 + k * spacing);
    const distance = mul(sub(t, tensor(centres, [1, BUMPS])), 1 / spacing);
    return concat([t, exp(neg(square(distance)))], { dim: 1 });
  }

  /** The squared error in units of {@linkcode TOLERANCE}, halved: a Gaussian's negative log likelihood. */
  loss(head: Tensor, values: Tensor): Tensor {
    const error = sub(reshape(head, values.shape), values);
    return mul(mean(square(error)), 0.5 / TOLERANCE ** 2);
  }

  /** 1 less the error, as a share of half the range. */
  score(head: Tensor, values: Tensor): Tensor {
    return sub(1, minimum(abs(sub(reshape(head, values.shape), values)), 1));
  }

  /**
   * CcGAN's vicinal losses (Ding et al., ICLR 2021, section 2), for a projection discriminator: the inner
   * product of its features and an embedding of the number is added to its logit.
   *
   * A real picture is shown for a target in the vicinity of its number. CcGAN draws the target by a kernel
   * estimate of the numbers and then a picture in its vicinity; drawing the picture first and then a target
   * around it gives the same pairs with the same probability, where the estimate's kernel is the vicinity's:
   * even for hard, normal for soft.
   */
  get logit(): Condition["logit"] {
    const vicinity = this.#vicinity;
    if (!vicinity || !this.networks) return undefined;
    const { embedding } = this.networks;
    return (features: Tensor, values: Tensor, { network, pictures }: Asked): Tensor => {
      const { kind, width, random } = vicinity;
      const shift = kind === "soft"
        ? () => random.normal(values.shape)
        : () => sub(mul(random.uniform(values.shape), 2), 1);
      const target = network === "discriminator" && pictures === "real"
        ? add(values, mul(shift(), width))
        : values;
      return sum(mul(features, embedding.forward(this.encode(target))), { dim: 1 });
    };
  }

  parse(text: string): readonly number[] {
    const number = Number(text), [least, greatest] = this.range;
    if (text.trim() !== "" && number >= least && number <= greatest) return [this.#scale(number)];
    throw new UserError(
      `${this.name} must be a number from ${short(least)} to ${short(greatest)}, not ${text}`,
    );
  }

  /** A sweep through all but the rarest numbers. */
  showcase(): readonly NamedValue[] {
    const { quantiles } = this.#description;
    const least = quantiles[1], greatest = quantiles[quantiles.length - 2];
    return Array.from({ length: SWEEP }, (_, k) => {
      const number = least + k / (SWEEP - 1) * (greatest - least);
      return { label: short(number), value: [this.#scale(number)] };
    });
  }

  tensor(values: readonly (readonly number[])[]): Tensor {
    return tensor(Float32Array.from(values, ([t]) => t), [values.length]);
  }

  /** Seven digits, and always as a fraction: whole numbers in all rows would look like names of classes. */
  labels([t]: readonly number[]): Readonly<Record<string, string>> {
    const digits = this.number(t).toPrecision(7);
    return { [this.name]: digits.includes(".") ? digits : `${digits}.0` };
  }

  mix(shares: readonly Share[]): readonly number[] {
    return [shares.reduce((sum, { value: [t], weight }) => sum + weight * t, 0)];
  }

  /** The number that a scaled value stands for. */
  number(t: number): number {
    const [least, greatest] = this.range;
    return least + (t + 1) / 2 * (greatest - least);
  }

  #silverman(kind: Vicinity["kind"], count: number): number {
    const scaled = this.#description.quantiles.map((number) => this.#scale(number));
    const centre = scaled.reduce((sum, t) => sum + t, 0) / scaled.length;
    const variance = scaled.reduce((sum, t) => sum + (t - centre) ** 2, 0) / scaled.length;
    const deviation = 1.06 * Math.sqrt(variance) * count ** (-1 / 5);
    return kind === "soft" ? deviation : deviation * Math.sqrt(3);
  }

  #scale(number: number): number {
    const [least, greatest] = this.range;
    return 2 * (number - least) / (greatest - least) - 1;
  }

  #scaled(numbers: Tensor): Tensor {
    const [least, greatest] = this.range;
    return sub(mul(sub(numbers, least), 2 / (greatest - least)), 1);
  }

  #read({ classes, mirrored }: Labels, { numbers, odd }: {
    numbers: readonly number[];
    odd: boolean;
  }): Tensor {
    const column = classes[this.name];
    const t = Float32Array.from(column, (label, i) => {
      const number = numbers[label];
      return this.#scale(odd && mirrored[i] === 1 ? -number : number);
    });
    return tensor(t, [t.length]);
  }
}

/** A number in three digits. */
function short(number: number): string {
  return String(Number(number.toPrecision(3)));
}
