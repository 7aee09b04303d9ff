import { assertEquals, assertStringIncludes } from "@std/assert";
import { TuningCache } from "../../cli/tuning_cache.ts";
import { temporaryFolder } from "../data/temporary.ts";

const entry = (choice: string) => ({ fingerprint: "f", choice, seconds: { [choice]: 0.001 } });
const table = { "conv2d 1x1": entry("tiled") };

/** A cache, and what it says. */
function open(path: string | undefined, adapter = "A") {
  const messages: string[] = [];
  const cache = new TuningCache(path, { adapter, onMessage: (text) => messages.push(text) });
  return { cache, messages };
}

Deno.test("measurements are found again by the adapter that they were made on", async () => {
  using folder = temporaryFolder();
  const path = `${folder.path}/some/folder/tuning.json`;
  const { cache, messages } = open(path);
  assertEquals(await cache.read(), {});
  await cache.write(table);
  assertEquals(await open(path).cache.read(), table);
  assertEquals(await open(path, "B").cache.read(), {});

  const other = { "matmul 2x2": entry("direct") };
  await open(path, "B").cache.write(other);
  assertEquals(await open(path).cache.read(), table);
  assertEquals(await open(path, "B").cache.read(), other);
  assertEquals(messages, []);
  assertEquals([...Deno.readDirSync(`${folder.path}/some/folder`)].map(({ name }) => name), [
    "tuning.json",
  ]);
});

Deno.test("a file that is damaged or of another version is said to be, and begun anew", async () => {
  const files = {
    "cut short": '{"format":1,"adap',
    "another format": '{"format":2,"adapters":{}}',
    "no cache": '["tuning"]',
    "no adapters": '{"format":1}',
    "no measurements": '{"format":1,"adapters":{"A":{"conv2d 1x1":{"choice":"tiled"}}}}',
  };
  for (const [name, text] of Object.entries(files)) {
    using folder = temporaryFolder({ "tuning.json": text });
    const path = `${folder.path}/tuning.json`;
    const { cache, messages } = open(path);
    assertEquals(await cache.read(), {}, name);
    await cache.write(table);
    assertEquals(messages.length, 1, name);
    assertStringIncludes(messages[0], `Kernels are measured anew: ${path} cannot be used (`);
    assertEquals(await open(path).cache.read(), table, name);
  }
});

Deno.test("a folder that cannot be written is said once, and done without", async () => {
  using folder = temporaryFolder({ file: "" });
  const { cache, messages } = open(`${folder.path}/file/tuning.json`);
  await cache.write(table);
  await cache.write(table);
  assertEquals(messages.length, 1);
  assertStringIncludes(messages[0], "Measurements of kernels are not kept: cannot write");
});

Deno.test("a file whose place was taken by a folder is neither read nor written, and stays", async () => {
  using folder = temporaryFolder({ "tuning.json/inside": "kept" });
  const { cache, messages } = open(`${folder.path}/tuning.json`);
  assertEquals(await cache.read(), {});
  await cache.write(table);
  assertEquals(messages.length, 2);
  assertEquals([...Deno.readDirSync(folder.path)].map(({ name }) => name), ["tuning.json"]);
});

Deno.test("without a place for caches nothing is kept", async () => {
  const { cache, messages } = open(undefined);
  await cache.write(table);
  assertEquals([await cache.read(), messages], [{}, []]);
});
