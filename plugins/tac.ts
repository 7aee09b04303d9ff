// Twin auxiliary classifiers: Gong, Xu, Li, Zhang, Batmanghelich, "Twin Auxiliary Classifiers GAN", NeurIPS 2019,
// arXiv:1907.02690, section 4. A generator that pleases a classifier draws what is easily told, and little else.
// A second classifier learns from fakes, and the generator is to escape it: what it gains by drawing classes
// further apart than they are, it loses again.
//
// In the paper's formula the first classifier learns from real pictures and from fakes; in the authors' code from real
// ones alone, as is the default here.

import {
  type Asked,
  Categorical,
  type CategoricalDescription,
  classColumns,
  type ConditionWeights,
  definePlugin,
  type Plugin,
  requireColumns,
} from "kao/plugin";
import { add, crossEntropy, slice, sub, type Tensor } from "kao/engine";

/** A class that a classifier, the first half of the head, and its twin tell: the twin learns from fakes. */
class TwinClass extends Categorical {
  readonly weights: ConditionWeights = { fake: 1 };
  /** Which pictures the classifier learns from. */
  readonly #classOn: "real" | "both";

  constructor(description: CategoricalDescription, { classOn }: { classOn: "real" | "both" }) {
    super(description);
    this.#classOn = classOn;
  }

  override get headSize(): number {
    return 2 * this.classes.length;
  }

  override loss(head: Tensor, values: Tensor, asked: Asked): Tensor {
    const [classifier, twin] = halves(head);
    if (asked.pictures === "real") return super.loss(classifier, values);
    const escaped = crossEntropy(twin, values);
    if (asked.network === "generator") return sub(crossEntropy(classifier, values), escaped);
    return this.#classOn === "both" ? add(crossEntropy(classifier, values), escaped) : escaped;
  }

  override score(head: Tensor, values: Tensor): Tensor {
    return super.score(halves(head)[0], values);
  }
}

function halves(head: Tensor): [Tensor, Tensor] {
  const half = head.shape[1] / 2;
  return [slice(head, [null, [0, half]]), slice(head, [null, [half, 2 * half]])];
}

const tac: Plugin = definePlugin({
  name: "tac",
  version: "1.0.0",
  help: "Classes, with a twin of the classifier that the generator is to escape (TAC-GAN)",
  paper: "Gong et al. 2019, arXiv:1907.02690, section 4",
  options: {
    columns: classColumns,
    classOn: {
      type: "choice",
      choices: ["real", "both"],
      default: "real",
      help: "Pictures that the classifier learns from; its twin learns from fakes",
    },
  },
  columns: ({ columns }, all) => columns ?? all,
  setup: ({ columns, classOn }, setup) => ({
    conditions: requireColumns(columns, setup).map((it) => new TwinClass(it, { classOn })),
  }),
});

export default tac;
