import { assertEquals } from "@std/assert";
import { flagOf, type Option } from "../../plugin/mod.ts";
import { builtIn } from "../../plugins/mod.ts";

const pages = new URL("../../docs/plugins/", import.meta.url);

/** The cells of a page's table of options by the option's flag. */
function tableOf(page: string): Record<string, string[]> {
  const rows = page.split("\n").filter((line) => /^\| `[a-z-]+` +\|/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim().replaceAll("`", "")));
  return Object.fromEntries(rows.map(([flag, ...cells]) => [flag, cells]));
}

/** A default as pages write it. */
const written = (option: Option): string => [option.default ?? []].flat().join(",");

for (const plugin of Object.values(builtIn)) {
  if (plugin.name === "classifier") continue; // docs/plugins.md tells of it.
  Deno.test(`The page of ${plugin.name} has each option, with the default that it has`, async () => {
    const table = tableOf(await Deno.readTextFile(new URL(`${plugin.name}.md`, pages)));
    for (const [key, option] of Object.entries(plugin.options)) {
      const flag = flagOf(key, option), cells = table[flag] ?? [];
      const wanted = written(option);
      // What has no default may be explained in words.
      const found = wanted === "" ? cells.length > 0 : cells.some((cell) => cell === wanted);
      assertEquals([flag, found], [flag, true], `${flag}: ${wanted}, in ${cells}`);
    }
  });
}
