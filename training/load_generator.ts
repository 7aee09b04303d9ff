import { UserError } from "../data/mod.ts";
import type { GeneratorNetwork, MakeNormalization } from "../models/mod.ts";
import { newGenerator, under } from "./acgan.ts";
import { loadCheckpoint, restore } from "./checkpoint.ts";
import type { Condition, ConditionMaker } from "../plugin/mod.ts";
import { restoreCondition } from "./conditions.ts";

/** A generator as a run left it. */
export interface TrainedGenerator {
  readonly generator: GeneratorNetwork;
  readonly conditions: readonly Condition[];
  /** Steps that it was trained for. */
  readonly step: number;
}

/**
 * Reads the generator of a run from its last whole checkpoint: the averaged one, or with `raw` that of
 * the last step. `kinds` makes conditions of plugins, `normalization` the layers that one of them
 * put into the generator. What is amiss with the newest checkpoint is told to `onMessage`.
 *
 * Throws a `UserError` where `folder` has no checkpoint.
 */
export async function loadGenerator(
  folder: string,
  options: {
    raw?: boolean;
    kinds?: Readonly<Record<string, ConditionMaker>>;
    normalization?: MakeNormalization;
    onMessage?: (message: string) => void;
  } = {},
): Promise<TrainedGenerator> {
  const { raw = false, kinds, normalization, onMessage = () => {} } = options;
  const checkpoint = await loadCheckpoint(folder, onMessage);
  if (!checkpoint) {
    throw new UserError(`${folder} has no checkpoint: train first, with --out ${folder}`);
  }
  const { run, tensors, step } = checkpoint;
  const conditions = run.conditions.map((it) => restoreCondition(it, { kinds }));
  const owner = run.plugins?.find(({ normalizes }) => normalizes);
  if (owner && !normalization) {
    throw new UserError(
      `${folder} needs plugin ${owner.name} to draw: the generator has its layers`,
    );
  }
  const generator = newGenerator(run, conditions, { normalization });
  restore(under(raw ? "G" : "ema.G", generator.stateDict()), tensors);
  return { generator, conditions, step };
}
