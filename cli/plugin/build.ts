import { dirname, join, parse } from "node:path";
import { UserError } from "../../data/mod.ts";
import type { Plugin } from "../../plugin/mod.ts";
import { defineCommand } from "../command.ts";
import { writeOutput } from "../output.ts";
import { loadPlugin, pathOf } from "../plugins.ts";
import { CONFIG, giveUpRunning, runDeno } from "./deno.ts";

/** What a bundled plugin begins with, and what is overwritten without being asked. */
const HEADER = "// A kao plugin, bundled by kao plugin build. Its source is elsewhere.";
/** What a bundle still imports: the interface and the engine must be those that run. */
const LEFT = ["kao/plugin", "kao/engine"];

/** `kao plugin build`: a plugin as one file. */
export const command = defineCommand({
  name: "plugin build",
  summary: "Bundle a plugin with all that it imports into one file",
  positionals: { plugin: { help: "Path such as ./hue.ts, or package such as npm:@someone/hue" } },
  options: {
    out: {
      type: "string",
      placeholder: "file",
      help: "The file to write; by default NAME.js, where the plugin is",
    },
    force: { type: "boolean", help: "Overwrite a file that is no bundled plugin" },
  },
}, async ({ options, positionals }) => {
  const { plugin: source } = positionals, { force } = options;
  const isPackage = /^(npm|jsr|https?):/.test(source);
  if (isPackage && options.out === undefined) {
    throw new UserError(`Missing --out: the file to write ${source} to`);
  }
  const entry = isPackage ? source : await pathOf(source);
  const { dir, name } = parse(source), out = options.out ?? join(dir, `${name}.js`);
  if (await existing(out) === entry) {
    throw new UserError(`${out} is the plugin itself: name another file by --out`);
  }
  await refuseForeign(out, { force });
  const folder = await Deno.makeTempDir({ prefix: "kao-plugin-" });
  try {
    const bundle = join(folder, "plugin.js");
    await makeBundle(entry, { bundle, cwd: isPackage ? "." : dirname(entry) });
    await giveUpRunning();
    const code = tidied(await Deno.readTextFile(bundle));
    refuseImports(source, code);
    await Deno.writeTextFile(bundle, code);
    const bundled = await loadBundle(bundle, source);
    // A package that imports kao/plugin can only be loaded bundled: Deno looks for that among packages.
    if (!isPackage) requireSame(await loadPlugin(source), bundled, source);
    await writeOutput(out, new TextEncoder().encode(code));
    const kib = (code.length / 1024).toFixed(1);
    console.log(`Wrote ${out}: ${bundled.name} ${bundled.version}, ${kib} KiB`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Bundles by `deno bundle`, which is esbuild with Deno's way to find modules. */
async function makeBundle(
  path: string,
  { bundle, cwd }: { bundle: string; cwd: string },
): Promise<void> {
  const external = LEFT.flatMap((name) => ["--external", name]);
  const args = ["bundle", "--quiet", "--no-lock", "--config", CONFIG, ...external];
  const outcome = await runDeno([...args, "--output", bundle, path], { cwd });
  if (outcome === undefined) {
    throw new UserError('Cannot run deno, which bundles: "deno task plugin build" may');
  }
  if (outcome.success) return;
  throw new UserError(`Cannot bundle ${path}: ${outcome.said || "deno bundle failed"}`);
}

/** A bundle without the paths of this machine, which stand in comments. */
function tidied(code: string): string {
  return `${HEADER}\n${code.replaceAll(/^\/\/ \S+\.([cm]?[jt]sx?|json)$\n/gm, "")}`;
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

async function loadBundle(path: string, source: string): Promise<Plugin> {
  try {
    return await loadPlugin(path, { onMessage: () => {} });
  } catch (error) {
    throw new UserError((error as Error).message.replaceAll(path, source));
  }
}

/** @throws {UserError} where a bundle does not declare what its source does. */
function requireSame(source: Plugin, bundled: Plugin, file: string): void {
  const declared = ({ columns, kinds = {}, sampling, setup, ...said }: Plugin): string =>
    JSON.stringify({
      ...said,
      functions: [typeof columns, typeof setup, typeof sampling?.apply],
      kinds: Object.keys(kinds),
      asked: sampling?.options,
    });
  if (declared(bundled) === declared(source)) return;
  throw new UserError(`The bundle of ${file} declares another plugin than its source: not written`);
}

/** The real path of what there is of this name. */
async function existing(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function refuseForeign(path: string, { force }: { force: boolean }): Promise<void> {
  if (force || await existing(path) === undefined) return;
  if ((await Deno.readTextFile(path)).startsWith(HEADER)) return;
  throw new UserError(`${path} was not written by kao plugin build: --force overwrites it`);
}
