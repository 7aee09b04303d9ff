import { assertEquals } from "@std/assert";

// A folder may import only from folders further down.
const LAYERS = [
  ["cli"],
  ["evaluation"],
  ["training"],
  ["plugins"],
  ["plugin"],
  ["models", "metrics", "data"],
  ["engine"],
  ["shaders"],
];
const LONGEST_FILE = 500;

const root = new URL("../", import.meta.url);
const sources = [...files(root)].filter((path) => /\.(ts|wgsl)$/.test(path));

Deno.test("Imports point one way: cli, evaluation, training, models and data, engine, shaders", () => {
  const wrong = imports().filter(({ from, to }) =>
    from.folder !== to.folder && !(layerOf(from.folder) < layerOf(to.folder))
  );
  assertEquals(wrong.map(({ from, to }) => `${from.path} -> ${to.path}`), []);
});

Deno.test("Folders import each other through mod.ts alone, and shaders as files", () => {
  const wrong = imports().filter(({ from, to }) =>
    from.folder !== to.folder && to.folder !== "shaders" && to.path !== `${to.folder}/mod.ts`
  );
  assertEquals(wrong.map(({ from, to }) => `${from.path} -> ${to.path}`), []);
});

Deno.test("The engine depends on no package", () => {
  const wrong = sources.filter((path) => path.startsWith("engine/")).flatMap((path) =>
    specifiers(path).filter((specifier) => !specifier.startsWith(".")).map((it) => `${path}: ${it}`)
  );
  assertEquals(wrong, []);
});

Deno.test(`No file is longer than ${LONGEST_FILE} lines`, () => {
  const long = sources.map((path) => [path, read(path).split("\n").length - 1] as const)
    .filter(([, lines]) => lines > LONGEST_FILE);
  assertEquals(long, []);
});

interface Place {
  readonly path: string;
  readonly folder: string;
}

/** Every import of one source file by another, among the folders that have a layer. */
function imports(): { from: Place; to: Place }[] {
  return sources.filter((path) => layerOf(folderOf(path)) >= 0).flatMap((path) =>
    specifiers(path).filter((specifier) => specifier.startsWith(".")).map((specifier) => {
      const to = new URL(specifier, new URL(path, root)).href.slice(root.href.length);
      return { from: { path, folder: folderOf(path) }, to: { path: to, folder: folderOf(to) } };
    })
  );
}

function layerOf(folder: string): number {
  return LAYERS.findIndex((layer) => layer.includes(folder));
}

/** The first folder of a path; `cli.ts` counts as part of `cli`. */
function folderOf(path: string): string {
  return path.split("/")[0].replace(/\.ts$/, "");
}

/** What a file imports, statically and dynamically, but not in its comments' examples. */
function specifiers(path: string): string[] {
  const code = read(path).replaceAll(/^\s*(\*|\/\/|\/\*).*$/gm, "");
  return [...code.matchAll(/\b(?:from|import)\s*\(?\s*"([^"]+)"/g)].map(([, specifier]) =>
    specifier
  );
}

function read(path: string): string {
  return Deno.readTextFileSync(new URL(path, root));
}

function* files(folder: URL): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (name.startsWith(".") || name === "node_modules" || name === "runs") continue;
    if (isDirectory) yield* files(new URL(`${name}/`, folder));
    else yield new URL(name, folder).href.slice(root.href.length);
  }
}
