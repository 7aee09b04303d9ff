import { assertEquals } from "@std/assert";
import { didYouMean, nearest } from "../../plugin/mod.ts";

Deno.test("nearest() finds a word with letters swapped, missing, or in the wrong case", () => {
  const words = ["train", "sample", "doctor"];
  assertEquals(nearest("tarin", words), "train");
  assertEquals(nearest("smple", words), "sample");
  assertEquals(nearest("Doctor", words), "doctor");
});

Deno.test("nearest() finds nothing where no word is near", () => {
  assertEquals(nearest("x", ["train", "sample"]), undefined);
  assertEquals(nearest("zebra", ["train", "sample"]), undefined);
  assertEquals(nearest("train", []), undefined);
});

Deno.test("didYouMean() is a remark to append, or nothing", () => {
  assertEquals(didYouMean("blnde", ["blonde"]), " (did you mean blonde?)");
  assertEquals(didYouMean("zebra", ["blonde"]), "");
});
