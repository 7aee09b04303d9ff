// Finding plugins: by name, by file, or by the specifier of a package.

import { pathToFileURL } from "node:url";
import { UserError } from "../data/mod.ts";
import {
  type ConditionMaker,
  didYouMean,
  flagOf,
  type Options,
  type PictureRequest,
  type PictureSource,
  type Plugin,
} from "../plugin/mod.ts";
import { builtIn } from "../plugins/mod.ts";
import { asListed } from "./config.ts";
import type { ChosenPlugin, LayerPlugin, PluginDescription } from "../training/mod.ts";

/** A plugin that was asked for, by name alone or with options: `dragan`, `{ dragan: { weight: 5 } }`. */
export interface PluginRequest {
  readonly source: string;
  readonly options: Readonly<Record<string, unknown>>;
}

/**
 * The plugin that a name, a path or a specifier such as `npm:...` stands for. Says so where that runs code that
 * is not kao's.
 *
 * @throws {UserError} where there is none, or its file cannot be run.
 */
export async function loadPlugin(
  source: string,
  options: { onMessage?: (message: string) => void } = {},
): Promise<Plugin> {
  if (Object.hasOwn(builtIn, source)) return builtIn[source];
  const { onMessage = console.error } = options;
  const url = await urlOf(source);
  onMessage(`Loading plugin ${source}: its code may do what this command may (${permissions()})`);
  let loaded: { default?: unknown };
  try {
    loaded = await import(url);
  } catch (error) {
    const message = (error as Error).message.replaceAll(/\s+/g, " ");
    throw new UserError(`Cannot load plugin ${source}: ${message}`);
  }
  if (isPlugin(loaded.default)) return loaded.default;
  throw new UserError(
    `${source} is no plugin: it must have "export default definePlugin({ ... })", ` +
      `with definePlugin from "kao/plugin"`,
  );
}

async function urlOf(source: string): Promise<string> {
  if (/^(npm|jsr|https?):/.test(source)) return source;
  const isPath = /[/\\]|\.[jt]s$/.test(source);
  if (!isPath) {
    const names = Object.keys(builtIn);
    throw new UserError(
      `There is no plugin "${source}"${didYouMean(source, names)}: built in are ${
        names.join(", ")
      }; ` +
        `a file is given by its path, such as ./${source}.ts`,
    );
  }
  return pathToFileURL(await pathOf(source)).href;
}

/** The path of a plugin's file. @throws {UserError} where there is none. */
export async function pathOf(source: string): Promise<string> {
  try {
    return await Deno.realPath(source);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UserError(`There is no plugin ${source}: no such file`);
    }
    throw error;
  }
}

function isPlugin(value: unknown): value is Plugin {
  const plugin = value as Partial<Plugin> | null | undefined;
  return typeof plugin === "object" && plugin !== null && typeof plugin.name === "string" &&
    typeof plugin.setup === "function" && typeof plugin.options === "object";
}

/** What this process may do, in words. */
function permissions(): string {
  const granted = (what: Deno.PermissionDescriptor): boolean =>
    Deno.permissions.querySync(what).state === "granted";
  const names = ["read", "write", "net", "env", "run", "ffi", "sys"] as const;
  const whole = names.filter((name) => granted({ name }));
  // Of what is granted in part there is no list: these are the parts that tasks of kao have.
  const parts: [name: typeof names[number], Deno.PermissionDescriptor, words: string][] = [
    ["env", { name: "env", variable: "KAO_DEBUG" }, "env in part"],
    ["sys", { name: "sys", kind: "uid" }, "sys in part"],
    ...["apt-get", "sudo", "deno"].map((command): typeof parts[number] => [
      "run",
      { name: "run", command },
      `run ${command}`,
    ]),
  ];
  const partly = parts.filter(([name, what]) => !whole.includes(name) && granted(what));
  return [...whole, ...partly.map(([, , words]) => words)].join(", ") || "nothing";
}

/** Loads the plugins that were asked for, in their order. */
export async function loadPlugins(requests: readonly PluginRequest[]): Promise<ChosenPlugin[]> {
  const chosen: ChosenPlugin[] = [];
  for (const { source, options } of requests) {
    const plugin = await loadPlugin(source);
    const words = Object.entries(options).map(([key, value]) => [
      key,
      asListed(plugin.options[key], value),
    ]);
    chosen.push({ plugin, source, options: Object.fromEntries(words) });
  }
  return chosen;
}

/** The options of plugins as options of a command: `--NAME.KEY`, the key in kebab case. */
export function pluginOptions(plugins: readonly Plugin[]): Options {
  return Object.fromEntries(
    plugins.flatMap(({ name, options }) =>
      Object.entries(options).map(([key, option]) => {
        const flag = `${name}.${flagOf(key, option)}`;
        // What was not given must not look as if it were: it may be in a file, or in the run.
        const { default: usual, ...rest } = option;
        const help = usual === undefined ? option.help : `${option.help}; default ${usual}`;
        return [`${name}.${key}`, { ...rest, flag, help }];
      })
    ),
  );
}

/** The options of a plugin among those that a command was given, as its own. */
export function givenOptions(
  plugin: Plugin,
  more: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.keys(plugin.options).map((key) => [key, more[`${plugin.name}.${key}`]])
      .filter(([, value]) => value !== undefined),
  );
}

/** A plugin as a trained run needs it to draw pictures. */
export interface DrawingPlugin
  extends Pick<Plugin, "name" | "kinds" | "sampling" | "discriminatorWeight" | "normalization"> {
  /** The values of its options that the run was trained with. */
  readonly chosen: Readonly<Record<string, unknown>>;
  /** Where it came from. */
  readonly source: string;
}

/** Loads what of a run's plugins takes part in drawing. */
export async function drawingPlugins(
  { plugins }: { readonly plugins: readonly PluginDescription[] },
): Promise<DrawingPlugin[]> {
  const drawing = plugins.filter(({ draws }) => draws);
  return await Promise.all(drawing.map(async ({ source, options }) => {
    return { ...await loadPlugin(source), chosen: options, source };
  }));
}

/** Who makes the conditions of plugins again, by kind. */
export function kindsOf(plugins: readonly DrawingPlugin[]): Record<string, ConditionMaker> {
  return Object.assign({}, ...plugins.map(({ kinds = {} }) => kinds));
}

/** Those of a run's plugins that put layers into its networks. */
export function layersOf(plugins: readonly DrawingPlugin[]): LayerPlugin[] {
  return plugins.map((plugin) => ({
    ...{ name: plugin.name, source: plugin.source },
    ...{ plugin, options: plugin.chosen },
  }));
}

/** Pictures as plugins change what is drawn, by the options that were given. */
export function withPlugins(
  pictures: PictureSource,
  plugins: readonly Pick<DrawingPlugin, "sampling">[],
  given: Readonly<Record<string, unknown>>,
): PictureSource {
  const apply = (request: PictureRequest): PictureRequest =>
    plugins.reduce((asked, { sampling }) => sampling?.apply(asked, given) ?? asked, request);
  return {
    size: pictures.size,
    conditions: pictures.conditions,
    requests: async (seeds, ...rest) => (await pictures.requests(seeds, ...rest)).map(apply),
    draw: (requests) => pictures.draw(requests),
  };
}
