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
  /** Where there are such: for each tag the column that it is in the cells of, empty if it has its own. */
  readonly cells?: readonly string[];
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

  /** @param options.sources what the classes of a label column say of each tag; without, it cannot be trained. */
  constructor(
    description: TagsDescription,
    options: { sources?: readonly Pick<TagSource, "column" | "signs">[] } = {},
  ) {
    const { name, tags } = description, { sources } = options;
    this.name = name;
    this.codeSize = this.headSize = tags.length;
    this.#description = description;
    if (sources) this.read = (labels) => this.#read(labels, sources);
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

  /** The cells of a label column that a value fills, as {@linkcode read} has them. */
  labels(value: readonly number[]): Readonly<Record<string, string>> {
    const { tags, cells = [] } = this.#description;
    const labels: Record<string, string> = {};
    tags.forEach((tag, k) => {
      const column = cells[k], has = value[k] > 0;
      if (!column) labels[tag] = has ? "1" : "-1";
      else labels[column] = [labels[column] ?? "", has ? tag : ""].filter(Boolean).join(";");
    });
    return labels;
  }

  #read(
    { classes }: Labels,
    sources: readonly Pick<TagSource, "column" | "signs">[],
  ): Tensor {
    const count = classes[sources[0].column].length;
    const values = new Float32Array(count * sources.length);
    sources.forEach(({ column, signs }, k) => {
      classes[column].forEach((label, i) => values[i * sources.length + k] = signs[label] ?? -1);
    });
    return tensor(values, [count, sources.length]);
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
    columns: {
      type: "list",
      help: "Label columns of a tag each, of 1 and -1, 1 and 0, or yes and no",
    },
    cells: {
      type: "list",
      help: "Label columns with any number of tags in a cell, between ; or | or commas",
    },
    least: {
      type: "integer",
      min: 1,
      default: 1,
      help: "Tags in cells that fewer pictures have are passed over",
    },
    name: { type: "string", default: "tags", help: "What all tags together are called" },
  },
  columns: ({ columns = [], cells = [] }) => [...columns, ...cells],
  requiredColumns: ({ columns = [] }) => columns,
  setup({ columns = [], cells = [], least, name }, { data }) {
    const found = [
      ...columns.map((column) => signsOf(data, column)),
      ...cells.flatMap((column) => tagsOf(data, { column, least })),
    ];
    if (found.length === 0) {
      throw new UserError("there is no tag: name their label columns, by columns or by cells");
    }
    const tags = found.map(({ tag }) => tag);
    const twice = tags.find((tag, i) => tags.indexOf(tag) !== i);
    if (twice !== undefined) throw new UserError(`there are two tags "${twice}": leave one out`);
    const frequencies = found.map(({ signs, labels }) =>
      labels.reduce((count, label) => count + Number((signs[label] ?? -1) > 0), 0) / labels.length
    );
    const inCells = found.map(({ column }, k) => k < columns.length ? "" : column);
    const description = {
      ...{ name, tags, frequencies },
      ...(cells.length > 0 && { cells: inCells }),
    };
    return { conditions: [new Tags(description, { sources: found })] };
  },
  kinds: { tags: (description) => new Tags(description as unknown as TagsDescription) },
});

/** A tag by its column: what each class says of it, and the class of each picture. */
interface TagSource {
  readonly tag: string;
  readonly column: string;
  /** 1 or -1 for each class; a picture without a label has no tag. */
  readonly signs: readonly number[];
  readonly labels: Int32Array;
}

/** The tag that a column is of. */
function signsOf(data: Dataset, column: string): TagSource {
  const { classes, labels } = columnOf(data, column);
  const missing = labels.filter((label) => label < 0).length;
  if (missing > 0) throw new UserError(`${missing} pictures have no label in column "${column}"`);
  const signs = classes.map((word, label) => {
    if (YES.includes(word.toLowerCase())) return 1;
    if (NO.includes(word.toLowerCase())) return -1;
    const file = data.files?.[labels.indexOf(label)];
    throw new UserError(
      `label column "${column}" must hold 1 and -1, or yes and no, and holds "${word}"` +
        `${file === undefined ? "" : ` for ${file}`}; columns with tags in their cells are cells`,
    );
  });
  return { tag: column, column, signs, labels };
}

/** The tags that are in the cells of a column, by name. */
function tagsOf(
  data: Dataset,
  { column, least }: { column: string; least: number },
): TagSource[] {
  const { classes, labels } = columnOf(data, column);
  const inClass = classes.map((cell) =>
    cell.split(/[;|,]/).map((tag) => tag.trim()).filter((tag) => tag !== "")
  );
  const counts = new Map<string, number>();
  for (const label of labels) {
    for (const tag of new Set(inClass[label])) counts.set(tag, (counts.get(tag) ?? 0) + 1);
  }
  const joined = [...counts.keys()].find((tag) => tag.includes("+") || tag === "none");
  if (joined !== undefined) {
    throw new UserError(
      `label column "${column}" has the tag "${joined}", which cannot be asked for: tags are joined by +, ` +
        `and none is for no tag`,
    );
  }
  return [...counts].filter(([, count]) => count >= least).map(([tag]) => tag).sort().map((
    tag,
  ) => ({
    ...{ tag, column, labels },
    signs: inClass.map((tags) => tags.includes(tag) ? 1 : -1),
  }));
}

function columnOf(data: Dataset, name: string): { classes: readonly string[]; labels: Int32Array } {
  const at = data.columns.findIndex((column) => column.name === name);
  if (at < 0) throw new UserError(`there is no label column "${name}"`);
  return { classes: data.columns[at].classes, labels: data.labels[at] };
}

export default attributes;
