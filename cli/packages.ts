// Plugins that are packages, such as npm:@someone/hue. Deno looks for what a package imports among packages, where
// kao/plugin is not: so a package is bundled, once, and the bundle is kept with this user's caches.

import { bundlePlugin } from "./bundle.ts";
import { writeOutput } from "./output.ts";
import { cacheFolder } from "./cache_folder.ts";

/** Whether a plugin is asked for by the specifier of a package. */
export function isPackage(source: string): boolean {
  return /^(npm|jsr|https?):/.test(source);
}

/**
 * The file that a package is bundled in, made where there is none. The same specifier is the same file from then
 * on: a version in it says which.
 *
 * @throws {UserError} where it cannot be bundled.
 */
export async function bundledPackage(
  source: string,
  options: { onMessage: (message: string) => void },
): Promise<string> {
  const path = `${cacheFolder() ?? "runs/cache"}/plugins/${encodeURIComponent(source)}.js`;
  try {
    await Deno.stat(path);
    return path;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  options.onMessage(`Fetching plugin ${source}; it is kept as ${path}`);
  const code = await bundlePlugin(source), whole = `${path}.${Deno.pid}`;
  await writeOutput(whole, new TextEncoder().encode(code));
  await Deno.rename(whole, path);
  return path;
}
