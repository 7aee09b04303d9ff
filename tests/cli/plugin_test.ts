// kao plugin, as people call it.

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { temporaryFolder } from "../data/temporary.ts";
import { kao, type Outcome } from "./kao.ts";

const plugin = (...args: string[]): Promise<Outcome> => kao(args, {}, "plugin");

/** Runs a command that must fail; returns its last line, which is the only one that kao writes. */
async function failure(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await plugin(...args);
  assertEquals(code, 1, stdout + stderr);
  const said = stderr.trim().split("\n").filter((line) => line.startsWith("kao: "));
  assertEquals(said.length, 1, stderr);
  assertEquals(/unexpected|^ +at /m.test(stderr), false, stderr);
  return said[0];
}

const declaration = (setup: string, more = ""): string => `
import { definePlugin } from "kao/plugin";
${more}
export default definePlugin({ name: "mine", version: "1.2.3", help: "For a test", setup: ${setup} });
`;

Deno.test("plugin --help lists what there is to do, and each says how it is called", async () => {
  const { code, stdout } = await plugin("--help");
  assertEquals(code, 0);
  assertStringIncludes(stdout, "Usage: kao plugin <command> [options]");
  for (const name of ["list", "info", "new", "check", "build", "bench"]) {
    assertMatch(stdout, new RegExp(`^  ${name} +\\S`, "m"));
    const help = await plugin(name, "--help");
    assertEquals([help.code, help.stderr], [0, ""]);
    assertStringIncludes(help.stdout, `Usage: kao plugin ${name}`);
  }
  assertEquals(
    await failure("chekc"),
    "kao: Unknown command plugin chekc (did you mean check?); --help lists them all",
  );
});

Deno.test("plugin list has a line for each plugin that is built in", async () => {
  const { code, stdout, stderr } = await plugin("list");
  assertEquals([code, stderr], [0, ""]);
  assertMatch(stdout, /^classifier \d+\.\d+\.\d+ +\S.*$/m);
});

Deno.test("plugin info tells what a plugin does, and its options", async () => {
  const { stdout } = await plugin("info", "classifier");
  assertMatch(stdout, /^classifier \d\S+: .*\nAfter Odena/);
  assertMatch(stdout, /--classifier\.columns <a,b> +Label columns whose values are classes/);

  using folder = temporaryFolder({
    "sharp.ts": `
import { definePlugin } from "kao/plugin";
export default definePlugin({
  name: "sharp",
  version: "1.2.3",
  help: "Sharpens",
  options: {
    weight: { type: "number", min: 0, max: 2, default: 0.5, help: "How much" },
    kind: { type: "choice", choices: ["a", "b"], help: "Which" },
  },
  sampling: {
    options: { crisp: { type: "number", help: "Draw crisper" } },
    apply: (request) => request,
  },
  setup: () => ({}),
});`,
  });
  const file = `${folder.path}/sharp.ts`;
  const ofFile = await plugin("info", file);
  assertEquals(ofFile.code, 0, ofFile.stderr);
  assertStringIncludes(ofFile.stderr, `Loading plugin ${file}: its code may do what`);
  assertStringIncludes(ofFile.stdout, "sharp 1.2.3: Sharpens");
  assertStringIncludes(ofFile.stdout, "--sharp.weight <number>");
  assertMatch(ofFile.stdout, /How much.*default 0\.5.*from 0 to 2/);
  assertMatch(ofFile.stdout, /--sharp\.kind <a\|b> +Which/);
  assertMatch(ofFile.stdout, /Options of sample:\n +--crisp <number> +Draw crisper/);
  assertMatch(
    await failure("info", "clasifier"),
    /^kao: There is no plugin "clasifier" \(did you mean classifier\?\): built in are .*\bclassifier\b/,
  );
});

Deno.test("plugin new checks the name, and overwrites nothing", async () => {
  using folder = temporaryFolder({ "warm_test.ts": "mine" });
  const make = (name: string) => failure("new", name, "--out", folder.path);
  assertEquals(
    await make("Warm"),
    'kao: A plugin is named in lower case words joined by dashes, not "Warm"',
  );
  assertStringIncludes(await make("classifier"), "classifier is a plugin that is built in");
  assertStringIncludes(await make("seed"), "seed is an option of sample: choose another name");
  assertStringIncludes(await make("warm"), `${folder.path}/warm_test.ts is there already`);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["warm_test.ts"]);
  assertEquals(Deno.readTextFileSync(`${folder.path}/warm_test.ts`), "mine");
  assertStringIncludes(
    await failure("new", "cold", "--out", `${folder.path}/none`),
    `Cannot write ${folder.path}/none/cold.ts`,
  );
});

Deno.test("What cannot be loaded as a plugin is one line that says why", async () => {
  using folder = temporaryFolder({
    "nothing.ts": "export const x = 1;",
    "other.ts": "export default { name: 'x' };",
    "syntax.ts": "export default definePlugin({;",
    "throws.ts": "throw new Error('no luck');",
    "version.ts": declaration("() => ({})").replace("1.2.3", "one"),
    "option.ts": declaration("() => ({})").replace(
      "setup:",
      'options: { n: { type: "integer", min: 1, default: 0, help: "N" } }, setup:',
    ),
  });
  const at = (name: string) => `${folder.path}/${name}.ts`;
  const messages: [string, string][] = [
    ["none", `There is no plugin ${at("none")}: no such file`],
    ["nothing", `${at("nothing")} is no plugin: it must have "export default definePlugin(`],
    ["other", `${at("other")} is no plugin: it must have "export default definePlugin(`],
    ["syntax", `Cannot load plugin ${at("syntax")}: `],
    ["throws", `Cannot load plugin ${at("throws")}: no luck`],
    ["version", 'Plugin mine must have a version such as 1.0.0, not "one"'],
    ["option", "Plugin mine: the default of n must be a whole number at least 1, not 0"],
  ];
  for (const [name, message] of messages) {
    assertStringIncludes(await failure("info", at(name)), message);
  }
  for (const command of ["check", "build", "bench"]) {
    assertStringIncludes(
      await failure(command, at("none")),
      `There is no plugin ${at("none")}: no such file`,
    );
  }
});

Deno.test("plugin check fails with a line for each check, and one that names them", async () => {
  using folder = temporaryFolder({
    "mine.ts": declaration(
      "() => { throw new Error(`oops ${wrong}`); }",
      "const wrong: number = 'four';",
    ),
  });
  const file = `${folder.path}/mine.ts`;
  const { code, stdout, stderr } = await plugin("check", file);
  assertEquals(code, 1);
  const lines = stdout.trim().split("\n");
  assertEquals(lines.length, 3, stdout);
  assertMatch(
    lines[0],
    /^types {5}FAILED: TS2322 .*Type 'string' is not assignable to type 'number'/,
  );
  assertEquals(lines[1], "options   ok  none");
  assertEquals(lines[2], `setup     FAILED: Plugin mine (${file}) failed in setup: oops four`);
  assertEquals(stderr.trim().split("\n").at(-1), `kao: ${file} fails in types, setup`);
  // What it is checked for, its code may not do to others.
  assertStringIncludes(stderr, "(read, write, env in part)");
});

Deno.test("plugin build bundles what a plugin imports but the engine, and says what it cannot", async () => {
  const root = new URL("../../", import.meta.url);
  using folder = temporaryFolder({
    "mine.ts": declaration(
      "() => ({ generatorTerms: { size: { weight: half, value } } })",
      `
import { half } from "./parts/half.ts";
import { value } from "./parts/value.ts";
`,
    ),
    "parts/half.ts": `import { levenshteinDistance } from "npm:deno-std@1.4.0/text/mod.js";
export const half = levenshteinDistance("a", "b") / 2;`,
    "parts/value.ts": `import { mean, square } from "kao/engine";
import type { Step } from "kao/plugin";
export const value = ({ fake }: Step) => mean(square(fake.images));`,
    "broken.ts": `import "./none.ts";\n${declaration("() => ({})")}`,
    "inside.ts": declaration(
      "() => ({ state: { x: new Variable([1], []) } })",
      `
import { Variable } from "${root.pathname}engine/mod.ts";`,
    ),
    "random.ts": declaration("() => ({})").replace('"For a test"', "String(Math.random())"),
    "foreign.js": "my work",
  });
  const at = (name: string) => `${folder.path}/${name}`;
  const { code, stdout, stderr } = await plugin("build", at("mine.ts"));
  assertEquals(code, 0, stderr);
  assertMatch(stdout, /^Wrote .*mine\.js: mine 1\.2\.3, \d+\.\d KiB\n$/);
  const bundle = Deno.readTextFileSync(at("mine.js"));
  const imports = [...bundle.matchAll(/^import .* from "(.*)";$/gm)].map(([, it]) => it);
  assertEquals(new Set(imports), new Set(["kao/plugin", "kao/engine"]));
  assertEquals(bundle.includes(folder.path) || bundle.includes("node_modules"), false);

  // Its own output is written again, and nothing else.
  assertEquals((await plugin("build", at("mine.ts"))).code, 0);
  assertStringIncludes(
    await failure("build", at("mine.ts"), "--out", at("foreign.js")),
    `${at("foreign.js")} was not written by kao plugin build: --force overwrites it`,
  );
  assertEquals(Deno.readTextFileSync(at("foreign.js")), "my work");
  assertEquals(
    (await plugin("build", at("mine.ts"), "--out", at("foreign.js"), "--force")).code,
    0,
  );
  assertEquals(Deno.readTextFileSync(at("foreign.js")), bundle);
  assertStringIncludes(
    await failure("build", at("mine.js")),
    `${at("mine.js")} is the plugin itself`,
  );

  const text = "npm:deno-std@1.4.0/text/mod.js";
  assertStringIncludes(await failure("build", text), `Missing --out: the file to write ${text} to`);
  assertStringIncludes(
    await failure("build", text, "--out", at("text.js")),
    `${text} is no plugin: it must have "export default definePlugin(`,
  );
  assertStringIncludes(await failure("build", at("broken.ts")), `Cannot bundle ${at("broken.ts")}`);
  assertStringIncludes(
    await failure("build", at("inside.ts")),
    `it imports kao's engine by a path. Import from "kao/engine" and "kao/plugin"`,
  );
  assertStringIncludes(
    await failure("build", at("random.ts")),
    `The bundle of ${at("random.ts")} declares another plugin than its source: not written`,
  );
  assert(
    !Deno.readDirSync(folder.path).some(({ name }) =>
      /^(broken|inside|random|text)\.js/.test(name)
    ),
  );
});
