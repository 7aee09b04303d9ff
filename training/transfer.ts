// Beginning with the weights of another run.

import { UserError } from "../data/mod.ts";
import type { Acgan } from "./acgan.ts";
import { type Checkpoint, loadCheckpoint, NEWEST, PREVIOUS, readCheckpoint } from "./checkpoint.ts";
import { exists } from "./files.ts";
import { readRun } from "./run_folder.ts";

/** What a run says of the checkpoint whose weights it began with. */
export interface Ancestor {
  readonly step: number;
  /** Of the checkpoint, as it says itself. */
  readonly sha256: string;
}

/** How a run begins, or began. */
export interface Beginning {
  readonly ancestor?: Ancestor;
  /** The ancestor, where the run has no checkpoint of its own yet. */
  readonly beginWith?: Checkpoint;
}

/**
 * What the run in `folder` began with, or where it has not begun, what `from` says that it is to begin
 * with: a checkpoint's file, or a run's folder with its newest whole one.
 *
 * Throws a `UserError` where `from` has none.
 */
export async function findBeginning(
  folder: string,
  { from, onMessage = () => {} }: { from?: string; onMessage?: (message: string) => void },
): Promise<Beginning> {
  // A crash while a checkpoint takes its name can leave the one before alone.
  const begun = await exists(`${folder}/${NEWEST}`) || await exists(`${folder}/${PREVIOUS}`);
  const before = begun ? await readRun(folder) : undefined;
  if (before && (before.from || from === undefined)) return { ancestor: before.from };
  if (from === undefined) return {};
  const beginWith = from.endsWith(".safetensors")
    ? await readCheckpoint(from)
    : await loadCheckpoint(from, onMessage);
  if (beginWith) {
    const { step, sha256 } = beginWith;
    return { ancestor: { step, sha256 }, beginWith };
  }
  throw new UserError(
    `${from} has no checkpoint to begin with: --from is the folder of a run, or a checkpoint of one`,
  );
}

/**
 * Gives a model's networks, and the averaged generator, the weights of a checkpoint where names and shapes
 * agree. Optimisers, random numbers, the count of steps, and what plugins have stay as they are. Returns
 * what was taken, and what was not, as a sentence.
 *
 * Throws a `UserError` where nothing fits; nothing is changed then.
 */
export function transfer(model: Acgan, { tensors, step }: Checkpoint): string {
  const weights = Object.entries(model.weights());
  const fitting = weights.filter(([name, { shape, dtype }]) => {
    const stored = tensors[name];
    return stored?.dtype === dtype && String(stored.shape) === String(shape);
  });
  // Biases are as long in networks that have nothing else in common.
  if (!fitting.some(([, { shape }]) => shape.length > 1)) {
    throw new UserError(
      "Nothing in the checkpoint of --from fits these networks: their architecture and channels must " +
        "be those of that run",
    );
  }
  for (const [name, variable] of fitting) variable.set(tensors[name].data);
  const anew = weights.filter((entry) => !fitting.includes(entry)).map(([name, { shape }]) => {
    const stored = tensors[name];
    return `${name} [${shape}]${stored ? ` (there [${stored.shape}])` : ""}`;
  });
  const taken = `Beginning with ${fitting.length} of ${weights.length} tensors of step ${step}`;
  return anew.length === 0 ? taken : `${taken}. Anew begin ${anew.join(", ")}`;
}
