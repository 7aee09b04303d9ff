import { UserError } from "../../data/mod.ts";
import { builtIn } from "../../plugins/mod.ts";
import { pathOf } from "../plugins.ts";
import { CONFIG, runDeno } from "../deno.ts";

/** Type-checks a plugin's file by `deno check`. Returns what came out. */
export async function checkTypes(source: string): Promise<string | Error> {
  if (Object.hasOwn(builtIn, source)) return "built in";
  if (/^(npm|jsr|https?):/.test(source)) return "not checked: a package";
  if (!/[/\\]|\.[jt]s$/.test(source)) return ""; // No such name: loading it says so.
  const path = await pathOf(source);
  const outcome = await runDeno(["check", "--quiet", "--no-lock", "--config", CONFIG, path]);
  if (outcome === undefined) {
    return 'not checked: this task may not run deno, "deno task plugin" may';
  }
  if (outcome.success) return "deno check";
  const lines = outcome.said.split("\n").map((line) => line.trim()).filter((line) => line !== "");
  return new UserError(lines.slice(0, MOST_LINES).join(" "));
}

/** Of what the compiler has to say: the first error, and where it is. */
const MOST_LINES = 4;
