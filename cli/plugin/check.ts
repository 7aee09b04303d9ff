import { UserError } from "../../data/mod.ts";
import type { Plugin } from "../../plugin/mod.ts";
import { defineCommand } from "../command.ts";
import { openDevice } from "../device.ts";
import { givenOptions, loadPlugin, pluginOptions } from "../plugins.ts";
import { checkPlugin } from "./checks.ts";
import { checkTypes } from "./types.ts";

/** `kao plugin check`: whether a plugin does what plugins must, and what it costs. */
export const command = defineCommand({
  name: "plugin check",
  summary: "Check a plugin: types, options, gradients, training, resuming; and what it costs",
  positionals: { plugin: { help: "Name, or path such as ./hue.ts" } },
  options: {},
  moreOptions: async ({ positionals }) => {
    const source = positionals()?.plugin;
    if (source === undefined) return { options: {}, found: undefined };
    // In this order: its code is loaded when this process may not run programs any more.
    const types = await checkTypes(source);
    const plugin = await loadPlugin(source);
    return { options: pluginOptions([plugin]), found: { types, plugin } };
  },
}, async ({ positionals, more, found }) => {
  const { types, plugin } = found as { types: Checked; plugin: Plugin };
  await openDevice({ install: false });
  const list = new CheckList();
  await list.check("types", () => types);
  const chosen = { plugin, source: positionals.plugin, options: givenOptions(plugin, more) };
  await checkPlugin(chosen, list);
  if (list.failed.length === 0) return;
  throw new UserError(`${positionals.plugin} fails in ${list.failed.join(", ")}`);
});

/** What a check has to say; as an error, where it failed. */
export type Checked = string | Error;

/** Checks, a line each. */
export class CheckList {
  readonly failed: string[] = [];

  /** Runs a check, and says what came out. Returns whether it passed. */
  async check(name: string, run: () => Promise<Checked> | Checked): Promise<boolean> {
    let outcome: Checked;
    try {
      outcome = await run();
    } catch (error) {
      outcome = error as Error;
    }
    const failed = outcome instanceof Error;
    const said = failed ? `FAILED: ${(outcome as Error).message}` : `ok  ${outcome}`;
    console.log(`${name.padEnd(10)}${said.replaceAll(/\s*\n\s*/g, " ")}`);
    if (failed) this.failed.push(name);
    return !failed;
  }
}
