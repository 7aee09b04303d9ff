import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { temporaryFolder } from "../data/temporary.ts";
import { kao } from "./kao.ts";
import { serveRegistry } from "./registry.ts";

/** Where Deno keeps what it has fetched. */
async function denoFolder(): Promise<string> {
  const { stdout } = await new Deno.Command("deno", { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

Deno.test("a plugin that is a package is fetched once, bundled and kept, and may not run Deno", async () => {
  await using registry = await serveRegistry("@someone/calm", {
    "mod.js": `
import { definePlugin } from "kao/plugin";
import { value } from "./value.js";
const runDeno = async () => await new Deno.Command("deno", { args: ["--version"] }).output();
export default definePlugin({
  name: "calm",
  version: "1.0.0",
  help: "Runs Deno: " + await runDeno().then(() => "yes", (error) => error.name),
  setup: () => ({ generatorTerms: { size: { value } } }),
});
`,
    "value.js": `
import { mean, square } from "kao/engine";
export const value = ({ fake }) => mean(square(fake.images));
`,
  });
  // What Deno itself bundles with stays where it is.
  const cache = await denoFolder();
  using home = temporaryFolder({ ".npmrc": `@someone:registry=${registry.url}` });
  const caches = `${home.path}/caches`;
  const env = { HOME: home.path, XDG_CACHE_HOME: caches, DENO_DIR: cache };
  const source = "npm:@someone/calm@1.0.0";
  const kept = `${caches}/kao/plugins/${encodeURIComponent(source)}.js`;

  const first = await kao(["plugin", "info", source], env);
  assertEquals(first.code, 0, first.stderr);
  assertStringIncludes(first.stdout, "calm 1.0.0: Runs Deno: NotCapable");
  assertStringIncludes(first.stderr, `Fetching plugin ${source}; it is kept as ${kept}`);
  const fetched = registry.fetched();
  assertMatch(Deno.readTextFileSync(kept), /from "kao\/engine";[^]*mean\(square/);

  // Every command that takes plugins takes it, and what it is called by in a run.
  const again = await kao(["plugin", "info", source], env);
  assertEquals([again.code, again.stderr.includes("Fetching")], [0, false]);
  const help = await kao(["train", "none", "--plugin", source, "--help"], env);
  assertEquals(help.code, 0, help.stderr);
  assertEquals(registry.fetched(), fetched);

  const missing = await kao(["plugin", "info", "npm:@someone/none@1.0.0"], env);
  assertEquals(missing.code, 1);
  assertMatch(missing.stderr, /^kao: Cannot bundle npm:@someone\/none@1\.0\.0: /m);
  // Its share of Deno's cache, which knows this registry by its port.
  await Deno.remove(`${cache}/npm/${new URL(registry.url).port}`, { recursive: true });
});
