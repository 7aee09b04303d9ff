import { assert, assertEquals, assertRejects } from "@std/assert";
import { type Dataset, loadDataset, UserError } from "../../data/mod.ts";
import { plainPng, temporaryFolder } from "./temporary.ts";

const LABELS = "file,hair\na.png,pink\nb.png,black\nbad.png,pink\n";

function pictures(): Record<string, string | Uint8Array> {
  return {
    "data/labels.csv": LABELS,
    "data/a.png": plainPng(1),
    "data/b.png": plainPng(2),
    "data/bad.png": "x",
  };
}

/** The red byte of each picture's first pixel. */
function firstBytes({ images, count, size }: Dataset): number[] {
  return Array.from({ length: count }, (_, i) => images[i * 3 * size * size]);
}

Deno.test("A second start takes pictures from the pack without opening them", async () => {
  using folder = temporaryFolder(pictures());
  const load = () => loadDataset(`${folder.path}/data`, { size: 4, cache: `${folder.path}/cache` });
  const first = await load();
  // Other bytes of the same length under the same time: what the pack cannot see.
  const path = `${folder.path}/data/a.png`;
  const { mtime, size } = Deno.statSync(path);
  Deno.writeFileSync(path, new Uint8Array(size));
  Deno.utimeSync(path, mtime!, mtime!);
  assertEquals(await load(), first);
});

Deno.test("Changed, renamed, added and removed pictures are noticed by the pack", async () => {
  using folder = temporaryFolder(pictures());
  const data = `${folder.path}/data`;
  const load = () => loadDataset(data, { size: 4, cache: `${folder.path}/cache` });
  assertEquals(firstBytes(await load()), [1, 2]);

  Deno.writeFileSync(`${data}/a.png`, plainPng(9));
  Deno.utimeSync(`${data}/a.png`, 1, 1);
  assertEquals(firstBytes(await load()), [9, 2]);

  Deno.renameSync(`${data}/b.png`, `${data}/0.png`);
  Deno.removeSync(`${data}/bad.png`);
  Deno.writeFileSync(`${data}/c.png`, plainPng(5));
  Deno.writeTextFileSync(`${data}/labels.csv`, "file,hair\n0.png,black\na.png,pink\nc.png,pink\n");
  assertEquals(firstBytes(await load()), [2, 9, 5]);
  assertEquals((await load()).problems, []);
});

Deno.test("A pack that is cut short or of other content is made again", async () => {
  using folder = temporaryFolder(pictures());
  const cache = `${folder.path}/cache`;
  const load = () => loadDataset(`${folder.path}/data`, { size: 4, cache });
  const first = await load();
  const [pack] = [...Deno.readDirSync(cache)].map(({ name }) => `${cache}/${name}`);
  const whole = Deno.readFileSync(pack);
  for (
    const broken of [
      whole.slice(0, -1),
      whole.slice(0, 30),
      new Uint8Array(),
      whole.map(() => 7),
    ]
  ) {
    Deno.writeFileSync(pack, broken);
    assertEquals(await load(), first);
    assertEquals(Deno.readFileSync(pack), whole);
  }
});

Deno.test("Packs of two sizes lie side by side, and nothing unfinished with them", async () => {
  using folder = temporaryFolder(pictures());
  const cache = `${folder.path}/cache`;
  for (const size of [4, 2, 4]) await loadDataset(`${folder.path}/data`, { size, cache });
  const names = [...Deno.readDirSync(cache)].map(({ name }) => name).sort();
  assertEquals(names.length, 2);
  assert(names[0].startsWith("data-2px-") && names[1].startsWith("data-4px-"), names.join());
});

Deno.test("What a killed process left of a pack is removed a day later", async () => {
  using folder = temporaryFolder(pictures());
  const cache = `${folder.path}/cache`;
  const load = () => loadDataset(`${folder.path}/data`, { size: 4, cache });
  const names = () => [...Deno.readDirSync(cache)].map(({ name }) => name).sort();
  await load();
  const [pack] = names();
  for (const name of [`${pack}.old.tmp`, `${pack}.new.tmp`, `other.${pack}.tmp`]) {
    Deno.writeTextFileSync(`${cache}/${name}`, "");
    if (!name.includes("new")) Deno.utimeSync(`${cache}/${name}`, 0, 0);
  }
  Deno.writeFileSync(`${folder.path}/data/a.png`, plainPng(99));
  await load();
  assertEquals(names(), [pack, `${pack}.new.tmp`, `other.${pack}.tmp`].sort());
});

Deno.test("A cache that cannot be written is one clear line", async () => {
  using folder = temporaryFolder({ ...pictures(), cache: "a file" });
  await assertRejects(
    () => loadDataset(`${folder.path}/data`, { size: 4, cache: `${folder.path}/cache` }),
    UserError,
    "Cannot write the picture cache",
  );
});
