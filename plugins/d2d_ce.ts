// ReACGAN's data-to-data cross-entropy: Kang, Shim, Cho, Park, "Rebooting ACGAN: Auxiliary Classifier GANs with
// Stable Training", NeurIPS 2021, arXiv:2111.01118, section 3. A classifier's gradients explode where what it sees
// is long; here only angles count: a picture is drawn to its class's direction, away from pictures of other
// classes, and left alone once it is near the one and far from the others.

import {
  Categorical,
  type CategoricalDescription,
  classColumns,
  type ConditionWeights,
  definePlugin,
  type Plugin,
  requireColumns,
} from "kao/plugin";
import {
  add,
  argmax,
  cast,
  clamp,
  div,
  Embedding,
  eq,
  exp,
  ge,
  type HostGenerator,
  log,
  matmul,
  maximum,
  mean,
  mul,
  ne,
  norm,
  oneHot,
  reshape,
  sub,
  sum,
  type Tensor,
  where,
} from "kao/engine";

/** The margins and the temperature of {@linkcode d2dCe}. */
export interface D2dOptions {
  /** How near, as a cosine, a picture is to be to its class. */
  readonly positive: number;
  /** How near, as a cosine, it may be to pictures of other classes. */
  readonly negative: number;
  readonly temperature: number;
}

/** A picture's logarithms, each `[batch]`: of the pull of its class, and of all pulls and pushes. */
function pullAndPush(
  embedded: Tensor,
  proxies: Tensor,
  { classes, positive, negative, temperature }: D2dOptions & { readonly classes: Tensor },
): { pull: Tensor; all: Tensor } {
  const f = unitLength(embedded), v = unitLength(proxies), [batch] = classes.shape;
  const own = sum(mul(f, matmul(oneHot(classes, v.shape[0]), v)), { dim: 1 });
  const pull = div(clamp(sub(own, positive), { max: 0 }), temperature);
  const alike = matmul(f, f, { transposeB: true });
  const push = exp(div(clamp(sub(alike, negative), { min: 0 }), temperature));
  const others = ne(reshape(classes, [batch, 1]), reshape(classes, [1, batch]));
  const known = cast(ge(classes, 0), "f32");
  const pushes = sum(mul(where(others, push, 0), known), { dim: 1 });
  return { pull, all: log(add(exp(pull), pushes)) };
}

/**
 * `-mean(log(exp([s - m_p]_- / t) / (exp([s - m_p]_- / t) + sum over pictures of other classes of
 * exp([cosine - m_n]_+ / t))))`, a scalar, where s is the cosine between a picture and its class.
 *
 * `embedded` is `[batch, dimensions]`, `proxies` is `[classes, dimensions]`.
 *
 * @param options.partial pictures without a class, -1, neither count nor push.
 */
export function d2dCe(
  embedded: Tensor,
  proxies: Tensor,
  options: D2dOptions & { readonly classes: Tensor; readonly partial?: boolean },
): Tensor {
  const { pull, all } = pullAndPush(embedded, proxies, options);
  const losses = sub(all, pull);
  if (!options.partial) return mean(losses);
  const known = cast(ge(options.classes, 0), "f32");
  return div(sum(mul(losses, known)), maximum(sum(known), 1));
}

/** Rows of length 1. */
function unitLength(rows: Tensor): Tensor {
  return div(rows, maximum(norm(rows, { dim: 1, keepdim: true }), 1e-12));
}

interface EmbeddedOptions extends D2dOptions {
  readonly dimensions: number;
  readonly weight: number;
}

/** A class that the discriminator's head gives a direction for. */
class EmbeddedClass extends Categorical {
  readonly networks: { readonly proxies: Embedding };
  readonly weights: ConditionWeights;
  readonly #options: EmbeddedOptions;

  constructor(
    description: CategoricalDescription,
    options: EmbeddedOptions,
    generator: HostGenerator,
  ) {
    super(description);
    const { dimensions, weight } = options;
    this.#options = options;
    this.networks = { proxies: new Embedding(this.classes.length, dimensions, { generator }) };
    // Fakes teach the generator alone: the discriminator would learn from what is drawn wrongly.
    this.weights = { real: weight, fake: 0, generator: weight };
  }

  override get headSize(): number {
    return this.#options.dimensions;
  }

  override loss(head: Tensor, values: Tensor): Tensor {
    const partial = this.known !== undefined;
    return d2dCe(head, this.#proxies, { ...this.#options, classes: values, partial });
  }

  override score(head: Tensor, values: Tensor): Tensor {
    const near = matmul(unitLength(head), unitLength(this.#proxies), { transposeB: true });
    return cast(eq(argmax(near, { dim: 1 }), values), "f32");
  }

  get #proxies(): Tensor {
    return this.networks.proxies.weight.value;
  }
}

const d2dCePlugin: Plugin = definePlugin({
  name: "d2d-ce",
  version: "1.0.0",
  help: "Classes as directions, told by data-to-data cross-entropy (ReACGAN)",
  paper: "Kang et al. 2021, arXiv:2111.01118, section 3",
  options: {
    columns: classColumns,
    weight: { type: "number", min: 0, default: 0.5, help: "Weight of its terms" },
    temperature: {
      type: "number",
      min: 0.02,
      max: 10,
      default: 0.5,
      help: "The lower it is, the more the nearest pictures of other classes count",
    },
    margin: {
      type: "number",
      min: 0.5,
      max: 1,
      default: 0.98,
      help: "Cosine at which a picture is near enough to its class; the rest to 1 is far enough",
    },
    dimensions: {
      type: "integer",
      min: 2,
      max: 4096,
      default: 512,
      help: "Dimensions in which directions lie",
    },
  },
  columns: ({ columns }, all) => columns ?? all,
  setup: ({ columns, margin, ...options }, setup) => ({
    conditions: requireColumns(columns, setup).map((described) =>
      new EmbeddedClass(
        described,
        { ...options, positive: margin, negative: 1 - margin },
        setup.weights,
      )
    ),
  }),
});

export default d2dCePlugin;
