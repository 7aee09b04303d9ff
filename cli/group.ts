import { UserError } from "../data/mod.ts";
import { didYouMean } from "../plugin/mod.ts";
import type { Command } from "./command.ts";
import { table } from "./help.ts";

/** Commands by name, each loaded when it is called. */
export type Commands = Readonly<Record<string, () => Promise<{ readonly command: Command }>>>;

/** A command that is several: its first argument says which. */
export function defineGroup(
  { name, summary, commands, usage = [] }: {
    /** The words that call it; the commands in it are declared as `NAME COMMAND`. */
    readonly name: string;
    readonly summary: string;
    readonly commands: Commands;
    /** Further ways to call it. */
    readonly usage?: readonly string[];
  },
): Command {
  const overview = async (): Promise<string> => {
    const loaded = await Promise.all(Object.values(commands).map((load) => load()));
    const rows = loaded.map(({ command }, i) =>
      [`  ${Object.keys(commands)[i]}`, command.summary] as const
    );
    const ways = [`${name} <command> [options]`, ...usage].join("\n       ");
    return `${summary}\n\nUsage: ${ways}\n\n${table(rows)}\n\n${name} <command> --help says more`;
  };
  return {
    name,
    summary,
    async run([word, ...args]) {
      if (word === undefined || word === "--help" || word === "-h" || word === "help") {
        console.log(await overview());
        return;
      }
      if (!Object.hasOwn(commands, word)) {
        const meant = didYouMean(word, Object.keys(commands));
        const [, ...inside] = name.split(" ");
        const what = ["command", ...inside, word].join(" ");
        throw new UserError(`Unknown ${what}${meant}; --help lists them all`);
      }
      const { command } = await commands[word]();
      await command.run(args);
    },
  };
}
