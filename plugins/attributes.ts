// Many yes-or-no tags at once, as MakeGirlsMoe has them: Jin, Zhang, Li, Tian, Zhu, Fang, "Towards the Automatic
// Anime Characters Creation with Generative Adversarial Networks", 2017, sections 3.1 and 4.2. The generator is
// given 1 or -1 for each tag, and the discriminator recovers each by a sigmoid of its own; fakes are asked for
// each tag as often as it occurs.

import {
  abs,
  add,
  cast,
  gt,
  lt,
  mean,
  mul,
  neg,
  softplus,
  sub,
  type Tensor,
  tensor,
} from "kao/engine";
import {
  type Condition,
  type Dataset,
  definePlugin,
  didYouMean,
  type Labels,
  type NamedValue,
  type Plugin,
  type RandomSource,
  UserError,
} from "kao/plugin";

/** What is kept of {@linkcode Tags}. */
export interface TagsDescription {
  readonly name: string;
  readonly tags: readonly string[];
  /** How often each tag occurs, from 0 to 1. */
  readonly frequencies: readonly number[];
}

/** Words for "has it" and "has it not" in a label column. */
const YES = ["1", "+1", "true", "yes"], NO = ["-1", "0", "false", "no"];

/** Several tags; values are `[batch, tags]` of 1 and -1. */
export class Tags implements Condition {
  readonly kind = "tags";
  readonly name: string;
  readonly codeSize: number;
  readonly headSize: number;
  readonly read: Condition["read"];
  readonly #description: TagsDescription;

  /** @param options.signs 1 or -1 for each class of each tag's label column; without, it cannot be trained. */
  constructor(
    description: TagsDescription,
    options: { signs?: readonly (readonly number[])[] } = {},
  ) {
    const { name, tags } = description, { signs } = options;
    this.name = name;
    this.codeSize = this.headSize = tags.length;
    this.#description = description;
    if (signs) this.read = (labels) => this.#read(labels, signs);
  }

  get help(): string {
    const { tags } = this.#description;
    return `those of ${tags.join(", ")} that it has, joined by +, or none`;
  }

  describe(): Record<string, unknown> {
    return { kind: this.kind, ...this.#description };
  }

  sample(random: RandomSource, batch: number): Tensor {
    const { frequencies } = this.#description;
    const drawn = random.uniform([batch, frequencies.length]);
    return signs(lt(drawn, tensor(frequencies, [1, frequencies.length])));
  }

  encode(values: Tensor): Tensor {
    return values;
  }

  /** Sigmoid cross-entropy, the mean over pictures and tags. */
  loss(head: Tensor, values: Tensor): Tensor {
    return mean(softplus(neg(mul(head, values))));
  }

  /** The share of tags that are told rightly. */
  score(head: Tensor, values: Tensor): Tensor {
    const wrong = mul(abs(sub(signs(gt(head, 0)), values)), 0.5);
    return sub(1, mean(wrong, { dim: 1 }));
  }

  parse(text: string): readonly number[] {
    const { tags } = this.#description;
    const words = text === "none" ? [] : text.split("+").map((word) => word.trim());
    for (const word of words) {
      if (tags.includes(word)) continue;
      throw new UserError(
        `Unknown tag "${word}"${didYouMean(word, tags)}: this model knows ${tags.join(", ")}`,
      );
    }
    return tags.map((tag) => words.includes(tag) ? 1 : -1);
  }

  /** No tag, then each alone. */
  showcase(): readonly NamedValue[] {
    const { tags } = this.#description;
    return ["none", ...tags].map((label) => ({ label, value: this.parse(label) }));
  }

  tensor(values: readonly (readonly number[])[]): Tensor {
    return tensor(Float32Array.from(values.flat()), [values.length, this.codeSize]);
  }

  #read({ classes }: Labels, ofClasses: readonly (readonly number[])[]): Tensor {
    const { tags } = this.#description;
    const count = classes[tags[0]].length;
    const values = new Float32Array(count * tags.length);
    tags.forEach((tag, k) => {
      classes[tag].forEach((label, i) => values[i * tags.length + k] = ofClasses[k][label]);
    });
    return tensor(values, [count, tags.length]);
  }
}

/** 1 for true, -1 for false. */
const signs = (yes: Tensor): Tensor => add(mul(cast(yes, "f32"), 2), -1);

const attributes: Plugin = definePlugin({
  name: "attributes",
  version: "1.0.0",
  help: "Many yes-or-no tags, drawn by their frequencies (MakeGirlsMoe)",
  paper: "Jin et al. 2017, arXiv:1708.05509, sections 3.1 and 4.2",
  options: {
    columns: { type: "list", help: `Label columns of tags, of 1 and -1, 1 and 0, or yes and no` },
    name: { type: "string", default: "tags", help: "What all tags together are called" },
  },
  columns: ({ columns }) => columns ?? [],
  setup({ columns: tags, name }, { data }) {
    if (!tags) throw new UserError("there is no tag: name their label columns");
    const found = tags.map((tag) => signsOf(data, tag));
    const frequencies = found.map(({ signs, labels }) =>
      labels.reduce((count, label) => count + Number(signs[label] > 0), 0) / labels.length
    );
    return {
      conditions: [new Tags({ name, tags, frequencies }, { signs: found.map((it) => it.signs) })],
    };
  },
  kinds: { tags: (description) => new Tags(description as unknown as TagsDescription) },
});

/** What each class of a tag's column means, and the class of each picture. */
function signsOf(data: Dataset, tag: string): { signs: number[]; labels: Int32Array } {
  const at = data.columns.findIndex(({ name }) => name === tag);
  if (at < 0) throw new UserError(`there is no label column "${tag}"`);
  const missing = data.labels[at].filter((label) => label < 0).length;
  if (missing > 0) throw new UserError(`${missing} pictures have no label in column "${tag}"`);
  const signs = data.columns[at].classes.map((word) => {
    if (YES.includes(word.toLowerCase())) return 1;
    if (NO.includes(word.toLowerCase())) return -1;
    throw new UserError(
      `label column "${tag}" must hold 1 and -1, or yes and no, and holds "${word}"`,
    );
  });
  return { signs, labels: data.labels[at] };
}

export default attributes;
