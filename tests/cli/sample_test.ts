import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { labelsOf } from "../../cli/sample/each.ts";
import { checkTogether } from "../../cli/sample/options.ts";
import { parseSweep } from "../../cli/sample/sweep.ts";
import { askedValues, parseShares } from "../../cli/sample/values.ts";
import { Categorical, Continuous, UserError } from "../../plugin/mod.ts";
import { Tags } from "../../plugins/attributes.ts";
import { GaussianCode } from "../../plugins/info_gan.ts";

const hair = new Categorical({
  name: "hair",
  classes: ["black", "blonde", "odd:0.5,name:0.5", "pink"],
  frequencies: [0.25, 0.25, 0.25, 0.25],
});
const smile = Continuous.fromNumbers("smile", [0, 0.25, 2], { source: {} });
const tags = new Tags({ name: "tags", tags: ["hat", "glasses"], frequencies: [0.5, 0.5] });
const code = new GaussianCode({ name: "code1", sigma: "fixed" });
const conditions = [hair, smile, tags, code];

Deno.test("A value, and a mix of values, are read as they are written", () => {
  assertEquals(parseShares(hair, "pink"), [{ value: [3], weight: 1 }]);
  assertEquals(parseShares(hair, "blonde:0.7, pink:.3"), [
    { value: [1], weight: 0.7 },
    { value: [3], weight: 0.3 },
  ]);
  assertEquals(parseShares(hair, "odd:0.5,name:0.5"), [{ value: [2], weight: 1 }]);
  const thirds = parseShares(hair, "black:0.33,blonde:0.33,pink:0.33");
  assertAlmostEquals(thirds.reduce((sum, { weight }) => sum + weight, 0), 1, 1e-12);
  const refused = (text: string, message: string) => {
    assertThrows(() => parseShares(hair, text), UserError, message);
  };
  refused("mauve", 'Unknown hair "mauve"');
  refused("mauve:0.5,pink:0.5", 'Unknown hair "mauve"');
  refused("blonde:0.7,pink", '"pink" has none');
  refused("blonde:0.7,pink:0", '"pink:0" has none');
  refused("blonde:0.7,pink:0.7", "must add up to 1, not 1.4");
});

Deno.test("Of a mix, what is given is the value that there is most of", () => {
  const { given, mixes } = askedValues(conditions, { hair: "black:0.2,pink:0.8", smile: "1" });
  assertEquals(given, { hair: [3], smile: [0] });
  assertEquals(Object.keys(mixes), ["hair"]);
});

Deno.test("A sweep goes through what a condition shows, or through numbers", () => {
  const labels = (text: string) => parseSweep(text, conditions).values.map(({ label }) => label);
  assertEquals(labels("hair"), hair.classes);
  assertEquals(labels("smile=0..2:5"), ["0", "0.5", "1", "1.5", "2"]);
  assertEquals(labels("smile=2..0.5:4"), ["2", "1.5", "1", "0.5"]);
  assertEquals(labels("code1=-1..1:3"), ["-1", "0", "1"]);
  assertEquals(labels("code1=-0.3..0.6:4"), ["-0.3", "0", "0.3", "0.6"]);
  assertEquals(labels("smile=0..1").length, 7);
  assertEquals(labels("smile=0..1:4"), ["0", "0.333", "0.667", "1"]);
  assertEquals(parseSweep("smile=0..2:3", conditions).values.map(({ value }) => value[0]), [
    -1,
    0,
    1,
  ]);
  const refused = (text: string, message: string) => {
    assertThrows(() => labels(text), UserError, message);
  };
  refused("simle", 'Unknown condition "simle" (did you mean smile?): this model knows hair, smile');
  refused("smile=0..3:4", "smile must be a number from 0 to 2, not 3");
  refused("hair=0..1", 'Unknown hair "0"');
  for (const range of ["0", "0..", "a..b", "0..1:1", "0..1:101", "0..1:x"]) {
    refused(`smile=${range}`, "--sweep takes smile, or smile=0..1:9");
  }
});

Deno.test("Options that make no sense together are refused by a sentence", () => {
  const refused = (given: Record<string, unknown>, message: string) => {
    assertThrows(() => checkTogether(given), UserError, message);
  };
  refused({ sweep: ["hair"], each: true }, "Choose one of --sweep and --each");
  refused({ frames: 3 }, "--frames is for --interpolate");
  refused({ loop: true, sweep: ["hair"] }, "--loop is for --interpolate");
  refused({ interpolate: ["1", "2"], seed: 3 }, "--interpolate takes no --seed");
  refused({ sweep: ["hair"], bestOf: 2 }, "--sweep takes no --best-of");
  checkTogether({ each: true, bestOf: 2, count: 5, seed: 3, truncation: 1 });
  checkTogether({ sweep: ["hair"], each: false, loop: false });
});

Deno.test("Labels of a picture are cells that training reads again", () => {
  const request = { z: new Float32Array(2), values: [[1], smile.parse("1.5"), [1, -1], [0.25]] };
  assertEquals(labelsOf(request, conditions), {
    hair: "blonde",
    smile: "1.500000",
    hat: "1",
    glasses: "-1",
    code1: "0.2500",
  });
  // A column of whole numbers would be taken for one of classes.
  const long = Continuous.fromNumbers("long", [0, 2469134], { source: {} });
  assertEquals(long.labels([0]), { long: "1234567.0" });
});
