// One file of a plugin and all that it imports, but for the interface and the engine.

import { UserError } from "../data/mod.ts";
import { CONFIG, runDeno } from "./deno.ts";

/** What a bundled plugin begins with. */
export const BUNDLE_HEADER =
  "// A kao plugin, bundled by kao plugin build. Its source is elsewhere.";
/** What a bundle still imports: the interface and the engine must be those that run. */
const LEFT = ["kao/plugin", "kao/engine"];

/**
 * The code of a plugin in one file, by `deno bundle`, which is esbuild with Deno's way to find modules. `entry` is
 * a path, or the specifier of a package such as `npm:...`, which is fetched where it is not in Deno's cache.
 *
 * @throws {UserError} where it cannot be bundled, or this process may not run Deno.
 */
export async function bundlePlugin(entry: string, options: { cwd?: string } = {}): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "kao-plugin-" });
  try {
    const path = `${folder}/plugin.js`;
    const external = LEFT.flatMap((name) => ["--external", name]);
    // Neither kao's lock file nor its packages are the plugin's to change.
    const args = ["bundle", "--quiet", "--no-lock", "--node-modules-dir=none", "--config", CONFIG];
    const outcome = await runDeno([...args, ...external, "--output", path, entry], options);
    if (outcome === undefined) {
      throw new UserError(`Cannot bundle ${entry}: this command could not run deno, which bundles`);
    }
    if (!outcome.success) {
      throw new UserError(`Cannot bundle ${entry}: ${outcome.said || "deno bundle failed"}`);
    }
    const code = tidied(await Deno.readTextFile(path));
    refuseImports(entry, code);
    return code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** A bundle without the paths of this machine, which stand in comments. */
function tidied(code: string): string {
  return `${BUNDLE_HEADER}\n${code.replaceAll(/^\/\/ \S+\.([cm]?[jt]sx?|json)$\n/gm, "")}`;
}

/** @throws {UserError} at an import that would be looked for beside the bundle, or in a package. */
function refuseImports(file: string, code: string): void {
  const imports = code.matchAll(/^(?:import|export)\b[^;"']*?["']([^"']+)["'];?$/gm);
  for (const [, specifier] of imports) {
    if (LEFT.includes(specifier) || specifier.startsWith("node:")) continue;
    throw new UserError(`Cannot bundle ${file}: what it imports as ${specifier} cannot be inside`);
  }
  // The engine has state, such as its device: a second one would know nothing of the first.
  if (!/^var Tensor = class\b/m.test(code)) return;
  throw new UserError(
    `Cannot bundle ${file}: it imports kao's engine by a path. Import from "kao/engine" and "kao/plugin"`,
  );
}
