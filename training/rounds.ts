// Steps that learn from several batches, a plan a batch: gradients are added up on the device between them.

import {
  add,
  compile,
  type Compiled,
  type Footprint,
  full,
  grad,
  mul,
  reshape,
  stack,
  type Tensor,
  Variable,
} from "../engine/mod.ts";
import type { Acgan } from "./acgan.ts";
import {
  describeReal,
  discriminatorLesson,
  generatorLesson,
  learnersOf,
  update,
} from "./lessons.ts";
import { fromBytes } from "./pictures.ts";
import {
  batchesPerStep,
  type CompiledStep,
  type CompileStepOptions,
  drawBatch,
  finish,
} from "./compiled_step.ts";

/**
 * A step in which the discriminator learns once or more often before the generator does, and each of them from
 * the mean of several batches' gradients. Metrics are means over batches.
 *
 * Its arguments are `dSteps * accumulate` times the pictures and the values of a batch. The generator is shown
 * the real pictures of the discriminator's last update. Memory is that of one batch, whatever their number, and a
 * second set of gradients. Batch norm sees a batch at a time.
 */
export function compileRounds(model: Acgan, options: CompileStepOptions): CompiledStep {
  const { ring, accumulate = 1, dSteps = 1, precision } = options;
  const width = ring.names.length;
  /** The step's metrics so far. */
  const metrics = new Variable(new Float32Array(width), [width]);
  const note = (scalars: Readonly<Record<string, Tensor>>, { share }: { share: number }): void => {
    const row = stack(ring.names.map((name) => scalars[name] ?? full([], 0)));
    metrics.assign(add(metrics, mul(row, share)));
  };

  const d = new Round(model, { ...options, network: "d", note });
  const g = new Round(model, { ...options, network: "g", note });
  const end = compile(() => {
    g.update();
    ring.pushRow(reshape(metrics.value, [1, width]));
    metrics.assign(full([width], 0));
    finish(model, options);
  }, { name: "train: end", precision });
  const endOfD = compile(() => d.update(), { name: "train: update of D", precision });

  const inBatches = (args: readonly Tensor[]): Tensor[][] => {
    const count = batchesPerStep(options), length = args.length / count;
    return Array.from({ length: count }, (_, i) => args.slice(i * length, (i + 1) * length));
  };
  const step = (...args: Tensor[]): void => {
    const batches = inBatches(args);
    batches.forEach((batch, i) => {
      d.learn(...batch);
      if ((i + 1) % accumulate === 0) endOfD();
    });
    batches.slice(-accumulate).forEach((batch) => g.learn(...batch));
    end();
  };
  /** Every plan with its arguments, and how often it runs in a step. */
  const plans = (args: readonly Tensor[]): [Compiled<void>, Tensor[], number][] => {
    const [batch] = inBatches(args);
    return [
      [d.learn, batch, accumulate * dSteps],
      [endOfD, [], dSteps],
      [g.learn, batch, accumulate],
      [end, [], 1],
    ];
  };
  const kept = [...Object.values(model.state()), ...d.sums, ...g.sums, metrics];
  return Object.assign(step, {
    sites: (...args: Tensor[]) => plans(args).flatMap(([plan, given]) => plan.sites(...given)),
    footprint: (...args: Tensor[]) =>
      total(plans(args).map(([plan, given, times]) => ({ ...plan.footprint(...given), times }))),
    estimate: (args: readonly Tensor[], machine: { readonly cpu: boolean }) => {
      const each = plans(args).map(([plan, given, times]) => ({
        ...plan.estimate(given, machine),
        times,
      }));
      return {
        ...total(each),
        variables: kept.reduce((bytes, { size }) => bytes + 4 * size, 0),
        inputs: each.reduce((sum, { inputs }) => sum + inputs, 0),
      };
    },
  });
}

/** One network's part: it learns from batch after batch, then it is updated. */
class Round {
  /** Takes a batch's gradients. */
  readonly learn: Compiled<void>;
  /** The gradients so far, of all parameters that learn. */
  readonly sums: readonly Variable[];
  readonly #model: Acgan;
  readonly #options: RoundOptions;

  constructor(model: Acgan, options: RoundOptions) {
    const { network, note, precision, accumulate = 1, dSteps = 1 } = options;
    const parameters = learnersOf(model, network).flatMap(({ parameters }) => parameters);
    const lesson = network === "d" ? discriminatorLesson : generatorLesson;
    const share = 1 / (network === "d" ? accumulate * dSteps : accumulate);
    this.#model = model;
    this.#options = options;
    this.sums = parameters.map(({ size, shape }) => new Variable(new Float32Array(size), shape));
    this.learn = compile((bytes: Tensor, ...read: Tensor[]) => {
      const real = describeReal(model, fromBytes(bytes), { read });
      const draw = drawBatch(model, options);
      const { total, values, metrics } = lesson(model, real, { ...options, draw, health: true });
      const gradients = grad(total, parameters);
      this.sums.forEach((sum, i) => sum.assign(add(sum, gradients[i])));
      note({ ...values, ...metrics, ...model.plugins.checks() }, { share });
    }, { name: `train: ${network}`, precision });
  }

  /** Moves the parameters by the mean of the gradients, which begin anew. Only inside `compile`. */
  update(): void {
    const { network, clipNorm, note, accumulate = 1, dSteps = 1 } = this.#options;
    const model = this.#model;
    model.rates.update(model.step.value);
    const gradients = this.sums.map((sum) => mul(sum, 1 / accumulate));
    const norms = update(learnersOf(model, network), gradients, { clipNorm, network });
    if (clipNorm !== undefined) note(norms, { share: network === "d" ? 1 / dSteps : 1 });
    for (const sum of this.sums) sum.assign(full(sum.shape, 0));
  }
}

interface RoundOptions extends CompileStepOptions {
  readonly network: "d" | "g";
  readonly note: (
    scalars: Readonly<Record<string, Tensor>>,
    options: { share: number },
  ) => void;
}

/** What several plans take together: each has intermediate values of its own. */
function total(
  plans: readonly (Footprint & { times: number })[],
): Footprint {
  return {
    dispatches: plans.reduce((sum, { dispatches, times }) => sum + dispatches * times, 0),
    bytes: plans.reduce((sum, { bytes }) => sum + bytes, 0),
    kept: plans.reduce((sum, { kept }) => sum + kept, 0),
  };
}
