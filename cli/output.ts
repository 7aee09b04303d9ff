import { UserError } from "../data/mod.ts";

/**
 * Writes a file that was asked for, and the folders that it lies in; with `append`, at its end. Throws a `UserError`
 * where it cannot.
 */
export async function writeOutput(
  path: string,
  bytes: Uint8Array,
  options: { append?: boolean } = {},
): Promise<void> {
  try {
    const folder = path.replace(/[^/\\]*$/, "");
    if (folder !== "") await Deno.mkdir(folder, { recursive: true });
    await Deno.writeFile(path, bytes, options);
  } catch (error) {
    throw new UserError(`Cannot write ${path}: ${(error as Error).message}`);
  }
}
