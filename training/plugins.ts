// The plugins of a run: their parts side by side, each under its own name.

import { type Dataset, UserError } from "../data/mod.ts";
import {
  type Adam,
  add,
  dependsOn,
  type Generator,
  mean,
  type Module,
  type Shape,
  Tensor,
  type Variable,
} from "../engine/mod.ts";
import {
  type Condition,
  type Judgement,
  nonSaturating,
  type Objective,
  optionValues,
} from "../plugin/mod.ts";
import type { Watch } from "./checked_condition.ts";
import { guarded, type Origin, requireTensor } from "./guard.ts";
import { LearningRates, type RateSettings } from "./learning_rate.ts";
import type { Metrics } from "./metric_ring.ts";
import type { Moment } from "./moment.ts";
import { NotFiniteError } from "./not_finite.ts";
import type { MakeNormalization } from "../models/mod.ts";
import { normalizationBy, parametrize } from "./plugin_layers.ts";
import {
  type ActivePlugin,
  type ChosenPlugin,
  type SetupOptions,
  setUpPlugin,
} from "./plugin_setup.ts";

/** What is written down of a plugin in a run's description. */
export interface PluginDescription {
  readonly name: string;
  readonly version: string;
  readonly source: string;
  /** The values of all its options. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The conditions that it brings, which the generator cannot do without. */
  readonly conditions: readonly string[];
  /** Whether its code takes part in drawing pictures. */
  readonly draws: boolean;
  /** Whether the generator has layers of it, which it cannot do without; left out where not. */
  readonly normalizes?: true;
}

/** The plugins of one run, in the order in which they were asked for. */
export class Plugins implements Watch {
  /** Step lengths of the run that they were set up for. */
  readonly rates: LearningRates | undefined;
  /** The step that is traced or done, for messages. */
  step: number | undefined;
  #list: readonly ActivePlugin[] = [];
  #watched = new Map<string, Tensor[]>();

  /** No plugins, or those that {@linkcode Plugins.setUp} puts in. */
  constructor(options: { rates?: LearningRates } = {}) {
    this.rates = options.rates;
  }

  /**
   * Sets plugins up for a run.
   *
   * @throws {UserError} where options do not fit, two plugins claim the same name or choice, or one of them
   * fails; the message names it.
   */
  static async setUp(
    chosen: readonly ChosenPlugin[],
    about: Omit<SetupOptions, "watch" | "claimed" | "rates"> & RateSettings,
  ): Promise<Plugins> {
    const rates = new LearningRates(about);
    const plugins = new Plugins({ rates }), list: ActivePlugin[] = [];
    for (const one of chosen) {
      refuseSameName(list, one);
      const claimed = claimedColumns(chosen.filter((other) => other !== one), about.data.columns);
      list.push(await setUpPlugin(one, { ...about, claimed, rates, watch: plugins }));
    }
    refuseConflicts(list);
    plugins.#list = list;
    return plugins;
  }

  get list(): readonly ActivePlugin[] {
    return this.#list;
  }

  /** The conditions of all plugins. */
  get conditions(): Condition[] {
    return this.#list.flatMap(({ conditions }) => conditions);
  }

  /** The optimisers of networks that plugins bring. */
  get optimizers(): Adam[] {
    return this.#list.flatMap(({ optimizer }) => optimizer ?? []);
  }

  /** The random numbers that plugins draw inside a step, as `plugin.NAME`. */
  get generators(): Record<string, Generator> {
    return Object.fromEntries(
      this.#list.flatMap(({ name, random }) => random ? [[`plugin.${name}`, random]] : []),
    );
  }

  /** The adversarial loss. */
  get objective(): Objective {
    const owner = this.#list.find(({ parts }) => parts.objective);
    if (owner === undefined) return nonSaturating;
    const checked = (of: keyof Objective) => (logits: Tensor): Tensor =>
      this.make(
        owner,
        { hook: `objective.${of}`, shape: [] },
        () => owner.parts.objective![of](logits),
      );
    return { real: checked("real"), fake: checked("fake"), generator: checked("generator") };
  }

  /** Makes what normalises the generator's activations; batch norm does where no plugin brings it. */
  get normalization(): MakeNormalization | undefined {
    const owner = this.#list.find(({ plugin }) => plugin.normalization);
    return owner && normalizationBy({ ...owner, watch: this });
  }

  /** Has a plugin's functions of the discriminator's weights used in place of the weights. */
  parametrize(discriminator: Module, { seed }: { seed: number }): void {
    for (const plugin of this.#list) parametrize(discriminator, { ...plugin, seed, watch: this });
  }

  /** Pictures as the discriminators are to see them. */
  augment(images: Tensor): Tensor {
    const { shape } = images;
    return this.#list.filter(({ parts }) => parts.augment).reduce((seen, plugin) => {
      const changed = this.make(
        plugin,
        { hook: "augment", shape },
        () => plugin.parts.augment!(seen),
      );
      this.finite(plugin, "augment", changed);
      return changed;
    }, images);
  }

  /** Throws at a network that no term of the discriminator's loss uses: it would never learn. */
  requireUse(loss: Tensor): void {
    for (const plugin of this.#list) {
      for (const parameter of plugin.optimizer?.parameters ?? []) {
        if (dependsOn(loss, parameter)) continue;
        const [name] = Object.entries(plugin.state).find(([, other]) => other === parameter)!;
        guarded(plugin, { hook: "networks", step: this.step }, () => {
          throw new UserError(`${name} has no part in the discriminator's loss, and cannot learn`);
        });
      }
    }
  }

  /** What a discriminator of a plugin says. */
  judgement(plugin: Origin, name: string, judge: () => Judgement): Judgement {
    return guarded(plugin, { hook: `discriminators.${name}`, step: this.step }, () => {
      const judgement = judge();
      if (judgement?.source instanceof Tensor) return judgement;
      throw new TypeError(`It must return { source }, a tensor of logits, not ${judgement}`);
    });
  }

  /** A tensor that a hook makes, whose shape is checked. */
  make(
    plugin: Origin,
    { hook, shape }: { hook: string; shape: Shape },
    make: () => Tensor,
  ): Tensor {
    return guarded(plugin, { hook, step: this.step }, () => requireTensor(make(), shape));
  }

  /** Calls hooks on the loop, one plugin after the other. */
  async forEach(hook: string, call: (plugin: ActivePlugin) => unknown): Promise<void> {
    for (const plugin of this.#list) {
      await guarded(plugin, { hook, step: this.step }, async () => await call(plugin));
    }
  }

  finite(plugin: Origin, hook: string, value: Tensor): void {
    // The built-in ones are known to be.
    if (plugin.source === plugin.name) return;
    const name = checkName(plugin, hook);
    this.#watched.set(name, [...this.#watched.get(name) ?? [], value]);
  }

  /**
   * Scalars that are finite as long as all is that plugins made since the last call, as
   * `check.PLUGIN.HOOK`.
   */
  checks(): Record<string, Tensor> {
    const watched = [...this.#watched];
    this.#watched.clear();
    return Object.fromEntries(
      watched.map((
        [name, values],
      ) => [name, values.map((x) => mean(x)).reduce((a, b) => add(a, b))]),
    );
  }

  /** The metrics of plugins, as `PLUGIN.NAME`. */
  metrics(moment: Moment): Record<string, Tensor> {
    return Object.fromEntries(
      this.#list.flatMap((plugin) =>
        Object.entries(plugin.parts.metrics ?? {}).map(([name, metric]) => [
          `${plugin.name}.${name}`,
          this.make(
            plugin,
            { hook: `metrics.${name}`, shape: [] },
            () => metric(moment.seenBy(plugin)),
          ),
        ])
      ),
    );
  }

  /** The names of what {@linkcode metrics} gives. */
  get metricNames(): string[] {
    return this.#list.flatMap(({ name, parts }) =>
      Object.keys(parts.metrics ?? {}).map((metric) => `${name}.${metric}`)
    );
  }

  /** The names of what {@linkcode checks} gives after a step. */
  get checkNames(): string[] {
    return this.#list.filter(({ name, source }) => source !== name).flatMap((plugin) =>
      [
        ...(plugin.parts.augment ? ["augment"] : []),
        ...(plugin.plugin.discriminatorWeight ? ["discriminatorWeight"] : []),
        ...(plugin.plugin.normalization ? ["normalization"] : []),
        ...plugin.conditions.flatMap(({ name, measure, logit }) => [
          `${name}.encode`,
          ...(measure ? [`${name}.measure`] : []),
          ...(logit ? [`${name}.logit`] : []),
        ]),
      ].map((hook) => checkName(plugin, hook))
    );
  }

  /**
   * A step's metrics without the checks.
   *
   * @throws {NotFiniteError} where a number is not finite; the message names it, and the plugin that it is of.
   */
  checkedMetrics(row: Metrics, { step }: { step: number }): Metrics {
    const broken = Object.entries(row).filter(([, value]) => !Number.isFinite(value));
    const [name, value] = broken.find(([name]) => name.startsWith("check.")) ?? broken[0] ?? [];
    if (name !== undefined) {
      const check = name.match(/^check\.([^.]+)\.(.*)$/);
      if (check) {
        throw new NotFiniteError(
          `Plugin ${check[1]} made numbers that are not finite in ${check[2]} at step ${step}`,
        );
      }
      const owner = this.#ownerOf(name);
      const whose = owner === undefined ? "" : ` (of plugin ${owner})`;
      throw new NotFiniteError(`${name}${whose} became ${value} at step ${step}`);
    }
    return Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith("check.")));
  }

  /** The plugin whose term or metric has a name. */
  #ownerOf(metric: string): string | undefined {
    const owns = ({ name, parts }: ActivePlugin): boolean =>
      [name, `d.${name}`, `g.${name}`].some((prefix) => metric.startsWith(`${prefix}.`)) ||
      (parts.objective !== undefined && /\badv(_real|_fake)?$/.test(metric));
    return this.#list.find(owns)?.name;
  }

  /** What a checkpoint keeps of plugins, as `plugin.PLUGIN.NAME`. */
  state(): Record<string, Variable> {
    return Object.fromEntries(
      this.#list.flatMap(({ name, state }) =>
        Object.entries(state).map(([key, variable]) => [`plugin.${name}.${key}`, variable])
      ),
    );
  }

  describe(): PluginDescription[] {
    return this.#list.map(({ name, version, source, options, conditions, plugin }) => ({
      name,
      version,
      source,
      options,
      conditions: conditions.map(({ name }) => name),
      draws: [
        ...[plugin.kinds, plugin.sampling],
        ...[plugin.normalization, plugin.discriminatorWeight],
      ].some((it) => it !== undefined),
      ...(plugin.normalization && { normalizes: true as const }),
    }));
  }
}

/** The label columns that plugins read, of those that pictures have, as far as they are known yet. */
export function claimedColumns(
  chosen: readonly ChosenPlugin[],
  columns: Dataset["columns"] = [],
): string[] {
  const all = columns.map(({ name }) => name);
  return chosen.flatMap(({ plugin, source, options }) =>
    guarded(
      { name: plugin.name, source },
      { hook: "columns" },
      () => plugin.columns?.(optionValues(plugin, options), all) ?? [],
    )
  );
}

/** The label columns without which plugins have no use for a picture. */
export function requiredColumns(chosen: readonly ChosenPlugin[]): string[] {
  return chosen.flatMap(({ plugin, source, options }) =>
    guarded(
      { name: plugin.name, source },
      { hook: "requiredColumns" },
      () => plugin.requiredColumns?.(optionValues(plugin, options)) ?? [],
    )
  );
}

const checkName = ({ name }: Origin, hook: string): string => `check.${name}.${hook}`;

function refuseSameName(list: readonly ActivePlugin[], { plugin, source }: ChosenPlugin): void {
  const other = list.find(({ name }) => name === plugin.name);
  if (other === undefined) return;
  throw new UserError(
    `Two plugins are named ${plugin.name}: ${other.source} and ${source}. Leave one out`,
  );
}

/** @throws {UserError} where two plugins claim the same. */
function refuseConflicts(list: readonly ActivePlugin[]): void {
  const owners = new Map<string, ActivePlugin>();
  const claim = (what: string, plugin: ActivePlugin): void => {
    const other = owners.get(what);
    if (other !== undefined) {
      const both = other === plugin
        ? `Plugin ${plugin.name} brings ${what} twice`
        : `Plugins ${other.name} and ${plugin.name} both bring ${what}`;
      throw new UserError(`${both}: leave one out`);
    }
    owners.set(what, plugin);
  };
  for (const plugin of list) {
    plugin.conditions.forEach(({ name }) => claim(`the condition ${name}`, plugin));
    if (plugin.parts.objective) claim("an adversarial loss", plugin);
    if (plugin.plugin.discriminatorWeight) claim("what D's weights are used through", plugin);
    if (plugin.plugin.normalization) claim("the generator's normalisation", plugin);
    for (const key of Object.keys(plugin.plugin.sampling?.options ?? {})) {
      claim(`the option ${key} of sample`, plugin);
    }
  }
}
