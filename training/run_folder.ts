import { UserError } from "../data/mod.ts";
import { checkSameRun, type RunDescription } from "./run.ts";
import { asUserError, exists, replaceFile, UNFINISHED } from "./files.ts";

const DESCRIPTION = "run.json";

/**
 * Makes `folder`, or finds that it is the home of a run, and returns that run's description.
 *
 * Throws a `UserError` where the folder cannot be made, or holds something else.
 */
export async function prepareRunFolder(folder: string): Promise<RunDescription | undefined> {
  return await asUserError(`Cannot write to ${folder}`, async () => {
    await Deno.mkdir(folder, { recursive: true });
    const run = await readRun(folder);
    if (run) return run;
    for await (const { name } of Deno.readDir(folder)) {
      if (name === DESCRIPTION + UNFINISHED) continue;
      throw new UserError(
        `${folder} holds "${name}" and is not a run: choose a new or an empty folder with --out`,
      );
    }
    return undefined;
  });
}

/** The description of the run whose home `folder` is, or `undefined` where it is none. */
export async function readRun(folder: string): Promise<RunDescription | undefined> {
  const path = `${folder}/${DESCRIPTION}`;
  if (!await exists(path)) return undefined;
  const run = await asUserError(
    `Cannot read ${path}`,
    async () => JSON.parse(await Deno.readTextFile(path)),
  );
  if (Array.isArray(run?.conditions) && run.generator && run.discriminator) {
    // Runs from before there were plugins have none. The order stays: it is that of the checkpoint's bytes.
    return { ...run, plugins: run.plugins ?? [] };
  }
  throw new UserError(`${path} does not describe a run: ${folder} may belong to something else`);
}

/**
 * Takes plugins out of the description of a run. What a checkpoint keeps of them is passed over from then on.
 *
 * Throws a `UserError` where there is no such plugin, or it brings conditions, which are inputs of the
 * generator, or layers of the generator. Nothing is changed then.
 */
export async function dropPlugins(folder: string, names: readonly string[]): Promise<void> {
  const run = await readRun(folder);
  if (!run) throw new UserError(`${folder} is no run that a plugin could be dropped from`);
  for (const name of names) {
    const plugin = run.plugins.find((plugin) => plugin.name === name);
    if (!plugin) {
      const had = run.plugins.map(({ name }) => name).join(", ") || "none";
      throw new UserError(`${folder} has no plugin ${name} to drop: it has ${had}`);
    }
    if (plugin.normalizes) {
      throw new UserError(
        `${folder} cannot drop plugin ${name}: the generator has its layers. Start anew with another --out`,
      );
    }
    if (plugin.conditions.length === 0) continue;
    throw new UserError(
      `${folder} cannot drop plugin ${name}: the generator is asked by its ` +
        `${plugin.conditions.join(", ")}. Start anew with another --out`,
    );
  }
  const plugins = run.plugins.filter(({ name }) => !names.includes(name));
  await writeDescription(folder, { ...run, plugins });
}

/**
 * Makes `folder` the home of a run, or finds that it already is. What is in it then:
 * `run.json` (the description), `kernels.json` (which variants it computes with), checkpoints,
 * `metrics.jsonl`, and `grids/`.
 *
 * The folder stays locked for other trainings until the returned lock is disposed of, or the process
 * ends in whatever way.
 *
 * Throws a `UserError` where the folder cannot be written, holds something else, is the home of a run
 * of another description, or is in use; nothing is changed then.
 */
export async function claimRunFolder(folder: string, run: RunDescription): Promise<Disposable> {
  const before = await prepareRunFolder(folder);
  if (before) checkSameRun(folder, before, run);
  const path = `${folder}/${DESCRIPTION}`;
  if (!before) await writeDescription(folder, run);
  return await asUserError(`Cannot write to ${folder}`, async () => {
    const lock = await Deno.open(path, { read: true, write: true });
    if (!await lock.tryLock(true)) {
      lock.close();
      throw new UserError(`${folder} is being trained by another process`);
    }
    await Deno.mkdir(`${folder}/grids`, { recursive: true });
    return lock;
  });
}

async function writeDescription(folder: string, run: RunDescription): Promise<void> {
  const text = JSON.stringify(run, null, 2);
  await replaceFile(`${folder}/${DESCRIPTION}`, new TextEncoder().encode(text));
}
