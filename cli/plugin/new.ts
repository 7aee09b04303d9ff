import { basename } from "node:path";
import { UserError } from "../../data/mod.ts";
import { definePlugin } from "../../plugin/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import { defineCommand } from "../command.ts";
import { reservedNames } from "../sample/mod.ts";

/** What a new plugin begins as: this plugin, and its test, under another name. */
const TEMPLATE = "slider";
/** The template's name where it is one: in quotes, paths, flags, and names of terms. */
const NAMED = /(?<=["./-])slider(?=[". ])/g;

/** `kao plugin new`: a plugin that works, to be changed. */
export const command = defineCommand({
  name: "plugin new",
  summary: "Write a plugin that works, with its test, to begin with",
  positionals: { name: { help: "Lower case words joined by dashes" } },
  options: {
    out: { type: "string", placeholder: "folder", default: ".", help: "Where to write NAME.ts to" },
  },
}, async ({ options, positionals }) => {
  const { name } = positionals, { out } = options;
  checkName(name);
  const files = await Promise.all([".ts", "_test.ts"].map(async (ending) => ({
    path: `${out.replace(/[\\/]+$/, "") || "/"}/${name}${ending}`,
    text: (await templateFile(TEMPLATE + ending)).replaceAll(NAMED, name),
  })));
  for (const { path } of files) await refuseExisting(path);
  for (const { path, text } of files) await write(path, text);
  const [plugin, test] = files.map(({ path }) => path);
  console.log(
    `Wrote ${plugin} and ${basename(test)}. Next:\n` +
      `  deno test -A${await configOf(out)} ${test}\n` +
      `  deno task plugin check ${plugin}\n` +
      `  deno task train DATA --out RUN --plugin ${plugin}`,
  );
});

function checkName(name: string): void {
  definePlugin({ name, version: "0.1.0", help: "", setup: () => ({}) }); // It says what is wrong.
  if (Object.hasOwn(builtIn, name)) {
    throw new UserError(`${name} is a plugin that is built in: choose another name`);
  }
  if (reservedNames.includes(name)) {
    throw new UserError(`${name} is an option of sample: choose another name`);
  }
}

async function templateFile(name: string): Promise<string> {
  return await Deno.readTextFile(new URL(`template/${name}`, import.meta.url));
}

async function refuseExisting(path: string): Promise<void> {
  try {
    await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new UserError(`Cannot write ${path}: ${(error as Error).message}`);
  }
  throw new UserError(`${path} is there already: choose another name, or another --out`);
}

async function write(path: string, text: string): Promise<void> {
  try {
    await Deno.writeTextFile(path, text, { createNew: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new UserError(`Cannot write ${path}: ${(error as Error).message}`);
  }
}

/** Where Deno would not find kao's configuration by itself, the option that names it. */
async function configOf(folder: string): Promise<string> {
  const root = new URL("../../", import.meta.url).pathname;
  const inside = `${await Deno.realPath(folder)}/`.startsWith(root);
  return inside ? "" : ` --config ${root}deno.json`;
}
