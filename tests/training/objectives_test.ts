// Twelve steps by each objective, through the plugins that users train with, against PyTorch's; see
// tests/golden/objectives.py.

import { assertEquals, assertLess } from "@std/assert";
import type { Dataset } from "../../data/mod.ts";
import {
  compile,
  Device,
  Generator,
  read,
  type StoredTensor,
  type Tensor,
  tensor,
  type TypedArray,
} from "../../engine/mod.ts";
import { discriminatorStages } from "../../models/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import { LazyTerms } from "../../training/lazy_steps.ts";
import { Acgan, Plugins, restore, termWeights, trainStep } from "../../training/mod.ts";
import type { ChosenPlugin, Weights } from "../../training/mod.ts";
import { readFamily, tensorsOf } from "../golden/cases.ts";
import { tinySettings } from "./tiny.ts";

await Device.open();

const family = await readFamily("objectives");
const [common, ...objectives] = family.cases;
const shared = tensorsOf(family, common, "in");
const { classes, lr, betas, size, ...networks } = common.attrs;
const STEPS = shared.real.shape[0], BATCH = shared.real.shape[1];

/** Of the largest error over all steps, and over all variables; float32 alone makes some 5e-7, and 2e-4. */
const LIMITS = { terms: 1e-5, final: 1e-5, movement: 2e-3 };

for (const objective of objectives) {
  Deno.test(`Twelve steps follow PyTorch's: ${objective.case}`, async () => {
    const { plugins: names, options, missing, terms } = objective.attrs;
    const own = tensorsOf(family, objective, "in"), results = tensorsOf(family, objective, "extra");
    const random = new GivenNumbers();
    const chosen = names.map((name: string): ChosenPlugin => ({
      plugin: fed(name, random),
      source: name,
      options: options[name] ?? {},
    }));
    const settings = { ...tinySettings, ...networks, size, lr, betas, batch: BATCH };
    const plugins = await Plugins.setUp(chosen, {
      ...settings,
      stages: discriminatorStages(settings.discriminator, size),
      data: labels(missing),
    });
    const model = new Acgan(settings, plugins.conditions, { plugins });
    const state = Object.fromEntries(
      Object.entries(model.state()).filter(([name]) =>
        /^([GD]|plugin\.[a-z0-9-]+\.kind)\./.test(name)
      ),
    );
    const initial: Record<string, StoredTensor> = { ...shared, ...own };
    restore(state, initial);
    const weights = termWeights(model, { classOn: "both", weights: {} });
    const lazy = new LazyTerms(model, weights);
    const stepOf = (weights: Weights) =>
      compile((images, y, zD, cD, zG, cG, ...u: Tensor[]) => {
        random.numbers = u;
        const forD = { z: zD, values: [cD] }, forG = { z: zG, values: [cG] };
        return trainStep(model, { images, values: [y], forD, forG }, { weights });
      });
    const steps = new Map<string, ReturnType<typeof stepOf>>();
    const stepAt = (t: number): ReturnType<typeof stepOf> => {
      const key = lazy.leftOut(t + 1).join();
      const step = steps.get(key) ?? stepOf(lazy.weightsAt(t + 1, weights));
      steps.set(key, step);
      return step;
    };

    let worst = 0;
    for (let t = 0; t < STEPS; t++) {
      const y = missing ? "y_missing" : "y";
      const inputs = ["real", y, "z_d", "c_d", "z_g", "c_g"].map((name) => at(shared[name], t));
      const made = stepAt(t)(...inputs, ...own.u ? [at(own.u, t)] : []);
      const learnt = Object.keys(made).filter((name) => /^[dg]\./.test(name));
      const [numbers] = await read([at(results.terms, t)]);
      // A term that has no part in a step is stored as no number.
      const wanted: [string, number][] = terms.map((name: string, i: number) => [name, numbers[i]])
        .filter(([, number]: [string, number]) => !Number.isNaN(number));
      assertEquals(learnt.toSorted(), wanted.map(([name]) => name).sort());
      const got = await read(wanted.map(([name]) => made[name]));
      worst = Math.max(worst, errorOf(got.map(([x]) => x), wanted.map(([, x]) => x)));
    }
    const final = await read(Object.values(state));
    const errors = Object.keys(state).map((name, i) => {
      const before = initial[name].data, wanted = results[`final.${name}`].data;
      const moved = (now: ArrayLike<number>) => Array.from(now, (x, k) => x - before[k]);
      return {
        final: errorOf(final[i], wanted),
        movement: errorOf(moved(final[i]), moved(wanted)),
      };
    });
    const largest = {
      terms: worst,
      final: Math.max(...errors.map(({ final }) => final)),
      movement: Math.max(...errors.map(({ movement }) => movement)),
    };
    const shown = Object.entries(largest).map(([what, error]) =>
      `${what} ${error.toExponential(1)}`
    );
    console.log(
      `${objective.case}: ${errors.length} variables; largest error of ${shown.join(", ")}`,
    );
    for (const what of ["terms", "final", "movement"] as const) {
      assertLess(largest[what], LIMITS[what], `${what} of ${objective.case}`);
    }
  });
}

/** Random numbers of a plugin that are given in place of being drawn. */
class GivenNumbers extends Generator {
  numbers: readonly Tensor[] = [];

  constructor() {
    super(1);
  }

  override uniform(shape: readonly number[]): Tensor {
    assertEquals(this.numbers.map((x) => x.shape), [shape]);
    return this.numbers[0];
  }
}

/** A built-in plugin whose random numbers are given. */
function fed(name: string, random: Generator): ChosenPlugin["plugin"] {
  const plugin = builtIn[name];
  return {
    ...plugin,
    setup: (options, setup) => {
      const { size, batch, features, stages, data, claimed, weights, measure } = setup;
      const about = { size, batch, features, stages, data, claimed, weights, measure, random };
      return plugin.setup(options, about);
    },
  };
}

/** What conditions are made from: labels, and no pictures. */
function labels(missing: boolean): Dataset {
  const names = Array.from({ length: classes }, (_, k) => String(k));
  const labels = [...names.keys(), ...missing ? [-1] : []];
  return {
    count: labels.length,
    size,
    columns: [{ name: "kind", classes: names }],
    images: new Uint8Array(),
    labels: [Int32Array.from(labels)],
    problems: [],
    fingerprint: "labels alone",
  };
}

/** Element `index` of the first axis. */
function at({ shape, data }: StoredTensor, index: number): Tensor {
  const size = data.length / shape[0];
  return tensor(data.slice(index * size, (index + 1) * size) as TypedArray, shape.slice(1));
}

/** |got - want| / |want|; 0 where both vanish. */
function errorOf(got: ArrayLike<number>, want: ArrayLike<number>): number {
  const length = (numbers: number[]) => Math.sqrt(numbers.reduce((sum, x) => sum + x * x, 0));
  const apart = length(Array.from(want, (x, i) => got[i] - x));
  return apart === 0 ? 0 : apart / length(Array.from(want));
}
