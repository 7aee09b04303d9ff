import { helpOf } from "./help.ts";
import type {
  GivenValues,
  Options,
  OptionValue,
  OptionValues,
  Positionals,
  PositionalValues,
} from "../plugin/mod.ts";
import { parseCommandLine, parseFlag, parsePositionals } from "./parse.ts";

/** What a command's function is called with. */
export interface Arguments<O extends Options, P extends Positionals, F = undefined> {
  readonly options: OptionValues<O>;
  /** Only the options that were given, so that they can be laid over a preset or a file. */
  readonly given: GivenValues<O>;
  readonly positionals: PositionalValues<P>;
  /** The values of those `moreOptions` that were given. */
  readonly more: Readonly<Record<string, unknown>>;
  /** What `moreOptions` found on its way. */
  readonly found: F;
}

/** What {@linkcode defineCommand} is told. */
export interface Declaration<O extends Options, P extends Positionals, F = undefined> {
  /** The word that calls it: `kao NAME`. */
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly positionals: P;
  readonly options: O;
  /**
   * Options that are known only when some arguments are: `kao sample RUN` takes one a condition of the
   * run, `kao train --plugin NAME` those of the plugin.
   */
  readonly moreOptions?: (early: EarlyArguments<O, P>) => Promise<MoreOptions<F>>;
}

/** Arguments that are looked at before all options are known. */
export interface EarlyArguments<O extends Options, P extends Positionals> {
  /** The positional arguments; undefined where there are none because `--help` alone was given. */
  positionals(): PositionalValues<P> | undefined;
  /** The value of a flag, if it was given. */
  flag<K extends keyof O & string>(key: K): OptionValue<O[K]> | undefined;
}

/** What {@linkcode Declaration.moreOptions} finds. */
export interface MoreOptions<F = undefined> {
  readonly options: Options;
  /** What the command itself wants to have from here. */
  readonly found: F;
  /** Values of options, these or those declared, that were given elsewhere than by flags. */
  readonly values?: Readonly<Record<string, unknown>>;
}

/** A command, ready to be called with what follows its name on the command line. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  run(args: readonly string[]): Promise<void>;
}

/**
 * Declares a command, which its file exports as `command`. The declaration types the values;
 * `--help` is taken care of.
 *
 * ```ts
 * export const command = defineCommand({
 *   name: "draw",
 *   summary: "Draw a data set of labelled avatars",
 *   positionals: { out: { help: "Folder to write to" } },
 *   options: {
 *     count: { type: "integer", short: "n", default: 1000, min: 1, help: "How many pictures" },
 *     style: { type: "choice", choices: ["flat", "shaded"], default: "flat", help: "How" },
 *   },
 * }, async ({ options, positionals }) => {
 *   await Deno.mkdir(positionals.out); // string
 *   for (let i = 0; i < options.count; i++) console.log(options.style); // number; "flat" | "shaded"
 * });
 * ```
 */
export function defineCommand<const O extends Options, const P extends Positionals, F = undefined>(
  declaration: Declaration<O, P, F>,
  run: (args: Arguments<O, P, F>) => Promise<void> | void,
): Command {
  const { name, summary, moreOptions } = declaration;
  return {
    name,
    summary,
    async run(args) {
      const help = asksForHelp(args);
      const rest = args.filter((arg) => arg !== "--help" && arg !== "-h");
      const { options: more, values, found } = await moreOptions?.({
        positionals: () =>
          help && rest.length === 0
            ? undefined
            : parsePositionals(rest, declaration) as PositionalValues<P>,
        flag: <K extends keyof O & string>(key: K) =>
          parseFlag(rest, declaration, key) as OptionValue<O[K]> | undefined,
      }) ?? { options: {}, found: undefined as F };
      const declared = { ...declaration, options: { ...declaration.options, ...more }, values };
      if (help) {
        console.log(helpOf(declared));
        return;
      }
      const parsed = parseCommandLine(rest, declared);
      const pick = (keys: Options) =>
        Object.fromEntries(Object.entries(parsed.given).filter(([key]) => key in keys));
      await run({
        options: parsed.options as OptionValues<O>,
        given: pick(declaration.options) as GivenValues<O>,
        positionals: parsed.positionals as PositionalValues<P>,
        more: pick(more),
        found,
      });
    },
  };
}

function asksForHelp(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? undefined : end).some((arg) => arg === "--help" || arg === "-h");
}
