import { assertEquals, assertMatch } from "@std/assert";
import { train } from "../../examples/hair_colours.ts";

Deno.test("the example tells the hair of nearly every new avatar", async () => {
  const lines: string[] = [];
  const accuracy = await train((line) => lines.push(line));
  assertEquals(accuracy > 0.9, true, `${accuracy} of new avatars, 0.125 by chance`);
  assertMatch(lines[lines.length - 1], /^told the hair of \d+ of 256 new avatars$/);
});
