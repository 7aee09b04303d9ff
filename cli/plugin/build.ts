import { dirname, join, parse } from "node:path";
import { UserError } from "../../data/mod.ts";
import type { Plugin } from "../../plugin/mod.ts";
import { BUNDLE_HEADER, bundlePlugin } from "../bundle.ts";
import { defineCommand } from "../command.ts";
import { writeOutput } from "../output.ts";
import { isPackage } from "../packages.ts";
import { loadPlugin, pathOf } from "../plugins.ts";

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
  const packaged = isPackage(source);
  if (packaged && options.out === undefined) {
    throw new UserError(`Missing --out: the file to write ${source} to`);
  }
  const entry = packaged ? source : await pathOf(source);
  const { dir, name } = parse(source), out = options.out ?? join(dir, `${name}.js`);
  if (await existing(out) === entry) {
    throw new UserError(`${out} is the plugin itself: name another file by --out`);
  }
  await refuseForeign(out, { force });
  const code = await bundlePlugin(entry, { cwd: packaged ? "." : dirname(entry) });
  const folder = await Deno.makeTempDir({ prefix: "kao-plugin-" });
  try {
    const bundle = join(folder, "plugin.js");
    await Deno.writeTextFile(bundle, code);
    const bundled = await loadBundle(bundle, source);
    if (!packaged) requireSame(await loadPlugin(source), bundled, source);
    await writeOutput(out, new TextEncoder().encode(code));
    const kib = (code.length / 1024).toFixed(1);
    console.log(`Wrote ${out}: ${bundled.name} ${bundled.version}, ${kib} KiB`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

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
  if ((await Deno.readTextFile(path)).startsWith(BUNDLE_HEADER)) return;
  throw new UserError(`${path} was not written by kao plugin build: --force overwrites it`);
}
