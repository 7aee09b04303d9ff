import type { Tensor } from "../engine/mod.ts";
import { UserError } from "../data/mod.ts";
import type { Asked, Condition, Share } from "../plugin/mod.ts";
import { guarded, type Origin, requireTensor } from "./guard.ts";

/** What checks of a plugin's tensors report to. */
export interface Watch {
  /** The step at hand. */
  readonly step: number | undefined;
  /** Has a tensor's numbers looked after: `hook` made them. */
  finite(plugin: Origin, hook: string, value: Tensor): void;
}

/**
 * A plugin's condition whose every traced function is checked: for what it throws, for the shape of what it
 * returns, and for numbers that are not finite.
 */
export function checkedCondition(plugin: Origin, condition: Condition, watch: Watch): Condition {
  const { name, codeSize, headSize } = condition;
  checkSizes(plugin, condition);
  const call = (
    hook: string,
    make: () => Tensor,
    shape: (made: Tensor) => readonly number[],
  ): Tensor => {
    const at = { hook: `${name}.${hook}`, step: watch.step };
    return guarded(plugin, at, () => {
      const made = make();
      return requireTensor(made, made === undefined ? [] : shape(made));
    });
  };
  const checked = (hook: string, value: Tensor): Tensor => {
    watch.finite(plugin, `${name}.${hook}`, value);
    return value;
  };
  const { read, measure, loss, score, known, logit, labels, mix } = condition;
  const bound: Condition = {
    kind: condition.kind,
    name,
    help: condition.help,
    codeSize,
    headSize,
    networks: condition.networks,
    weights: condition.weights,
    describe: () => condition.describe(),
    sample: (random, batch) =>
      call("sample", () => condition.sample(random, batch), ({ shape }) => [
        batch,
        ...shape.slice(1),
      ]),
    encode: (values) =>
      checked(
        "encode",
        call("encode", () => condition.encode(values), () => [values.shape[0], codeSize]),
      ),
    parse: (text) => condition.parse(text),
    showcase: () => guarded(plugin, { hook: `${name}.showcase` }, () => condition.showcase()),
    tensor: (values) =>
      call("tensor", () => condition.tensor(values), ({ shape }) => [
        values.length,
        ...shape.slice(1),
      ]),
  };
  return Object.assign(bound, {
    ...(labels && {
      labels: (value: readonly number[]) =>
        guarded(plugin, { hook: `${name}.labels` }, () => labels.call(condition, value)),
    }),
    ...(mix && {
      mix: (shares: readonly Share[]) =>
        guarded(plugin, { hook: `${name}.mix` }, () => mix.call(condition, shares)),
    }),
    ...(read && {
      read: (labels: Parameters<typeof read>[0]) =>
        guarded(
          plugin,
          { hook: `${name}.read`, step: watch.step },
          () => read.call(condition, labels),
        ),
    }),
    ...(measure && {
      measure: (images: Tensor) =>
        checked(
          "measure",
          call("measure", () => measure.call(condition, images), ({ shape }) => [
            images.shape[0],
            ...shape.slice(1),
          ]),
        ),
    }),
    ...(loss && {
      loss: (head: Tensor, values: Tensor, asked: Asked) =>
        call("loss", () => loss.call(condition, head, values, asked), () => []),
    }),
    ...(score && {
      score: (head: Tensor, values: Tensor) =>
        call("score", () => score.call(condition, head, values), () => [values.shape[0]]),
    }),
    ...(known && {
      known: (values: Tensor) =>
        call("known", () => known.call(condition, values), () => [values.shape[0]]),
    }),
    ...(logit && {
      logit: (features: Tensor, ...rest: [Tensor, Parameters<typeof logit>[2]]) =>
        checked(
          "logit",
          call("logit", () => logit.call(condition, features, ...rest), () => [
            features.shape[0],
          ]),
        ),
    }),
  });
}

function checkSizes(plugin: Origin, condition: Condition): void {
  const { name, codeSize, headSize, loss, score } = condition;
  guarded(plugin, { hook: "conditions" }, () => {
    if (!/^[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]*$/u.test(name)) {
      throw new UserError(`condition "${name}" must be named by letters, digits, _ and - alone`);
    }
    for (const [what, size, least] of [["codeSize", codeSize, 1], ["headSize", headSize, 0]]) {
      if (Number.isInteger(size) && Number(size) >= Number(least)) continue;
      throw new UserError(`condition ${name} has ${what} ${size}: ${least} or more is needed`);
    }
    if (headSize > 0 && !(loss && score)) {
      throw new UserError(`condition ${name} has a head, and no loss and score to train it by`);
    }
  });
}
