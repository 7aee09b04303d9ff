// The gradients of loss terms, against what moving the weights a little makes of the terms.

import {
  add,
  compile,
  type Compiled,
  grad,
  HostGenerator,
  mul,
  read,
  square,
  sum,
  type Tensor,
  tensor,
  Variable,
} from "../engine/mod.ts";
import { encodeAll } from "./acgan.ts";
import { discriminatorTerms, generatorTerms } from "./losses.ts";
import { momentOf } from "./moment.ts";
import { fromBytes } from "./pictures.ts";
import type { ActivePlugin } from "./plugin_setup.ts";
import { namedValues, realValues } from "./values.ts";
import type { Trial } from "./trial.ts";

/** Derivatives of one term along random directions of one network's weights. */
export interface TermGradient {
  readonly term: string;
  /** Whose weights were moved: `D`, `G`, or the networks of the plugin. */
  readonly network: string;
  /** Along the direction in which they differ most: by the gradient. */
  readonly computed: number;
  /** By central differences. */
  readonly differences: number;
  /**
   * How far apart they are, as a share of what a derivative along such a direction is like, over all directions
   * (root mean squares): what kinks do to differences is now this way, now that, and to differences of slopes,
   * as in gradient penalties, most.
   */
  readonly error: number;
}

/** Directions for each network. */
const DIRECTIONS = 3;
/** The longest way that a weight is moved, and the shares of it that are tried. */
const REACH = 0.002;
const SHARES = [1, 0.25, 0.06] as const;
/** What float32 leaves uncertain of a difference of two values, as a share of them: some ten roundings. */
const ROUNDING = 1e-6;

/**
 * Compares the gradients of all loss terms that a plugin has a part in with central differences, for the
 * weights that learn from each. The state of the trial stays as it is.
 */
export async function termGradients(trial: Trial, plugin: ActivePlugin): Promise<TermGradient[]> {
  const { discriminator, generator } = trial.model;
  const ofPlugin = plugin.optimizer?.parameters ?? [];
  const found: TermGradient[] = [];
  for (
    const [network, learners] of [
      ["discriminator", { D: discriminator.parameters(), [plugin.name]: ofPlugin }],
      ["generator", { G: generator.parameters() }],
    ] as const
  ) {
    const slope = new Slope(trial, { network, plugin, learners: Object.values(learners).flat() });
    if (slope.terms.length === 0) continue;
    for (const [name, moved] of Object.entries(learners)) {
      if (moved.length === 0) continue;
      const directions: Derivative[][] = [];
      for (let k = 0; k < DIRECTIONS; k++) {
        directions.push(await slope.along(moved, { seed: 1 + k }));
      }
      slope.terms.forEach((term, i) => {
        const all = directions.map((direction) => direction[i]);
        const { computed, differences } = all.reduce((a, b) => b.apart > a.apart ? b : a);
        const squares = (of: (it: Derivative) => number) =>
          all.reduce((sum, it) => sum + of(it) ** 2, 0);
        const error = Math.sqrt(squares(({ apart }) => apart) / squares(({ scale }) => scale));
        found.push({ term, network: name, computed, differences, error });
      });
    }
  }
  return found;
}

/** A derivative of one term along one direction. */
interface Derivative {
  readonly computed: number;
  readonly differences: number;
  /** How far apart they are, beyond what rounding does. */
  readonly apart: number;
  /** How long derivatives along such directions are. */
  readonly scale: number;
}

interface SlopeOptions {
  readonly network: "discriminator" | "generator";
  readonly plugin: ActivePlugin;
  readonly learners: readonly Variable[];
}

/** The terms of one network's loss, as functions of how far its weights are moved. */
class Slope {
  readonly terms: readonly string[];
  readonly #learners: readonly Variable[];
  /** Which way each of them is moved. */
  readonly #directions: readonly Variable[];
  /** By a distance: for each term its value, its derivative, and the sum of the derivative's squared summands. */
  readonly #at: Compiled<Tensor[]>;
  readonly #inputs: readonly Tensor[];

  constructor(trial: Trial, { network, plugin, learners }: SlopeOptions) {
    const { model, settings } = trial;
    const all = network === "discriminator" ? discriminatorTerms(model) : generatorTerms(model);
    const owned = Object.entries(all).filter(([name]) => hasPart(plugin, name));
    const { images, values } = trial.inputs(0);
    this.terms = owned.map(([name]) => name);
    this.#learners = learners;
    this.#directions = learners.map(({ size, shape }) =>
      new Variable(new Float32Array(size), shape)
    );
    this.#inputs = [images, ...values];
    this.#at = compile((distance: Tensor, bytes: Tensor, ...read: Tensor[]) => {
      const { generator, conditions, random } = model;
      const kept = Object.values(model.state()).map((variable) =>
        [variable, variable.value] as const
      );
      learners.forEach((variable, i) =>
        variable.assign(add(variable, mul(distance, this.#directions[i])))
      );
      const real = fromBytes(bytes), z = random.normal([settings.batch, generator.latent]);
      const asked = conditions.map((condition) => condition.sample(random, settings.batch));
      const moment = momentOf(model, network, {
        real: { images: real, values: realValues(conditions, real, { read }) },
        fake: {
          images: generator.forward(z, encodeAll(conditions, asked)),
          values: namedValues(conditions, asked),
        },
      });
      const results = owned.flatMap(([, term]) => {
        const value = term.value(moment);
        const gradients = grad(value, learners, { unused: "zeros" });
        const along = gradients.map((g, i) => sum(mul(g, this.#directions[i])));
        const squares = gradients.map((g, i) => sum(square(mul(g, this.#directions[i]))));
        return [value, total(along), total(squares)];
      });
      model.plugins.checks(); // Nobody asks for them here.
      kept.forEach(([variable, value]) => variable.assign(value));
      return results;
    }, { name: `gradients of ${network}` });
  }

  /** Moves some weights in a random direction there and back. Returns a derivative for each term. */
  async along(moved: readonly Variable[], { seed }: { seed: number }): Promise<Derivative[]> {
    const random = new HostGenerator(seed);
    this.#directions.forEach((direction, i) => {
      const still = !moved.includes(this.#learners[i]);
      direction.set(
        Float32Array.from({ length: direction.size }, () => still ? 0 : 2 * random.uniform() - 1),
      );
    });
    const here = await this.#read(0);
    const ways: { h: number; ahead: number[]; behind: number[] }[] = [];
    for (const share of SHARES) {
      const h = share * REACH;
      ways.push({ h, ahead: await this.#read(h), behind: await this.#read(-h) });
    }
    return this.terms.map((_, k) => {
      const [value, computed, squared] = here.slice(3 * k, 3 * k + 3);
      const tries = ways.map(({ h, ahead, behind }) => {
        const differences = (ahead[3 * k] - behind[3 * k]) / (2 * h);
        const noise = ROUNDING * Math.abs(value) / h;
        const apart = Math.max(0, Math.abs(differences - computed) - noise);
        // Most are as long as the last: the signs of their summands are random.
        const scale = Math.max(
          Math.abs(computed),
          Math.abs(differences),
          Math.sqrt(squared),
          1e-30,
        );
        return { computed, differences, apart, scale, noise };
      });
      // A short way that drowns in rounding would agree with anything.
      const telling = tries.filter(({ noise, scale }) => noise <= scale / 10);
      const best = (telling.length > 0 ? telling : tries.slice(0, 1))
        .reduce((a, b) => b.apart / b.scale < a.apart / a.scale ? b : a);
      const isFinite = [value, computed, squared].every(Number.isFinite);
      return isFinite ? best : { ...best, apart: Infinity, scale: 1 };
    });
  }

  async #read(distance: number): Promise<number[]> {
    const numbers = await read(this.#at(tensor([distance], []), ...this.#inputs));
    return numbers.map(([number]) => number);
  }
}

function total(parts: readonly Tensor[]): Tensor {
  return parts.reduce((a, b) => add(a, b));
}

/** Whether what a term is depends on a plugin's code. */
function hasPart({ name, parts, conditions }: ActivePlugin, term: string): boolean {
  const [network, first, second] = term.split(".");
  if (first === "class") return conditions.some((it) => it.name === second);
  if (first === name) return true;
  const judges = parts.augment ?? parts.objective ?? conditions.find(({ logit }) => logit);
  return judges !== undefined && /^[dg]$/.test(network) && first.startsWith("adv");
}
