import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { Batches, describeProblem, loadDataset, splitDataset, UserError } from "../../data/mod.ts";
import { faceJpeg, plainPng, temporaryFolder } from "./temporary.ts";

const faces = new URL("../fixtures/faces", import.meta.url).pathname;

Deno.test("A folder of JPEGs with labels.csv becomes pictures and class indices by file name", async () => {
  const dataset = await loadDataset(faces, { size: 64 });
  assertEquals(dataset.count, 12);
  assertEquals(dataset.columns, [
    { name: "hair", classes: ["black", "blonde", "green", "pink"] },
    { name: "eyes", classes: ["blue", "green", "red"] },
  ]);
  assertEquals([...dataset.labels[0]], [2, 2, 2, 0, 0, 0, 1, 1, 1, 3, 3, 3]);
  assertEquals([...dataset.labels[1]], [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]);
  assertEquals(dataset.images.length, 12 * 3 * 64 * 64);
  assertEquals(dataset.problems, []);
});

Deno.test("A folder a class becomes one column", async () => {
  using folder = temporaryFolder({
    "pink/a.png": plainPng(1),
    "black/deep/b.PNG": plainPng(2),
    "black/notes.txt": "not a picture, and not named as one",
    "c.png": plainPng(3),
    ".hidden/d.png": plainPng(4),
  });
  const dataset = await loadDataset(folder.path, { size: 2 });
  assertEquals(dataset.columns, [{ name: "class", classes: ["black", "pink"] }]);
  assertEquals([...dataset.labels[0]], [0, 1]);
  assertEquals([...dataset.images], [...Array(12).fill(2), ...Array(12).fill(1)]);
  assertEquals(dataset.problems, [{ file: "c.png", reason: "it is not in the folder of a class" }]);
});

Deno.test("Columns with names that cannot be used can be left out", async () => {
  using folder = temporaryFolder({
    "labels.csv": "file,Hair_2,seed\na.png,pink,1\n",
    "a.png": plainPng(1),
  });
  const options = { size: 4, columns: ["Hair_2"], reserved: ["seed"] };
  assertEquals((await loadDataset(folder.path, options)).columns[0].name, "Hair_2");
});

Deno.test("Links to folders are followed, and those that lead back up or nowhere are not", async () => {
  using elsewhere = temporaryFolder({ "b.JPEG": faceJpeg() });
  using folder = temporaryFolder({ "black/a.PNG": plainPng(1) });
  const link = (to: string, name: string) => Deno.symlinkSync(to, `${folder.path}/${name}`);
  link(elsewhere.path, "blonde");
  link("..", "black/up");
  link("nowhere", "black/broken.png");
  link("itself.png", "black/itself.png");
  const { count, columns, problems } = await loadDataset(folder.path, { size: 4 });
  assertEquals([count, columns[0].classes, problems], [2, ["black", "blonde"], []]);
});

Deno.test("Pictures that cannot be used are left out and named with their row", async () => {
  using folder = temporaryFolder({
    "labels.csv": [
      "file,hair,eyes",
      "good.png,pink,red",
      "text.png,pink,red",
      "cut.jpg,pink,red",
      "cut.png,pink,red",
      "empty.png,pink,red",
      "missing.png,pink,red",
      "good.png,black,blue",
      "same.png,pink,red",
      "nolabel.png,pink,",
      "short.png,pink",
      "../outside.png,pink,red",
      '".\\also good.png", black ,red',
    ].join("\n"),
    "good.png": plainPng(1),
    "text.png": "hello",
    "cut.jpg": faceJpeg().slice(0, 1000),
    "cut.png": plainPng(2, { width: 64, height: 64 }).slice(0, 60),
    "empty.png": "",
    "same.png": plainPng(1),
    "nolabel.png": plainPng(3),
    "short.png": plainPng(4),
    "also good.png": plainPng(5),
    "unlisted.png": plainPng(6),
  });
  const options = { size: 4, required: ["eyes"] };
  const { count, columns, problems } = await loadDataset(folder.path, options);
  assertEquals(count, 2);
  assertEquals(columns[0], { name: "hair", classes: ["black", "pink"] });
  assertEquals(problems.map(({ file, row, reason }) => `${row} ${file}: ${reason}`), [
    "3 text.png: it is neither a PNG nor a JPEG picture",
    "4 cut.jpg: the JPEG is cut short",
    "5 cut.png: the PNG is cut short",
    "6 empty.png: the file is empty",
    "7 missing.png: there is no such file",
    "8 good.png: row 2 lists it already",
    "9 same.png: it is the same as good.png",
    "10 nolabel.png: it has no label for eyes",
    "11 short.png: the row has 2 cells and the header 3",
    "12 ../outside.png: there is no such file",
    "undefined unlisted.png: labels.csv does not list it",
  ]);
});

Deno.test("Labels may be missing: their class is -1, and a column without any is none", async () => {
  using folder = temporaryFolder({
    "labels.csv": "file,hair,eyes,note\na.png,pink,,\nb.png,,red,\nc.png,,,\nd.png,black, red ,\n",
    ...Object.fromEntries(["a", "b", "c", "d"].map((name, i) => [`${name}.png`, plainPng(i)])),
  });
  const cache = `${folder.path}/.cache`;
  const load = (options = {}) => loadDataset(folder.path, { size: 4, cache, ...options });
  const { columns, labels, problems, files, fingerprint } = await load();
  assertEquals(columns, [
    { name: "hair", classes: ["black", "pink"] },
    { name: "eyes", classes: ["red"] },
  ]);
  assertEquals(labels, [Int32Array.of(1, -1, -1, 0), Int32Array.of(-1, 0, -1, 0)]);
  assertEquals([problems, files], [[], ["a.png", "b.png", "c.png", "d.png"]]);
  // Parts of it and batches keep what is missing.
  const { train, holdout } = splitDataset(await load(), { holdout: 2, seed: 1 });
  assertEquals([...train.labels[0], ...holdout.labels[0]].sort(), [-1, -1, 0, 1]);
  const batch = new Batches(train, { batch: 4, seed: 1, flip: false }).at(0);
  assertEquals(
    batch.labels[0].filter((label) => label < 0).length,
    2 * train.labels[0].filter((label) => label < 0).length,
  );
  // The cache is of pictures alone: with it labels are read anew.
  Deno.writeTextFileSync(
    `${folder.path}/labels.csv`,
    "file,hair\na.png,\nb.png,red\nc.png,\nd.png,\n",
  );
  const changed = await load();
  assertEquals(changed.labels, [Int32Array.of(-1, 0, -1, -1)]);
  assertNotEquals(changed.fingerprint, fingerprint);
  assertEquals(
    (await load({ required: ["hair"] })).problems.map(({ row, reason }) => [row, reason]),
    [
      [2, "it has no label for hair"],
      [4, "it has no label for hair"],
      [5, "it has no label for hair"],
    ],
  );
});

Deno.test("Tables of attributes are read as CelebA has them, between spaces or commas", async () => {
  const pictures = Object.fromEntries(
    ["img/1.png", "img/2.png", "img/3.png", "img/4.png"].map((name, i) => [name, plainPng(i)]),
  );
  const wanted = [
    [{ name: "5_o_Clock", classes: ["-1", "1"] }, { name: "Hat", classes: ["-1", "1"] }],
    [Int32Array.of(1, 0, 0), Int32Array.of(0, 1, 0)],
  ];
  using spaced = temporaryFolder({
    ...pictures,
    "list_attr_celeba.txt":
      "4\r\n5_o_Clock Hat \r\n1.png  1 -1\r\n2.png -1  1\n3.png -1 -1\n4.png -1  maybe\n5.png 1\n",
  });
  const { columns, labels, problems } = await loadDataset(spaced.path, { size: 4 });
  assertEquals([columns, labels], wanted);
  assertEquals(problems.map(describeProblem), [
    '4.png (list_attr_celeba.txt row 6): its Hat is "maybe", neither 1 nor -1 nor 0',
    "5.png (list_attr_celeba.txt row 7): the row has 2 cells and the header 3",
  ]);
  using commas = temporaryFolder({
    ...pictures,
    "list_attr.csv": "image_id,5_o_Clock,Hat\n1.png,1,-1\n2.png,-1,1\nimg/3.png,-1,-1\n",
  });
  const read = await loadDataset(commas.path, { size: 4 });
  assertEquals([read.columns, read.labels], wanted);
  assertEquals(read.problems.map(describeProblem), ["img/4.png: list_attr.csv does not list it"]);
  // labels.csv goes before such a table, and a name that is there twice is none.
  using both = temporaryFolder({
    ...pictures,
    "other/1.png": plainPng(9),
    "list_attr.txt": "Hat\n1.png 1\n2.png -1\n",
  });
  assertEquals(
    (await loadDataset(both.path, { size: 4 })).problems[0].reason,
    "there is no such file",
  );
  Deno.writeTextFileSync(`${both.path}/labels.csv`, "file,hair\nimg/1.png,pink\n");
  assertEquals((await loadDataset(both.path, { size: 4 })).columns[0].name, "hair");
});

Deno.test("Without leave to keep them, pictures are decoded and the cache stays as it is", async () => {
  using cache = temporaryFolder();
  const options = { size: 8, cache: `${cache.path}/packs` };
  const unkept = await loadDataset(faces, { ...options, keep: false });
  assertEquals([...Deno.readDirSync(cache.path)], []);
  assertEquals(unkept.images, (await loadDataset(faces, options)).images);
  assertEquals(await loadDataset(faces, { ...options, keep: false }), unkept);
});

Deno.test("Columns of decimal fractions are left out unless they are asked for", async () => {
  using folder = temporaryFolder({
    "labels.csv": "file,hair,tilt,year\na.png,pink,0.25,1\nb.png,black,-1.0,2\n",
    "a.png": plainPng(1),
    "b.png": plainPng(2),
  });
  const names = async (columns?: string[]) =>
    (await loadDataset(folder.path, { size: 4, columns })).columns.map(({ name }) => name);
  assertEquals(await names(), ["hair", "year"]);
  assertEquals(await names(["tilt", "hair"]), ["tilt", "hair"]);
});

Deno.test("A data folder that cannot be used is one line that says what to do", async () => {
  const labels = (csv: string | Uint8Array) => ({ "labels.csv": csv, "a.png": plainPng(1) });
  const cases: [Record<string, string | Uint8Array>, string, string[]?][] = [
    [{}, "holds no PNG or JPEG pictures"],
    [{ "labels.csv": "file,hair\na.png,pink\n" }, "holds no PNG or JPEG pictures"],
    [{ "a.png": plainPng(1) }, "has no labels: add labels.csv"],
    [{ "images/a.png": plainPng(1) }, "has no labels: add labels.csv"],
    [labels("a.png,pink\n"), 'no column "file": its first row must name the columns'],
    [labels("file;hair\na.png;pink\n"), "separate cells by commas"],
    [labels(""), "is empty"],
    [labels("file\na.png\n"), "no column of classes"],
    [labels("file,seed\na.png,1\n"), 'label column "seed", whose name is taken'],
    [labels("file,constructor\na.png,1\n"), 'label column "constructor", whose name is taken'],
    [labels("file,hair colour\na.png,red\n"), 'label column "hair colour", whose name has more'],
    [labels("file,../up\na.png,red\n"), 'label column "../up", whose name has more'],
    [labels("file,hair,hair\na.png,pink,red\n"), 'two columns named "hair"'],
    [labels("file,hair\na.png,pink\n"), 'no label column "hare"; it has hair', ["hare"]],
    [labels('file,hair\n"a.png,pink\n'), "not valid CSV: line 2"],
    [labels(Uint8Array.of(0x66, 0xff, 0xfe)), "is not UTF-8 text"],
    [labels("file,hair\nb.png,pink\n"), "0 usable pictures, 1 are needed; left out: b.png"],
    [{ "labels.csv": "file,hair\na.png,pink\n", "a.png": "text" }, "neither a PNG nor a JPEG"],
  ];
  for (const [files, message, columns] of cases) {
    using folder = temporaryFolder(files);
    const load = () => loadDataset(folder.path, { size: 4, columns, reserved: ["seed"] });
    const error = await assertRejects(load, UserError, message);
    assertEquals(error.message.includes("\n"), false, error.message);
  }
  await assertRejects(() => loadDataset("no/such", { size: 4 }), UserError, "does not exist");
  await assertRejects(
    () => loadDataset(`${faces}/labels.csv`, { size: 4 }),
    UserError,
    "is a file",
  );
});

Deno.test("Too few usable pictures is an error that shows the first that were left out", async () => {
  await assertRejects(
    () => loadDataset(faces, { size: 8, minimum: 13 }),
    UserError,
    "has 12 usable pictures, 13 are needed",
  );
});

Deno.test("The fingerprint follows content and labels", async () => {
  using folder = temporaryFolder({
    "labels.csv": "file,hair\na.png,pink\nb.png,black\n",
    "a.png": plainPng(1),
    "b.png": plainPng(2),
  });
  const fingerprint = async () => (await loadDataset(folder.path, { size: 4 })).fingerprint;
  const first = await fingerprint();
  assertEquals(await fingerprint(), first);
  Deno.writeTextFileSync(`${folder.path}/labels.csv`, "file,hair\na.png,pink\nb.png,pink\n");
  const relabelled = await fingerprint();
  assertNotEquals(relabelled, first);
  Deno.writeFileSync(`${folder.path}/b.png`, plainPng(3));
  assertNotEquals(await fingerprint(), relabelled);
});
