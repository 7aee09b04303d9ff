import { asUserError, replaceFile } from "./files.ts";
import type { Origin } from "./guard.ts";

/** Writes a file of a plugin, in a folder of its own in the run's. @throws {TypeError} at a path for a name. */
export async function writePluginFile(
  folder: string,
  plugin: Origin,
  { name, bytes }: { name: string; bytes: Uint8Array<ArrayBuffer> },
): Promise<void> {
  if (!/^[\w][\w .-]*$/.test(name)) {
    throw new TypeError(`"${name}" is no file name: letters, digits, spaces, dots, _ and - are`);
  }
  const home = `${folder}/plugins/${plugin.name}`;
  await asUserError(`Cannot write to ${home}`, () => Deno.mkdir(home, { recursive: true }));
  await replaceFile(`${home}/${name}`, bytes);
}
