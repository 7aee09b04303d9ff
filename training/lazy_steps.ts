import type { Acgan } from "./acgan.ts";
import { discriminatorTerms, generatorTerms, type Sources } from "./losses.ts";
import { type CompiledStep, compileStep, type CompileStepOptions } from "./step.ts";
import type { Weights } from "./terms.ts";

/**
 * Lazy terms: those that have a part in one step of several alone, with so many times their weight. StyleGAN2
 * (Karras et al., 2020, arXiv:1912.04958, section 3.1) takes its penalties so: they cost a share, and teach the
 * same on the average.
 */
export class LazyTerms {
  /** The steps of a round by the name of each lazy term that weighs anything. */
  readonly #every: ReadonlyMap<string, number>;

  constructor(sources: Sources, weights: Weights) {
    const terms = { ...discriminatorTerms(sources), ...generatorTerms(sources) };
    this.#every = new Map(
      Object.entries(terms).flatMap(([name, { every = 1 }]) =>
        every > 1 && weights[name] !== 0 ? [[name, every]] : []
      ),
    );
  }

  /** The terms that have no part in a step; the first one is step 1. */
  leftOut(step: number): string[] {
    return [...this.#every].filter(([, every]) => (step - 1) % every !== 0).map(([name]) => name);
  }

  /** Weights of all terms at a step, from what they are on the average. */
  weightsAt(step: number, weights: Weights): Weights {
    const changed = [...this.#every].map(([name, every]) => [
      name,
      (step - 1) % every === 0 ? every * weights[name] : 0,
    ]);
    return { ...weights, ...Object.fromEntries(changed) };
  }
}

/** The training step, compiled once for each set of terms that have a part in it. */
export class LazySteps {
  readonly #terms: LazyTerms;
  readonly #model: Acgan;
  readonly #options: CompileStepOptions;
  readonly #compiled = new Map<string, CompiledStep>();

  constructor(model: Acgan, options: CompileStepOptions & { readonly lazy: LazyTerms }) {
    this.#model = model;
    this.#terms = options.lazy;
    this.#options = options;
  }

  /** What step number `step` is to be taken by; the first one is step 1. */
  at(step: number): CompiledStep {
    const key = this.#terms.leftOut(step).join(), found = this.#compiled.get(key);
    if (found) return found;
    const weights = this.#terms.weightsAt(step, this.#options.weights);
    const compiled = compileStep(this.#model, { ...this.#options, weights });
    this.#compiled.set(key, compiled);
    return compiled;
  }

  /** A step in which each term has a part, and where there is another kind, one in which lazy ones have none. */
  kinds(): CompiledStep[] {
    return [...new Set([this.at(1), this.at(2)])];
  }
}
