import { UserError } from "../data/mod.ts";
import { didYouMean } from "../plugin/mod.ts";
import { type Checkpoint, PREVIOUS, readCheckpoint } from "./checkpoint.ts";
import { exists } from "./files.ts";
import { readRun } from "./run_folder.ts";

/** Files that checkpoints of a run are kept in, by what people call them. */
const FILES: Readonly<Record<string, string>> = {
  best: "checkpoint.best.safetensors",
  previous: PREVIOUS,
};

/**
 * A checkpoint of the run in `folder`: `best`, `previous`, or any other by its path.
 *
 * Throws a `UserError` where there is none, or it is of a run that draws in another way.
 */
export async function chosenCheckpoint(folder: string, choice: string): Promise<Checkpoint> {
  const known = Object.hasOwn(FILES, choice);
  const file = known ? `${folder}/${FILES[choice]}` : choice;
  if (!await exists(file)) {
    throw new UserError(
      known
        ? `${folder} has no ${choice} checkpoint: there is no ${FILES[choice]} in it`
        : `There is no checkpoint ${choice}${didYouMean(choice, Object.keys(FILES))}: ` +
          `choose a file, or ${Object.keys(FILES).join(" or ")}`,
    );
  }
  const checkpoint = await readCheckpoint(file), run = await readRun(folder);
  for (const key of ["size", "generator", "conditions"] as const) {
    if (run && JSON.stringify(run[key]) !== JSON.stringify(checkpoint.run[key])) {
      throw new UserError(`${file} is of another run than ${folder}: they differ in ${key}`);
    }
  }
  return checkpoint;
}
