import { assertEquals, assertRejects } from "@std/assert";
import { readConfig } from "../../cli/config.ts";
import { UserError } from "../../data/mod.ts";
import type { Options } from "../../plugin/mod.ts";
import { temporaryFolder } from "../data/temporary.ts";

const declared: Options = {
  batch: { type: "integer", min: 2, help: "Pictures in a batch" },
  lr: { type: "number", min: 0, help: "Step size" },
  classOn: { type: "choice", choices: ["real", "both"], help: "Which pictures" },
  generatorChannels: { type: "list", help: "Widths" },
  weights: { type: "list", help: "Weights" },
  flip: { type: "boolean", default: true, help: "Mirror" },
  config: { type: "string", help: "This file" },
};

async function read(yaml: string) {
  using folder = temporaryFolder({ "kao.yaml": yaml });
  return await readConfig(`${folder.path}/kao.yaml`, declared);
}

/** What is said of a file, without where it is. */
async function failure(yaml: string): Promise<string> {
  using folder = temporaryFolder({ "kao.yaml": yaml });
  const path = `${folder.path}/kao.yaml`;
  const { message } = await assertRejects(() => readConfig(path, declared), UserError);
  assertEquals(message.includes(path), true, message);
  return message.replaceAll(path, "FILE");
}

Deno.test("A file gives options by their flags or keys, checked, and lists as lists or mappings", async () => {
  const { values, plugins } = await read(`
batch: 16
lr: 2e-4
class-on: both
generatorChannels: [64, 32]
weights: { g.adv: 0.5, d.adv_real: 1 }
flip: false
`);
  assertEquals(values, {
    batch: 16,
    lr: 2e-4,
    classOn: "both",
    generatorChannels: ["64", "32"],
    weights: ["g.adv=0.5", "d.adv_real=1"],
    flip: false,
  });
  assertEquals(plugins, undefined);
});

Deno.test("Plugins keep their order and their options", async () => {
  const { plugins } = await read(`
plugins:
  - dragan
  - ./hue.ts: { bins: 12, soft: true }
  - calm:
  - npm:@someone/kao-plugin
`);
  assertEquals(plugins, [
    { source: "dragan", options: {} },
    { source: "./hue.ts", options: { bins: 12, soft: true } },
    { source: "calm", options: {} },
    { source: "npm:@someone/kao-plugin", options: {} },
  ]);
  assertEquals((await read("plugins: []")).plugins, []);
});

Deno.test("An empty file says nothing", async () => {
  assertEquals(await read(""), { values: {} });
  assertEquals(await read("# nothing\n"), { values: {} });
});

Deno.test("What is wrong with a file is told with the file and the key", async () => {
  assertEquals(
    await failure("bacth: 16"),
    'FILE has an unknown key "bacth" (did you mean batch?)',
  );
  assertEquals(
    await failure("plugin: dragan"),
    'FILE has an unknown key "plugin" (did you mean plugins?)',
  );
  assertEquals(
    await failure("config: other.yaml"),
    'FILE has an unknown key "config"',
  );
  assertEquals(
    await failure("batch: many"),
    "FILE: batch must be a whole number at least 2, not many",
  );
  assertEquals(
    await failure("class-on: fake"),
    "FILE: class-on must be one of real, both, not fake",
  );
  assertEquals(await failure("flip: sometimes"), "FILE: flip must be true or false, not sometimes");
  assertEquals(
    await failure("generator-channels: 64"),
    "FILE: generator-channels must be a list of words, not 64",
  );
  assertEquals(await failure("plugins: dragan"), "FILE: plugins must be a list");
  for (const entry of ["3", "{ a: {}, b: {} }", "a: 5", "[a]"]) {
    const message = await failure(`plugins:\n  - ${entry}`);
    assertEquals(
      message.startsWith("FILE: a plugin must be a name, or a name with options such as"),
      true,
      message,
    );
  }
  assertEquals(await failure("- batch"), 'FILE must have a key a line, such as "batch: 16"');
  assertEquals((await failure("batch: [")).startsWith("FILE is not valid YAML: "), true);
});

Deno.test("A file that is not there is one line", async () => {
  using folder = temporaryFolder();
  await assertRejects(
    () => readConfig(`${folder.path}/none.yaml`, declared),
    UserError,
    `Cannot read ${folder.path}/none.yaml`,
  );
});
