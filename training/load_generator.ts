import { UserError } from "../data/mod.ts";
import type { AcganGenerator } from "../models/mod.ts";
import { newGenerator, under } from "./acgan.ts";
import { loadBest, loadCheckpoint, restore } from "./checkpoint.ts";
import type { Condition, ConditionMaker } from "../plugin/mod.ts";
import { restoreCondition } from "./conditions.ts";

/** A generator as a run left it. */
export interface TrainedGenerator {
  readonly generator: AcganGenerator;
  readonly conditions: readonly Condition[];
  /** Steps that it was trained for. */
  readonly step: number;
}

/**
 * Reads the generator of a run from its last whole checkpoint, or the best one: the averaged one, or with
 * `raw` that of the last step. `kinds` makes conditions of plugins. What is amiss with the newest checkpoint is told to `onMessage`.
 *
 * Throws a `UserError` where `folder` has no checkpoint.
 */
export async function loadGenerator(
  folder: string,
  options: {
    raw?: boolean;
    /** `last` unless given. */
    checkpoint?: "last" | "best";
    kinds?: Readonly<Record<string, ConditionMaker>>;
    onMessage?: (message: string) => void;
  } = {},
): Promise<TrainedGenerator> {
  const { raw = false, kinds, onMessage = () => {} } = options;
  const best = options.checkpoint === "best";
  const checkpoint = best ? await loadBest(folder) : await loadCheckpoint(folder, onMessage);
  if (!checkpoint && best) {
    throw new UserError(`${folder} has no best checkpoint: train with --keep-best METRIC`);
  }
  if (!checkpoint) {
    throw new UserError(`${folder} has no checkpoint: train first, with --out ${folder}`);
  }
  const { run, tensors, step } = checkpoint;
  const conditions = run.conditions.map((it) => restoreCondition(it, { kinds }));
  const generator = newGenerator(run, conditions);
  restore(under(raw ? "G" : "ema.G", generator.stateDict()), tensors);
  return { generator, conditions, step };
}
