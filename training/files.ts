import { UserError } from "../data/mod.ts";

/** The ending of files that are still being written. */
export const UNFINISHED = ".unfinished";

/**
 * Writes a file so that at every moment either its old or its new contents are there in full: beside,
 * synced to disk, renamed. With `keep`, the old contents stay under that name.
 */
export async function replaceFile(
  path: string,
  bytes: Uint8Array,
  options: { keep?: string } = {},
): Promise<void> {
  const { keep } = options;
  await asUserError(`Cannot write ${path}`, async () => {
    const unfinished = path + UNFINISHED;
    using file = await Deno.open(unfinished, { write: true, create: true, truncate: true });
    try {
      await writeAll(file, bytes);
      await file.sync();
    } catch (error) {
      await Deno.remove(unfinished); // Where the disk is full, its space is needed.
      throw error;
    }
    if (keep && await exists(path)) await Deno.rename(path, keep);
    await Deno.rename(unfinished, path);
  });
}

/** Writes all of `bytes`; the operating system may take only a part at a time. */
export async function writeAll(file: Deno.FsFile, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await file.write(bytes.subarray(at));
}

/** Whether there is a file or folder of this name. */
export async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Runs `action`; what the operating system refuses becomes a `UserError` that begins with `what`. */
export async function asUserError<R>(what: string, action: () => Promise<R>): Promise<R> {
  try {
    return await action();
  } catch (error) {
    if (error instanceof UserError) throw error;
    const full = error instanceof Error && /ENOSPC|No space left|EDQUOT|quota/i.test(error.message);
    const why = full
      ? "the disk is full: free some space, then run the same command again"
      : error instanceof Error
      ? error.message
      : error;
    throw new UserError(`${what}: ${why}`);
  }
}
