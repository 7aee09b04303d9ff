import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { loadDataset, UserError } from "../../data/mod.ts";
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
  const { count, columns, problems } = await loadDataset(folder.path, { size: 4 });
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
