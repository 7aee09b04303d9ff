import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { compile, Device, Generator, read, tensor } from "../../engine/mod.ts";
import { optionValues, type Setup, UserError } from "../../plugin/mod.ts";
import attributes, { Tags } from "../../plugins/attributes.ts";
import { temporaryFolder } from "../data/temporary.ts";
import { chosen, trainsAndResumes, trainTiny } from "./tiny_run.ts";

await Device.open();

const tags = new Tags({ name: "tags", tags: ["hat", "smile"], frequencies: [0.25, 0.9] }, {
  sources: [{ column: "hat", signs: [-1, 1] }, { column: "smile", signs: [1, -1] }],
});

Deno.test("Each tag is drawn as often as it occurs", async () => {
  const random = new Generator(5);
  const [drawn] = await read([compile(() => tags.sample(random, 8192))()]);
  [0.25, 0.9].forEach((frequency, k) => {
    const has = drawn.filter((value, i) => i % 2 === k && value === 1).length;
    assertAlmostEquals(has / 8192, frequency, 0.02);
  });
  assert(drawn.every((value) => value === 1 || value === -1));
});

Deno.test("Tags are read from their columns, and asked for by name", async () => {
  const classes = { hat: Int32Array.of(0, 1, 1), smile: Int32Array.of(0, 0, 1) };
  const [values] = await read([tags.read!({ classes, mirrored: new Uint8Array(3) })]);
  assertEquals([...values], [-1, 1, 1, 1, 1, -1]);
  assertEquals(tags.parse("smile+hat"), [1, 1]);
  assertEquals(tags.parse("none"), [-1, -1]);
  assertEquals(tags.showcase().map(({ value }) => value), [[-1, -1], [1, -1], [-1, 1]]);
  assertThrows(
    () => tags.parse("smlie"),
    UserError,
    'Unknown tag "smlie" (did you mean smile?): this model knows hat, smile',
  );
});

Deno.test("The loss is the sigmoids' cross-entropy, and the score the share of tags told rightly", async () => {
  const head = tensor([2, -1, 0.5, 3], [2, 2]), values = tags.tensor([[1, 1], [-1, 1]]);
  const [[loss], score] = await read([tags.loss(head, values), tags.score(head, values)]);
  const softplus = (x: number) => Math.log1p(Math.exp(x));
  assertAlmostEquals(loss, (softplus(-2) + softplus(1) + softplus(0.5) + softplus(-3)) / 4, 1e-6);
  assertEquals([...score], [0.5, 0.5]);
});

Deno.test("Tags train, and a run goes on with the same bytes", async () => {
  const metrics = await trainsAndResumes(() => [
    chosen("classifier", { columns: ["hair"] }),
    chosen("attributes", { columns: ["hat"] }),
  ]);
  assert(metrics["d.class.tags.real"] > 0 && metrics["g.class.tags"] > 0);
});

Deno.test("A column that holds no tag is an error that names it", async () => {
  using folder = temporaryFolder();
  await assertRejects(
    () => trainTiny(`${folder.path}/run`, [chosen("attributes", { columns: ["hair"] })]),
    UserError,
    'Plugin attributes failed in setup: label column "hair" must hold 1 and -1, or yes and no, and holds "black"; columns with tags in their cells are cells',
  );
});

/** What attributes makes of a column `tags` with such cells. */
async function tagsIn(cells: readonly string[], options: Record<string, unknown> = {}) {
  const classes = [...new Set(cells)].filter((cell) => cell !== "").sort();
  const labels = Int32Array.from(cells, (cell) => classes.indexOf(cell));
  const data = { columns: [{ name: "tags", classes }], labels: [labels] };
  const values = optionValues(attributes, { cells: ["tags"], ...options });
  const { conditions } = await attributes.setup(values, { data } as unknown as Setup);
  return { condition: conditions![0], labels };
}

Deno.test("Cells of any number of tags are taken apart, and each tag is as frequent as it is", async () => {
  const { condition, labels } = await tagsIn([
    "hat;red eyes",
    "",
    "smile, hat",
    "hat|hat",
    "red eyes",
  ]);
  assertEquals(condition.describe(), {
    kind: "tags",
    name: "tags",
    tags: ["hat", "red eyes", "smile"],
    frequencies: [0.6, 0.4, 0.2],
    cells: ["tags", "tags", "tags"],
  });
  assertEquals(condition.labels!([1, -1, 1]), { tags: "hat;smile" });
  assertEquals(condition.labels!([-1, -1, -1]), { tags: "" });
  const read1 = condition.read!({ classes: { tags: labels }, mirrored: new Uint8Array(5) });
  const [values] = await read([read1]);
  assertEquals([...values], [1, 1, -1, -1, -1, -1, 1, -1, 1, 1, -1, -1, -1, 1, -1]);
  assertEquals(condition.parse("red eyes+hat"), [1, 1, -1]);
  const rare = await tagsIn(["hat;red eyes", "", "smile, hat", "hat|hat", "red eyes"], {
    least: 2,
  });
  assertEquals(rare.condition.describe().tags, ["hat", "red eyes"]);
});

Deno.test("Tags that nobody could ask for are refused", async () => {
  await assertRejects(
    () => tagsIn(["a+b"]),
    UserError,
    'has the tag "a+b", which cannot be asked for',
  );
  await assertRejects(() => tagsIn(["none;a"]), UserError, 'has the tag "none"');
  await assertRejects(() => tagsIn([""]), UserError, "there is no tag: name their label columns");
});
