import { assertEquals, assertThrows } from "@std/assert";
import { checkValue, definePlugin, placeholderOf, UserError } from "../../plugin/mod.ts";

const option = { type: "list", choices: ["color", "cutout"], help: "What" } as const;

Deno.test("A list takes words out of its choices, in any order, and names the nearest for another", () => {
  const words: readonly ("color" | "cutout")[] = checkValue("--what", option, ["cutout", "color"]);
  assertEquals(words, ["cutout", "color"]);
  assertEquals(placeholderOf(option), "color,cutout");
  assertThrows(
    () => checkValue("--what", option, ["cutout", "colour"]),
    UserError,
    "--what takes color, cutout, not colour (did you mean color?)",
  );
});

Deno.test("A plugin's default must be among the choices of a list", () => {
  assertThrows(
    () =>
      definePlugin({
        name: "one",
        version: "1.0.0",
        help: "For a test",
        options: { what: { ...option, default: ["hue"] } },
        setup: () => ({}),
      }),
    UserError,
    "Plugin one: the default of what takes color, cutout, not hue",
  );
});
