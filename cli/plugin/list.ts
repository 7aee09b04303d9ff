import { builtIn } from "../../plugins/mod.ts";
import { defineCommand } from "../command.ts";
import { table } from "../help.ts";

/** `kao plugin list`: the plugins that are built in. */
export const command = defineCommand({
  name: "plugin list",
  summary: "List the plugins that are built in",
  positionals: {},
  options: {},
}, () => {
  const rows = Object.values(builtIn).map(({ name, version, help }) =>
    [`${name} ${version}`, help] as const
  );
  console.log(table(rows));
});
