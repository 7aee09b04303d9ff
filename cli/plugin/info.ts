import type { Plugin } from "../../plugin/mod.ts";
import { defineCommand } from "../command.ts";
import { optionRows, table } from "../help.ts";
import { loadPlugin, pluginOptions } from "../plugins.ts";
import { giveUpRunning } from "./deno.ts";

/** `kao plugin info`: what a plugin says of itself. */
export const command = defineCommand({
  name: "plugin info",
  summary: "Show what a plugin does, and its options",
  positionals: { plugin: { help: "Name, or path such as ./hue.ts" } },
  options: {},
}, async ({ positionals }) => {
  await giveUpRunning();
  console.log(describe(await loadPlugin(positionals.plugin), positionals.plugin));
});

/** All that is known of a plugin without setting it up. */
export function describe(plugin: Plugin, source: string): string {
  const { name, version, help, paper, columns, kinds = {}, sampling } = plugin;
  const said = [
    `${name} ${version}: ${help}`,
    ...(paper === undefined ? [] : [`After ${paper}`]),
    ...(columns ? ["It reads label columns"] : []),
    ...(plugin.discriminatorWeight ? ["It brings functions of the discriminator's weights"] : []),
    ...(plugin.normalization ? ["It brings what normalises the generator's activations"] : []),
    ...(Object.keys(kinds).length > 0
      ? [`It brings conditions of the kinds ${Object.keys(kinds).join(", ")}`]
      : []),
  ];
  const rows = optionRows(pluginOptions([plugin]));
  const use = `kao train DATA --out RUN --plugin ${source}`;
  const parts = [
    said.join("\n"),
    // The classifier takes part unless it is left out.
    name === "classifier"
      ? "It takes part in every training, unless --no-classifier is given"
      : use,
    rows.length === 0 ? "It has no options" : `Options:\n${table(rows)}`,
  ];
  const asked = optionRows(sampling?.options ?? {});
  if (asked.length > 0) parts.push(`Options of sample:\n${table(asked)}`);
  return parts.join("\n\n");
}
