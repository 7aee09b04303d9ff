// Latent codes that the model gives a meaning: Chen, Duan, Houthooft, Schulman, Sutskever, Abbeel, "InfoGAN:
// Interpretable Representation Learning by Information Maximizing Generative Adversarial Nets", NIPS 2016. The
// generator is given codes beside its noise, and a head Q of the discriminator recovers them from fakes
// (equation 5): categorical codes by cross-entropy, continuous ones as a factored Gaussian.

import {
  abs,
  add,
  clamp,
  exp,
  mean,
  minimum,
  mul,
  neg,
  reshape,
  slice,
  square,
  sub,
  type Tensor,
  tensor,
} from "kao/engine";
import {
  Categorical,
  type Condition,
  definePlugin,
  type NamedValue,
  type PictureSource,
  type Plugin,
  type RandomSource,
  UserError,
} from "kao/plugin";

/** What is kept of a {@linkcode GaussianCode}. */
export interface GaussianCodeDescription {
  readonly name: string;
  readonly sigma: "fixed" | "learned";
}

/** Logarithms of the variance that Q may give, so that neither it nor its inverse explodes. */
const LOG_VARIANCE = { min: -6, max: 2 };
/** Values in a sweep. */
const SWEEP = 7;

/** A continuous code, drawn evenly from [-1, 1]; values are `[batch]`. */
export class GaussianCode implements Condition {
  readonly kind = "gaussian-code";
  readonly name: string;
  readonly help = "a number from -1 to 1, which the model has given a meaning";
  readonly codeSize = 1;
  readonly headSize: number;
  readonly #sigma: GaussianCodeDescription["sigma"];

  constructor({ name, sigma }: GaussianCodeDescription) {
    this.name = name;
    this.headSize = sigma === "learned" ? 2 : 1;
    this.#sigma = sigma;
  }

  describe(): Record<string, unknown> {
    return { kind: this.kind, name: this.name, sigma: this.#sigma };
  }

  sample(random: RandomSource, batch: number): Tensor {
    return sub(mul(random.uniform([batch]), 2), 1);
  }

  encode(values: Tensor): Tensor {
    return reshape(values, [values.shape[0], 1]);
  }

  /**
   * The Gaussian's negative log likelihood, whose head is its mean and, if that is learned, the logarithm of
   * its variance; else the variance is 1.
   */
  loss(head: Tensor, values: Tensor): Tensor {
    const error = square(sub(this.#mean(head), values));
    const constant = Math.log(2 * Math.PI);
    if (this.#sigma === "fixed") return mul(mean(add(error, constant)), 0.5);
    const logVariance = clamp(reshape(slice(head, [null, [1, 2]]), values.shape), LOG_VARIANCE);
    const scaled = mul(error, exp(neg(logVariance)));
    return mul(mean(add(add(logVariance, scaled), constant)), 0.5);
  }

  score(head: Tensor, values: Tensor): Tensor {
    return sub(1, minimum(abs(sub(this.#mean(head), values)), 1));
  }

  parse(text: string): readonly number[] {
    const number = Number(text);
    if (text.trim() !== "" && number >= -1 && number <= 1) return [number];
    throw new UserError(`${this.name} must be a number from -1 to 1, not ${text}`);
  }

  showcase(): readonly NamedValue[] {
    return Array.from({ length: SWEEP }, (_, k) => {
      const value = -1 + 2 * k / (SWEEP - 1);
      return { label: value.toFixed(1), value: [value] };
    });
  }

  tensor(values: readonly (readonly number[])[]): Tensor {
    return tensor(Float32Array.from(values, ([value]) => value), [values.length]);
  }

  labels([value]: readonly number[]): Readonly<Record<string, string>> {
    return { [this.name]: value.toFixed(4) };
  }

  #mean(head: Tensor): Tensor {
    return reshape(slice(head, [null, [0, 1]]), [head.shape[0]]);
  }
}

const infoGan: Plugin = definePlugin({
  name: "info-gan",
  version: "1.0.0",
  help: "Latent codes that the model gives a meaning, without labels (InfoGAN)",
  paper: "Chen et al. 2016, arXiv:1606.03657, equation 5",
  options: {
    classes: {
      type: "list",
      default: ["10"],
      placeholder: "n,n,...",
      help: "Categorical codes by their number of classes; 0 for none",
    },
    continuous: { type: "integer", min: 0, max: 64, default: 2, help: "Continuous codes" },
    sigma: {
      type: "choice",
      choices: ["fixed", "learned"],
      default: "fixed",
      help: "Whether Q's deviation is 1, or learned",
    },
  },
  kinds: {
    "gaussian-code": (description) =>
      new GaussianCode(description as unknown as GaussianCodeDescription),
  },
  setup({ classes, continuous, sigma }) {
    const sizes = classes.map(Number).filter((size) => size !== 0);
    const wrong = sizes.findIndex((size) => !Number.isInteger(size) || size < 2);
    if (wrong >= 0) throw new UserError(`classes must be whole numbers above 1, not ${classes}`);
    if (sizes.length + continuous === 0) throw new UserError("there is no code to be found");
    const conditions = [
      ...sizes.map((size, k) => {
        const names = Array.from({ length: size }, (_, i) => String(i + 1));
        const frequencies = names.map(() => 1 / size);
        return new Categorical({ name: `kind${k + 1}`, classes: names, frequencies }, {
          latent: true,
        });
      }),
      ...Array.from(
        { length: continuous },
        (_, k) => new GaussianCode({ name: `code${k + 1}`, sigma }),
      ),
    ];
    return {
      conditions,
      hooks: { checkpoint: ({ pictures }) => effects(pictures, conditions) },
    };
  },
});

/** Seeds whose pictures tell what codes change. */
const SEEDS = Array.from({ length: 16 }, (_, i) => i + 1);

/** What each code changes: the mean difference of pixels, of 255, between its first value and its last. */
async function effects(
  pictures: PictureSource,
  conditions: readonly Condition[],
): Promise<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { name, showcase } of conditions.map(withShowcase)) {
    const [first, last] = [showcase[0], showcase[showcase.length - 1]];
    const draw = async ({ value }: NamedValue) =>
      await pictures.draw(await pictures.requests(SEEDS, { [name]: value }));
    const a = await draw(first), b = await draw(last);
    found[`change.${name}`] = a.reduce((sum, x, i) => sum + Math.abs(x - b[i]), 0) / a.length;
  }
  return found;
}

const withShowcase = (condition: Condition) => ({
  name: condition.name,
  showcase: condition.showcase(),
});

export default infoGan;
