import { UserError } from "../data/mod.ts";
import { Generator, HostGenerator, sizeOf, type StoredTensor } from "../engine/mod.ts";
import { discriminatorStages, type GeneratorNetwork } from "../models/mod.ts";
import type { Condition, ConditionMaker, Judging } from "../plugin/mod.ts";
import { newDiscriminator, newGenerator, under } from "./acgan.ts";
import { type Checkpoint, loadCheckpoint, restore } from "./checkpoint.ts";
import { chosenCheckpoint } from "./checkpoint_choice.ts";
import { restoreCondition } from "./conditions.ts";
import { Critic } from "./critic.ts";
import { type LayerPlugin, normalizationBy, parametrize } from "./plugin_layers.ts";

/** A generator as a run left it. */
export interface TrainedGenerator {
  readonly generator: GeneratorNetwork;
  readonly conditions: readonly Condition[];
  /** Steps that it was trained for. */
  readonly step: number;
  /** The discriminator that it learnt from, where that was asked for. */
  readonly critic: Critic | undefined;
}

/** How a generator is loaded. */
export interface LoadOptions {
  /** The weights of the last step instead of their averages. */
  readonly raw?: boolean;
  /** Makes conditions of plugins. */
  readonly kinds?: Readonly<Record<string, ConditionMaker>>;
  /** Plugins that put layers into the networks, to make them again. */
  readonly layers?: readonly LayerPlugin[];
  /** `best`, `previous`, or the path of a checkpoint of this run; by default its last whole one. */
  readonly checkpoint?: string;
  /** Whether the discriminator is loaded as well. */
  readonly critic?: boolean;
  /** Told what is amiss with the newest checkpoint. */
  readonly onMessage?: (message: string) => void;
}

/**
 * Reads the generator of a run from a checkpoint.
 *
 * Throws a `UserError` where `folder` has no such checkpoint, or lacks what a critic needs.
 */
export async function loadGenerator(
  folder: string,
  options: LoadOptions = {},
): Promise<TrainedGenerator> {
  const { raw = false, kinds, layers = [], critic = false, onMessage = () => {} } = options;
  const checkpoint = options.checkpoint === undefined
    ? await loadCheckpoint(folder, onMessage)
    : await chosenCheckpoint(folder, options.checkpoint);
  if (!checkpoint) {
    throw new UserError(`${folder} has no checkpoint: train first, with --out ${folder}`);
  }
  const { run, tensors, step } = checkpoint;
  const conditions = critic
    ? judgingConditions(checkpoint, kinds)
    : run.conditions.map((it) => restoreCondition(it, { kinds }));
  const owner = run.plugins?.find(({ normalizes }) => normalizes);
  const normalizing = layers.find(({ plugin }) => plugin.normalization);
  if (owner && !normalizing) {
    throw new UserError(
      `${folder} needs plugin ${owner.name} to draw: the generator has its layers`,
    );
  }
  const normalization = normalizing && normalizationBy(normalizing);
  const generator = newGenerator(run, conditions, { normalization });
  restore(under(raw ? "G" : "ema.G", generator.stateDict()), tensors);
  return {
    generator,
    conditions,
    step,
    critic: critic ? loadCritic(checkpoint, conditions, { layers }) : undefined,
  };
}

function loadCritic(
  { run, tensors }: Checkpoint,
  conditions: readonly Condition[],
  { layers }: { layers: readonly LayerPlugin[] },
): Critic {
  const discriminator = newDiscriminator(run, conditions);
  for (const plugin of layers) parametrize(discriminator, { ...plugin, seed: run.seed });
  const variables = under("D", discriminator.stateDict());
  restore(variables, tensors);
  // A plugin may have changed its layers: without all that it learnt, it would judge otherwise than it did.
  const unknown = Object.keys(tensors).find((name) =>
    name.startsWith("D.") && !Object.hasOwn(variables, name)
  );
  if (unknown !== undefined) {
    throw new UserError(
      `The discriminator cannot be made again to judge pictures: it had ${unknown}`,
    );
  }
  return new Critic(discriminator, conditions, { size: run.size });
}

/** The conditions of a run with the networks that they judge by, as the checkpoint has them. */
function judgingConditions(
  { run, tensors }: Checkpoint,
  kinds: LoadOptions["kinds"],
): Condition[] {
  const stages = discriminatorStages(run.discriminator, run.size);
  const judging: Judging = {
    features: sizeOf(stages.at(-1)!),
    weights: new HostGenerator(0),
    random: new Generator(0),
  };
  return run.conditions.map((description) => {
    const name = String(description.name);
    const owner = (run.plugins ?? []).find(({ conditions }) => conditions.includes(name));
    const prefix = `plugin.${owner?.name}.${name}`;
    const kept = Object.keys(tensors).some((key) => key.startsWith(`${prefix}.`));
    const condition = restoreCondition(description, { kinds, ...(kept && { judging }) });
    if (kept) restoreNetworks(condition, { prefix, tensors });
    return condition;
  });
}

function restoreNetworks(
  { name, networks }: Condition,
  { prefix, tensors }: { prefix: string; tensors: Readonly<Record<string, StoredTensor>> },
): void {
  if (networks === undefined) {
    const [, plugin] = prefix.split(".");
    throw new UserError(
      `Plugin ${plugin} does not make the networks of ${name} again, by which the discriminator judges`,
    );
  }
  for (const [key, network] of Object.entries(networks)) {
    restore(under(`${prefix}.${key}`, network.stateDict()), tensors);
  }
}
