import { assertEquals, assertRejects } from "@std/assert";
import type { EarlyArguments } from "../../cli/command.ts";
import { choosePlugins, columnsOf, findMore, pluginTrainOptions } from "../../cli/train_plugins.ts";
import { UserError } from "../../data/mod.ts";
import type { Options, Positionals } from "../../plugin/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";

const declared = {
  out: { type: "string", help: "The run" },
  batch: { type: "integer", help: "Pictures" },
  ...pluginTrainOptions,
} as const satisfies Options;

/** The arguments of a command line by key. */
function early(flags: Readonly<Record<string, unknown>>) {
  const asked = { positionals: () => undefined, flag: (key: string) => flags[key] };
  return asked as unknown as EarlyArguments<typeof declared, Positionals>;
}

/** What a command line finds, and with it the plugins that a training has. */
async function plan(
  flags: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
) {
  const { options, values = {}, found } = await findMore(early(flags), declared);
  const columns = flags.columns as string[] | undefined;
  const chosen = choosePlugins(found, { more, columns });
  return {
    flags: Object.keys(options),
    values,
    plugins: chosen.map(({ plugin, source, options }) => ({ name: plugin.name, source, options })),
    columns: columnsOf(chosen),
  };
}

/** A plugin's file that reads a column, and takes a weight. */
const pluginFile = (name: string, column = "tilt"): string => `
import { definePlugin } from "kao/plugin";
export default definePlugin({
  name: "${name}",
  version: "1.0.0",
  help: "For a test",
  options: {
    weight: { type: "number", default: 1, help: "Weight" },
    column: { type: "string", default: "${column}", help: "Column" },
  },
  columns: ({ column }) => [column],
  setup: () => ({}),
});
`;

/** A folder with plugins a and b, and a run that has the classifier on hair, and a with a weight. */
function folderWithRun(run: { classifier?: boolean } = {}) {
  const folder = temporaryFolder({ "a.ts": pluginFile("a"), "b.ts": pluginFile("b", "smile") });
  const a = `${folder.path}/a.ts`, b = `${folder.path}/b.ts`;
  const plugins = [
    ...run.classifier === false
      ? []
      : [{ name: "classifier", source: "classifier", options: { columns: ["hair"] } }],
    { name: "a", source: a, options: { weight: 0.5, column: "tilt" } },
  ].map((plugin) => ({ ...plugin, version: "1.0.0", conditions: [], draws: false }));
  Deno.mkdirSync(`${folder.path}/run`);
  Deno.writeTextFileSync(
    `${folder.path}/run/run.json`,
    JSON.stringify({ conditions: [], generator: {}, discriminator: {}, plugins }),
  );
  return {
    a,
    b,
    run: `${folder.path}/run`,
    path: folder.path,
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}

Deno.test("Without anything the classifier takes part, on all columns", async () => {
  assertEquals(await plan({}), {
    flags: [],
    values: {},
    plugins: [{ name: "classifier", source: "classifier", options: {} }],
    columns: { columns: undefined, also: [], required: [] },
  });
});

Deno.test("--columns is the classifier's, and --no-classifier leaves it out", async () => {
  using there = folderWithRun();
  const { plugins, columns } = await plan({ columns: ["hair", "eyes"], plugin: [there.a] });
  assertEquals(plugins[0].options, { columns: ["hair", "eyes"] });
  assertEquals(columns, { columns: ["hair", "eyes"], also: ["tilt"], required: [] });
  const without = await plan({ classifier: false, plugin: [there.a] });
  assertEquals(without.plugins.map(({ name }) => name), ["a"]);
  assertEquals(without.columns, { columns: [], also: ["tilt"], required: [] });
});

Deno.test("Plugins come in the order of the flag, with options by flags of their own", async () => {
  using there = folderWithRun();
  const asked = await plan({ plugin: [there.b, there.a] }, { "a.weight": 3, "b.column": "age" });
  assertEquals(asked.flags, ["b.weight", "b.column", "a.weight", "a.column"]);
  assertEquals(asked.plugins.map(({ name, options }) => [name, options]), [
    ["classifier", {}],
    ["b", { column: "age" }],
    ["a", { weight: 3 }],
  ]);
  assertEquals(asked.columns.also, ["age", "tilt"]);
});

Deno.test("A run that goes on has the plugins, the columns and the options that it had", async () => {
  using there = folderWithRun();
  const resumed = await plan({ out: there.run });
  assertEquals(resumed.plugins, [
    { name: "classifier", source: "classifier", options: { columns: ["hair"] } },
    { name: "a", source: there.a, options: { weight: 0.5, column: "tilt" } },
  ]);
  assertEquals(resumed.columns, { columns: ["hair"], also: ["tilt"], required: [] });
  // What is asked for now is checked against the run later, where both are known.
  const changed = await plan({ out: there.run }, { "a.weight": 2 });
  assertEquals(changed.plugins[1].options, { weight: 2, column: "tilt" });
});

Deno.test("A run without a classifier goes on without", async () => {
  using there = folderWithRun({ classifier: false });
  const { plugins } = await plan({ out: there.run });
  assertEquals(plugins.map(({ name }) => name), ["a"]);
});

Deno.test("--drop-plugin goes on without, and does not need its file", async () => {
  using there = folderWithRun();
  Deno.removeSync(there.a);
  const { plugins } = await plan({ out: there.run, dropPlugin: ["a"] });
  assertEquals(plugins.map(({ name }) => name), ["classifier"]);
  await assertRejects(
    () => plan({ out: there.run }),
    UserError,
    `There is no plugin ${there.a}: no such file`,
  );
});

Deno.test("A file names plugins with options and the run; flags go before it", async () => {
  using there = folderWithRun();
  const config = `${there.path}/kao.yaml`;
  const write = (text: string) => Deno.writeTextFileSync(config, text);
  write(`batch: 8\nclassifier: false\nplugins:\n  - ${there.b}: { weight: 2 }\n  - ${there.a}\n`);
  const { values, plugins } = await plan({ config });
  assertEquals(values, { batch: 8, classifier: false });
  assertEquals(plugins.map(({ name, options }) => [name, options]), [
    ["b", { weight: 2 }],
    ["a", {}],
  ]);
  const overruled = await plan({ config, classifier: true }, { "b.weight": 7 });
  assertEquals(overruled.plugins.map(({ name, options }) => [name, options]), [
    ["classifier", {}],
    ["b", { weight: 7 }],
    ["a", {}],
  ]);
  const flagged = await plan({ config, plugin: [there.a] });
  assertEquals(flagged.plugins.map(({ name }) => name), ["a"]);

  write(`out: ${there.run}\n`);
  assertEquals((await plan({ config })).plugins.map(({ name }) => name), ["classifier", "a"]);
});

Deno.test("A preset's plugins take part unless others are named", async () => {
  const named = async (flags: Record<string, unknown>) =>
    (await plan(flags)).plugins.map(({ name, options }) => [name, options]);
  assertEquals(await named({ preset: "girlsmoe64" }), [
    ["classifier", {}],
    ["dragan", { lambda: 0.5 }],
  ]);
  assertEquals(await named({ preset: "zjusct64" }), [["classifier", {}], ["spectral-norm", {}]]);
  assertEquals(await named({ preset: "zjusct64", plugin: ["dragan"] }), [
    ["classifier", {}],
    ["dragan", {}],
  ]);
});
